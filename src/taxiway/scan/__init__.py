"""From files to resolved migrations: names, checksums, duplicates."""
