create table person (id int primary key);
