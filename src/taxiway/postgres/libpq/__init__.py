"""A connection to PostgreSQL through libpq, PostgreSQL's own client library (docs/adr/0019-libpq.md).

What libpq decides stays with libpq: connection parameters and their sources, TLS, authentication, the protocol.
Here is only what makes its functions usable from Python without waiting in C, so that signals get through.
"""
