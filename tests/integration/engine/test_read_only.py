"""Commands that write are refused by a server that may only read, before they do anything; others are not."""

from collections.abc import Callable, Iterator

import pytest

from sandbox.directory import temporary_directory
from sandbox.postgres import PostgresServer
from sandbox.standby import Standby
from taxiway import errors
from taxiway.api import Options
from tests.support.command import complaint
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

SCRIPTS = {
    "V1__one.sql": "CREATE TABLE one (n int);",
    "U1__one.sql": "DROP TABLE one;",
    "afterConnect.sql": "SELECT 'the callback has run';",
}
WRITING: dict[str, Callable[[Workspace, Options], object]] = {
    "migrate": lambda workspace, options: workspace.migrate(**options),
    "undo": lambda workspace, options: workspace.undo(**options),
    "repair": lambda workspace, options: workspace.repair(**options),
    "baseline": lambda workspace, options: workspace.baseline(**options),
    "clean": lambda workspace, options: workspace.clean(**options),
}


@pytest.fixture(scope="module")
def standby(postgres_server: PostgresServer) -> Iterator[Standby]:
    with temporary_directory() as directory, Standby(directory / "standby", postgres_server) as standby:
        yield standby


@pytest.fixture
def ready(workspace: Workspace) -> Workspace:
    workspace.write(SCRIPTS)
    workspace.migrate()
    workspace.write({"V2__two.sql": "CREATE TABLE two (n int);"})
    return workspace


@pytest.fixture
def of_the_standby(ready: Workspace, standby: Standby) -> Options:
    """What leads to the same database on the standby."""
    standby.wait_for_replay()
    return {"url": standby.url(ready.database.user, ready.database.name)}


@pytest.mark.parametrize("command", WRITING)
def test_a_standby_refuses_to_be_written_to(ready: Workspace, of_the_standby: Options, command: str) -> None:
    with pytest.raises(errors.ReadOnlyServer, match="a standby, or a reader of an Aurora cluster") as caught:
        WRITING[command](ready, of_the_standby)
    assert "Connect to the primary" in (caught.value.hint or "")


def test_a_standby_can_be_read(ready: Workspace, of_the_standby: Options) -> None:
    assert [str(one.version) for one in ready.info(**of_the_standby).migrations] == ["1", "2"]
    assert [problem.code for problem in ready.validate(**of_the_standby).problems] == [
        "RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED"
    ]
    assert not ready.repair(carry_out=False, **of_the_standby).carried_out


def test_the_command_line_names_the_host_and_ends_as_with_a_wrong_address(
    ready: Workspace, of_the_standby: Options, standby: Standby
) -> None:
    result = ready.run("migrate", "--url", str(of_the_standby["url"]))
    assert f"{standby.host}:{standby.port}/" in complaint(result, 2, "read-only-server")
    assert "the callback has run" not in result.stdout


@pytest.mark.parametrize("command", WRITING)
def test_a_session_that_begins_read_only_changes_nothing(ready: Workspace, command: str) -> None:
    user = ready.database.user
    ready.query(f"ALTER ROLE {user} SET default_transaction_read_only = on")
    before = fingerprint(ready.database)
    with pytest.raises(errors.ReadOnlyServer, match="default_transaction_read_only is on"):
        WRITING[command](ready, {"clean_disabled": False})
    assert fingerprint(ready.database) == before
    assert ready.info().migrations


def test_init_sql_may_make_it_writable(ready: Workspace) -> None:
    ready.query(f"ALTER ROLE {ready.database.user} SET default_transaction_read_only = on")
    result = ready.migrate(init_sql="SET default_transaction_read_only = off")
    assert [str(one.version) for one in result.migrations] == ["2"]
