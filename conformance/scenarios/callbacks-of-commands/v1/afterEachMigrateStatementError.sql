insert into log.event (what) values ('afterEachMigrateStatementError');
