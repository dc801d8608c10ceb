create table b (i int);
select 'open;
