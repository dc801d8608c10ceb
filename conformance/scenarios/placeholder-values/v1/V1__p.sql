create table p (t text);
insert into p values ('${a}');
${b}
