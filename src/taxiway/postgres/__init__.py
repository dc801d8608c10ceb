"""PostgreSQL, through libpq."""
