insert into log.event (what) values ('afterValidateError');
