insert into log.event (what) values ('afterBaseline');
