insert into log.event (what) values ('none');
