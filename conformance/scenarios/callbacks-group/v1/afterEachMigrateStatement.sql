insert into log.event (what) values ('afterEachMigrateStatement');
