create table p (i int;
create table q (i int);
