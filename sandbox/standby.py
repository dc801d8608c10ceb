"""A second PostgreSQL server that follows a first one."""

import shutil
import subprocess
import time
from pathlib import Path
from typing import Final, Self, override

from sandbox.directory import run_as, unprivileged_account
from sandbox.postgres import PostgresServer

_SECONDS_TO_FOLLOW: Final = 20


class Standby(PostgresServer):
    """A hot standby of a primary: it follows it, and answers questions only."""

    def __init__(self, directory: Path, primary: PostgresServer) -> None:
        super().__init__(directory)
        self._primary = primary

    @override
    def start(self) -> Self:
        """Copy the primary, and follow it."""
        self._make_directories()
        self.superuser_password = self._primary.superuser_password
        shutil.copytree(self._primary.authority.parent, self.directory / "tls", dirs_exist_ok=True)
        subprocess.run(
            [
                self._programs / "pg_basebackup",
                f"--dbname={self._primary.conninfo('postgres', self.superuser_password, 'postgres')}",
                f"--pgdata={self._data}",
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            env={**self._environment, "HOME": str(self.directory)},
            **run_as(unprivileged_account()),
        )
        self._start_on_free_port()
        return self

    def promote(self) -> None:
        """Make it a primary."""
        with self.admin() as connection:
            connection.execute("SELECT pg_promote()")

    def wait_for_replay(self) -> None:
        """Until it has all that the primary has committed by now.

        Raises:
            TimeoutError: It does not follow.
        """
        with self._primary.admin() as primary, self.admin() as own:
            # What was committed is sent when it was written, which need not be at once; this is, and all before.
            primary.execute("SET synchronous_commit = local")
            primary.execute("SELECT pg_logical_emit_message(true, 'sandbox', '')")
            there = primary.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
            deadline = time.monotonic() + _SECONDS_TO_FOLLOW
            while own.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", there).fetchone() != (True,):
                if time.monotonic() > deadline:
                    raise TimeoutError("the standby does not follow")
                time.sleep(0.05)
