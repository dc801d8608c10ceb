drop index concurrently ai;
