create table p (i int);
prepare ins as insert into p values ($1);
execute ins (1);
copy p from stdin;
2
\.
