insert into log.event (what) values ('cb');
