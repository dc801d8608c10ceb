create index concurrently ai on a (i);
