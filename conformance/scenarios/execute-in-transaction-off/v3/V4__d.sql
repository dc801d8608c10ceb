create table d (i int);
select nope;
