insert into log.event (what) values ('afterVersioned');
