"""``errorOverrides``: an error that is none, a notice that is one, and how a transaction goes on."""

import pytest

import taxiway
from taxiway.model.event import Event, NoticeReceived, Warned
from tests.support.workspace import Workspace

TABLE = "CREATE TABLE a (i int PRIMARY KEY);\n"
TWICE = "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);\n"


def warnings_of(workspace: Workspace, *overrides: str, **placeholders: taxiway.Secret) -> list[str]:
    events: list[Event] = []
    workspace.migrate(on_event=events.append, error_overrides=list(overrides), placeholders=placeholders)
    return [event.message for event in events if isinstance(event, Warned)]


def test_a_script_goes_on_after_an_error_that_is_none(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": TABLE + TWICE})
    message = 'DB: duplicate key value violates unique constraint "a_pkey"'
    assert warnings_of(workspace, "23505:0:W") == [f"{message} (SQL State: 23505 - Error Code: 0)"]
    assert workspace.query("SELECT i FROM a") == [(1,), (2,)]
    assert workspace.applied() == ["1"]


def test_a_script_without_a_transaction_goes_on_too(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": TABLE + TWICE, "V1__a.sql.conf": "executeInTransaction=false"})
    assert len(warnings_of(workspace, "23505:0:W-")) == 1
    assert workspace.query("SELECT i FROM a") == [(1,), (2,)]


def test_a_callback_goes_on_too(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": TABLE, "afterMigrate.sql": TWICE})
    assert len(warnings_of(workspace, "23505:0:W")) == 1
    assert workspace.query("SELECT i FROM a") == [(1,), (2,)]


def test_an_error_may_be_a_remark_or_nothing(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": TABLE + TWICE})
    events: list[Event] = []
    workspace.migrate(on_event=events.append, error_overrides=["23505:0:I-"])
    [remark] = [event for event in events if isinstance(event, NoticeReceived)]
    assert (remark.severity, remark.sqlstate) == ("INFO", "00000")
    workspace.write({"V2__b.sql": "INSERT INTO a VALUES (1);"})
    assert warnings_of(workspace, "23505:0:D") == []


def test_another_error_is_still_one_and_rolls_everything_back(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": TABLE + TWICE + "SELECT nonsense;"})
    with pytest.raises(taxiway.MigrationFailed, match="nonsense") as caught:
        workspace.migrate(error_overrides=["23505:0:W"])
    assert (caught.value.line, caught.value.rolled_back) == (5, True)
    assert not workspace.query("SELECT FROM pg_tables WHERE tablename = 'a'")


def test_the_state_of_an_error_may_be_hidden(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT nonsense;"})
    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate(error_overrides=["42703:0:E-"])
    assert caught.value.sqlstate is None
    assert "SQLSTATE" not in caught.value.message


def test_a_notice_may_be_an_error(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE b ();\nDROP TABLE IF EXISTS a;"})
    with pytest.raises(taxiway.MigrationFailed, match='table "a" does not exist, skipping') as caught:
        workspace.migrate(error_overrides=["00000:0:E"])
    assert (caught.value.line, caught.value.rolled_back) == (2, True)


def test_a_notice_of_a_statement_of_ours_stops_nothing(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT pg_advisory_unlock_all();", "V2__b.sql": "SELECT 1;"})
    assert workspace.migrate(error_overrides=["*:*:E"]).count == 2


@pytest.mark.parametrize(
    "script",
    [
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1;",
        "-- first\nset local transaction_isolation = 'serializable'; SELECT 1;",
        "SAVEPOINT mine; CREATE TABLE a (); ROLLBACK TO mine; RELEASE mine;",
        "CREATE TABLE a (); COMMIT; SELECT 1;",
        "COMMIT AND CHAIN; SELECT 1;",
        "BEGIN; SELECT 1; END;",
        "ROLLBACK; SELECT 1;",
        "COPY (SELECT 1) TO PROGRAM 'false'; SELECT 1;",
        "CREATE TABLE a (i int); COPY a FROM STDIN;\nx\n\\.\nSELECT 1;",
    ],
)
def test_statements_that_control_the_transaction_get_on_with_the_savepoints(
    workspace: Workspace, script: str
) -> None:
    workspace.write({"V1__a.sql": script})
    workspace.migrate(error_overrides=["42501:0:W", "22P02:0:W"])
    assert workspace.applied() == ["1"]


def test_a_secret_in_what_is_told_is_masked(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT '${pw}'::int;"})
    [warning] = warnings_of(workspace, "22P02:0:W", pw=taxiway.Secret("Geheim4711x"))
    assert "****" in warning
    assert "Geheim" not in warning
