create unique index concurrently au on a (i);
reindex schema public;
