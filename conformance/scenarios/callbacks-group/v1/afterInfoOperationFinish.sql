insert into log.event (what) values ('afterInfoOperationFinish');
