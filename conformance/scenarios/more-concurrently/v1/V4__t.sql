reindex table concurrently a;
