create table p (t text); insert into p values ('#[a]# ${a} #[flyway.table]#');
