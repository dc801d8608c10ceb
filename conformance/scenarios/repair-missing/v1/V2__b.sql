create table if not exists b (i int);
