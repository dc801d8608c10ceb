create table a (i int); create table b (i int);
