insert into log.event (what) values ('afterClean');
