"""A throw-away world of real parts for tests and for the demo: PostgreSQL, a Git host, an AWS endpoint.

Nothing in here is imitated where the real thing can be had: the database is PostgreSQL with TLS and scram, the Git
host is an SSH server that runs git, and the AWS endpoint is an emulator that the real SDK talks to. Every part
listens on a free port of 127.0.0.1, lives below one temporary directory and needs neither root nor Docker.

Not part of the package that is installed; import it from the root of the repository.
"""
