vacuum a;
select nope;
