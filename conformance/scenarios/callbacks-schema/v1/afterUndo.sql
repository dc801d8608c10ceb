insert into log.event (what) values ('afterUndo');
