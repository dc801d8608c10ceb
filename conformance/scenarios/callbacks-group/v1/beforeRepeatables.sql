insert into log.event (what) values ('beforeRepeatables');
