create table r (i int);
select nope;
