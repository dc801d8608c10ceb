insert into log.event (what) values ('afterMigrateError');
