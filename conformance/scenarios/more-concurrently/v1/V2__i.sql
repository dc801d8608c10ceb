create index ai on a (i);
