insert into log.event (what) values ('afterConnect');
