insert into p values ('${flyway:filename}');
