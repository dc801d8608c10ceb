create table ab (i int);
