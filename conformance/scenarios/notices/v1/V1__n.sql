create table if not exists n (i int);
create table if not exists n (i int);
do $$ begin raise warning 'mind'; end $$;
select * from n;
insert into n values (1) returning i;
