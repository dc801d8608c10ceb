create table b (i int);
insert into b values (1);
insert into b values (2);
update b set i = i + 1;
