insert into log.event (what) values ('a');
