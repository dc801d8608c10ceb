insert into log.event (what) values ('afterRepair');
