insert into log.event (what) values ('afterEachMigrate');
