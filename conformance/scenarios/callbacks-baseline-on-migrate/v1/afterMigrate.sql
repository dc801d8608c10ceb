insert into log.event (what) values ('afterMigrate');
