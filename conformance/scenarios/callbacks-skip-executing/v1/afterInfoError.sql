insert into log.event (what) values ('afterInfoError');
