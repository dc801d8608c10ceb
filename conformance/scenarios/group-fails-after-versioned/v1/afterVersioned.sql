insert into log.event values ('afterVersioned');
