reindex index concurrently ai;
