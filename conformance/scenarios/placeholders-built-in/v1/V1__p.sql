create table p (t text);
insert into p values ('${flyway:defaultSchema}'), ('${flyway:user}'), ('${flyway:filename}'), ('${flyway:table}'), ('${FLYWAY:TABLE}'), ('${flyway:environment}');
