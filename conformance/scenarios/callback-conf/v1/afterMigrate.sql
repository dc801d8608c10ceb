vacuum log.event;
insert into log.event (what) values ('${x}');
