create table c (i int);
copy c from stdin;
1
2
