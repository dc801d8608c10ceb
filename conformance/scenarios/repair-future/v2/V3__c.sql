create table if not exists c (i int);
