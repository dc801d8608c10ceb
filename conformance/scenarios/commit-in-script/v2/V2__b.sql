begin;
create table b2 (i int);
commit;
create table b3 (i int);
