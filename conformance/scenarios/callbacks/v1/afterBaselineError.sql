insert into log.event (what) values ('afterBaselineError');
