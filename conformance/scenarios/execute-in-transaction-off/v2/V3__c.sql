create table c (i int);
vacuum c;
