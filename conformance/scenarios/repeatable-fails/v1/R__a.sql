create or replace view va as select * from a;
