create table e (t text);
insert into e select e'it\'s; fine';
