create table c (i int, t text);
copy c (i, t) from stdin;
1	one; two
2	\N
\.
insert into c values (3, 'three');
COPY c FROM STDIN WITH (FORMAT csv, HEADER);
i,t
4,"f;our"
\.
