insert into log.event (what) values ('beforeValidate');
