insert into log.event (what) values ('B');
