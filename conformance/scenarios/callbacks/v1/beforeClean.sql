insert into log.event (what) values ('beforeClean');
