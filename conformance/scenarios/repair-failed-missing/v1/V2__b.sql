vacuum;
select nope;
