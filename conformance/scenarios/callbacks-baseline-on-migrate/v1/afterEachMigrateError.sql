insert into log.event (what) values ('afterEachMigrateError');
