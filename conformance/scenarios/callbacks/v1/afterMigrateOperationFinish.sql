insert into log.event (what) values ('afterMigrateOperationFinish');
