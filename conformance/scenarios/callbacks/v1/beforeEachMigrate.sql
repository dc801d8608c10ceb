insert into log.event (what) values ('beforeEachMigrate');
