insert into log.event (what) values ('beforeInfo');
