insert into log.event (what) values ('beforeUndo');
