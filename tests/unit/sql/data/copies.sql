COPY t (a, b) FROM STDIN WITH (FORMAT csv, HEADER); select 'then; this'; /* and */ -- no more
a,b
"x;
",2
  \.  
SELECT 1;
/* why */ copy "FROM" from stdin;
1
\.
CREATE INDEX CONCURRENTLY i ON t (a);
COPY (SELECT 1 AS stdin) TO '/stdout';
copy last from stdin
;
no terminator;
