create table c (i int);
