create table b (i int);
select nope;
