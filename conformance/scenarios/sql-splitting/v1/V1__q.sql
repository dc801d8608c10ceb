create table q (t text); -- a ; comment
insert into q values ('a;''b'), ('c') /* ; /* nested ; */ ; */ ;
insert into q values (E'it\'s;'), ($$do;llar$$), ($tag$ $$ ; $tag$), (U&'d\0061t;a');
create table "semi;colon" (i int);
create function one() returns int language plpgsql as $body$ begin return 1; end; $body$;
create function two() returns int begin atomic select 1; select case when true then 2 end; end;
do $$ begin perform 1; end $$;
begin;
insert into q values ('in begin');
commit;
select 1 as "case", (select 2);
insert into q values ('last')