\set x 1
create table p (i int);
