insert into log.event (what) values ('createSchema');
