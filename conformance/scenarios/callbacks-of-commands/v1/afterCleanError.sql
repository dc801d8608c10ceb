insert into log.event (what) values ('afterCleanError');
