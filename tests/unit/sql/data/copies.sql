COPY t (a, b) FROM STDIN WITH (FORMAT csv, HEADER);  the rest of this line; is ignored
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
