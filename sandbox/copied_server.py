"""A PostgreSQL server whose data is a copy of another one's, as it was at one moment."""

import shutil
import subprocess
from pathlib import Path
from typing import Self, override

from sandbox.directory import run_as, unprivileged_account
from sandbox.postgres import PostgresServer


class CopiedServer(PostgresServer):
    """Begins with a copy of what :meth:`copy_to` has written; several may begin with the same."""

    def __init__(self, directory: Path, copy: Path, *, superuser_password: str) -> None:
        super().__init__(directory)
        self.superuser_password = superuser_password
        self._copy = copy

    @override
    def start(self) -> Self:
        """Copy the files, and start with them."""
        self._make_directories()
        shutil.copytree(self._copy / "tls", self.directory / "tls", dirs_exist_ok=True)
        shutil.copytree(self._copy / "data", self._data, dirs_exist_ok=True)
        for path in (self._data, *self._data.rglob("*")):
            if self._account:
                self._account.own(path)
        self._start_on_free_port()
        return self


def copy_to(server: PostgresServer, directory: Path, *, programs: Path) -> None:
    """Write what a :class:`CopiedServer` begins with: the data as of now, and the certificate. The server goes on.

    Raises:
        CalledProcessError: The server cannot be copied.
    """
    directory.mkdir(parents=True)
    data = directory / "data"
    data.mkdir(mode=0o700)
    account = unprivileged_account()
    if account:
        account.own(data)
    shutil.copytree(server.authority.parent, directory / "tls")
    subprocess.run(
        [
            programs / "pg_basebackup",
            f"--dbname={server.conninfo('postgres', server.superuser_password, 'postgres')}",
            f"--pgdata={data}",
            "--wal-method=fetch",
            "--checkpoint=fast",
            "--no-sync",
        ],
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(directory), "LD_LIBRARY_PATH": str(programs.parent / "lib")},
        **run_as(account),
    )
