create table a (i int);
select nope;
