create table v (t text);
insert into v values ('${x}');
vacuum v;
