-- ${none}
select 1;
