"""Servers that let others in than the usual ones do."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.directory import temporary_directory
from sandbox.postgres import PostgresServer

PASSWORD_NEEDED = "host all all 127.0.0.1/32 scram-sha-256"
"""Also without TLS: a proxy sees nothing of what is encrypted."""


@contextmanager
def server_with_rules(*rules: str, **settings: str) -> Iterator[PostgresServer]:
    """A server whose ``pg_hba.conf`` has these lines."""
    with temporary_directory(in_memory=True) as directory:
        file = directory / "hba.conf"
        file.write_text("".join(f"{rule}\n" for rule in rules))
        file.chmod(0o644)
        with PostgresServer(directory / "postgres", settings={**settings, "hba_file": str(file)}) as server:
            yield server


@contextmanager
def trusting_server(user: str) -> Iterator[PostgresServer]:
    """A server that lets one user in without a password, as something between it and us does."""
    trust = f"host all {user} 127.0.0.1/32 trust"
    with server_with_rules(trust, "hostssl all all 127.0.0.1/32 scram-sha-256") as server:
        server.create_user(user, "no password is ever asked for")
        yield server
