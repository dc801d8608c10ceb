"""What the plugin's fixtures promise to every test that uses them."""

import os

import pytest

from sandbox.postgres import PostgresServer
from tests.support.pytest_sandbox import Database


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_finds_its_database_empty_and_its_roles_gone(database: Database, turn: str) -> None:
    with database.connect() as connection:
        objects = connection.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        assert objects.fetchone() == (0,)
        connection.execute("CREATE TABLE left_behind (id integer)")
        connection.execute("CREATE ROLE parent")
        connection.execute("CREATE ROLE child")
        connection.execute("GRANT parent TO child")
        connection.execute("GRANT SELECT ON left_behind TO child")


def test_the_server_has_no_roles_between_tests(postgres_server: PostgresServer) -> None:
    # The scenarios of tests/conformance have one for all of them, as long as the server runs.
    assert postgres_server.roles() <= {"conformance"}


def test_the_password_is_not_shown_when_a_test_fails(database: Database) -> None:
    assert database.password not in repr(database)
    assert database.password not in database.url


def test_no_setting_of_this_machine_is_seen() -> None:
    seen = {name for name in os.environ if name.startswith(("PG", "DB_", "FLYWAY_", "TAXIWAY_", "REPOSITORY_"))}
    assert seen == set()
    assert {name for name in os.environ if name.startswith("AWS_")} == {
        *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED")
    }
