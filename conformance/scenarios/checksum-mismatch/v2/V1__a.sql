create table a (i int); -- edited
