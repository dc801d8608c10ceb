"""From files to resolved migrations and callbacks: names, configuration, encodings, checksums, duplicates."""
