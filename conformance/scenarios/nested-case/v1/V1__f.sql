create function f(i int) returns int begin atomic
 select case when i > 0 then case when i > 1 then 2 else 1 end else 0 end;
 select 1;
end;
create table after_f (i int);
