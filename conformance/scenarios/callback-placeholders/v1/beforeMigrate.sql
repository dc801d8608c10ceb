insert into log.event (what) values ('${x} ${flyway:defaultSchema} ${flyway:table} ${flyway:filename}'), (current_setting('search_path'));
