vacuum;
select nope;
vacuum;
