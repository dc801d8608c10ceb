insert into log.event (what) values ('beforeBaseline');
