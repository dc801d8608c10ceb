insert into log.event (what) values ('afterMigrateApplied');
