insert into log.event (what) values ('afterRepairError');
