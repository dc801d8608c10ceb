insert into log.event (what) values ('beforeMigrate');
