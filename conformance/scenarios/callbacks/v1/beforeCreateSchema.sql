insert into log.event (what) values ('beforeCreateSchema');
