insert into log.event (what) values ('afterValidate');
