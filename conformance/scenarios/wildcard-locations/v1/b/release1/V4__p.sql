select 4;
