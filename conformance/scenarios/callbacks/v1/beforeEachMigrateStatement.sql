insert into log.event (what) values ('beforeEachMigrateStatement');
