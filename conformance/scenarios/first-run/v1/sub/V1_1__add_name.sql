alter table person add name text;
-- crlf
