create table l (t text); insert into l values ('é');
