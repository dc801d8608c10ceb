insert into log.event (what) values ('beforeRepair');
