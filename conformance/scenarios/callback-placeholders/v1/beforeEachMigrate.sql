insert into log.event (what) values ('${flyway:filename}'), (current_schema);
