insert into log.event (what) values ('afterInfo');
