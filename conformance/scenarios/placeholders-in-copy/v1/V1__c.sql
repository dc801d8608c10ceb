create table c (t text);
copy c from stdin;
${a}
$${a}
\.
