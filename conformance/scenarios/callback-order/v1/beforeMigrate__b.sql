insert into log.event (what) values ('b');
