create table b1 (i int);
commit;
create table b2 (i int);
select nope;
