insert into log.event (what) values ('sql');
