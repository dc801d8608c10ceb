"""What can be seen to be wrong beforehand is an error of its own, and nothing has changed."""

import os
from typing import TYPE_CHECKING, Any

import pytest

from taxiway import errors
from taxiway.engine.ports import HistoryTable
from taxiway.exit_codes import exit_code_for
from taxiway.model.event import Event, WaitingForLock
from taxiway.postgres.lock import lock_number
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

if TYPE_CHECKING:
    from taxiway.api import Options

FIRST = {"V1__a.sql": "CREATE TABLE a (i int);"}
PENDING = {"V2__b.sql": "CREATE TABLE b (i int);", "V3__c.sql": "CREATE TABLE c (i int);"}


def refused(
    workspace: Workspace, cls: type[errors.TaxiwayError], code: int, **options: Any
) -> errors.TaxiwayError:
    """The error of a run, which has changed nothing; its class, exit code and hint are as they should be."""
    before = fingerprint(workspace.database)
    with pytest.raises(errors.TaxiwayError) as caught:
        workspace.migrate(**options)
    assert fingerprint(workspace.database) == before
    assert type(caught.value) is cls
    assert exit_code_for(caught.value) == code
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("script", "content", "cls", "words"),
    [
        ("V3_0__again.sql", "SELECT 1;", errors.DuplicateMigration, "version 3"),
        ("V4-x.sql", "SELECT 1;", errors.InvalidMigrationName, "V4-x.sql"),
        ("V1__a.sql", "CREATE TABLE changed (i int);", errors.ValidationFailed, "version 1 (a)"),
        ("V4__d.sql", "SELECT 1;\nSELECT '${missing}';", errors.UnknownPlaceholder, "V4__d.sql:2:9: "),
        ("R__d.sql", "SELECT '${missing}';", errors.UnknownPlaceholder, "R__d.sql:1:9: "),
        ("V4__d.sql", b"SELECT '\xff';", errors.UnreadableScript, "V4__d.sql"),
        ("V4__d.sql", "SELECT 1;\nSELECT 'oops;", errors.UnterminatedText, "V4__d.sql:2:8: "),
        ("V4__d.sql", "CREATE TABLE d ();\nVACUUM;", errors.MixedTransactions, "V4__d.sql:2:1: "),
        ("V4__d.sql", "SELECT 1;\nCOPY a TO STDOUT;", errors.ScriptError, "V4__d.sql:2:1: "),
        (f"V{'4' * 51}__d.sql", "SELECT 1;", errors.ScriptError, "51 characters"),
        (os.fsdecode(b"V4__\xff.sql"), "SELECT 1;", errors.InvalidMigrationName, r"V4__\udcff.sql"),
    ],
)  # fmt: skip
def test_one_bad_script_keeps_all_of_them_from_running(
    workspace: Workspace,
    script: str,
    content: str | bytes,
    cls: type[errors.TaxiwayError],
    words: str,
) -> None:
    workspace.write(FIRST)
    workspace.migrate()
    workspace.write(PENDING | {script: content})
    assert words in refused(workspace, cls, 1).message


def test_every_bad_name_is_told_at_once(workspace: Workspace) -> None:
    workspace.write(FIRST | {"V.sql": "", "v2__x.sql": "", "R1__x.sql": ""})
    error = refused(workspace, errors.InvalidMigrationName, 1)
    assert isinstance(error, errors.InvalidMigrationName)
    assert len(error.problems) == 3
    assert workspace.migrate(validate_migration_naming=False).count == 1


def test_a_schema_with_objects_and_without_history_is_left_alone(workspace: Workspace) -> None:
    workspace.write(FIRST)
    for schema, statement in {
        "tables": "CREATE TABLE tables.t (i int)",
        "views": "CREATE VIEW views.t AS SELECT 1",
        "sequences": "CREATE SEQUENCE sequences.t",
        "enums": "CREATE TYPE enums.t AS ENUM ('a')",
        "domains": "CREATE DOMAIN domains.t AS int",
        "functions": "CREATE FUNCTION functions.t() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "procedures": "CREATE PROCEDURE procedures.t() LANGUAGE sql AS 'SELECT 1'",
    }.items():
        workspace.query(f"CREATE SCHEMA {schema}")
        workspace.query(statement)
        assert f'"{schema}"' in refused(workspace, errors.NonEmptySchema, 1, default_schema=schema).message


def test_what_flyway_does_not_count_does_not_count(workspace: Workspace) -> None:
    workspace.write(FIRST)
    for schema, statement in {
        "partitioned": "CREATE TABLE partitioned.t (i int) PARTITION BY RANGE (i)",
        "materialized": "CREATE MATERIALIZED VIEW materialized.t AS SELECT 1",
        "composite": "CREATE TYPE composite.t AS (i int)",
        "extended": "CREATE EXTENSION citext SCHEMA extended",
        "public": "CREATE SCHEMA other CREATE TABLE t (i int)",
    }.items():
        workspace.query(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        workspace.query(statement)
        assert workspace.migrate(default_schema=schema).count == 1


def test_any_of_several_schemas_counts(workspace: Workspace) -> None:
    workspace.write(FIRST)
    workspace.query("CREATE SCHEMA s2 CREATE TABLE t (i int)")
    assert '"s2"' in refused(workspace, errors.NonEmptySchema, 1, schemas=["s1", "s2"]).message


def test_a_missing_folder_and_an_empty_one_are_errors(workspace: Workspace) -> None:
    missing = workspace.directory / "nowhere"
    error = refused(workspace, errors.LocationNotFound, 2, locations=[f"filesystem:{missing}"])
    assert str(missing) in error.message
    assert str(workspace.scripts) in refused(workspace, errors.NoMigrationsFound, 2).message
    workspace.write({"notes.txt": "none of ours"})
    refused(workspace, errors.NoMigrationsFound, 2)


def test_an_empty_folder_can_be_allowed(workspace: Workspace) -> None:
    assert workspace.migrate(fail_on_missing_locations=False).count == 0
    assert workspace.validate(fail_on_missing_locations=False).successful


def test_an_option_that_cannot_be_used_is_an_error(workspace: Workspace) -> None:
    workspace.write(FIRST)
    unusable: list[Options] = [
        {"target": "oops"},
        {"locations": ["s3:bucket"]},
        {"ignore_migration_patterns": ["oops"]},
        {"placeholders": {"flyway:user": "x"}},
        {"url": "jdbc:mysql://localhost/x"},
        {"encoding": "no-such-encoding"},
    ]
    for options in unusable:
        refused(workspace, errors.InvalidOption, 2, **options)
    refused(workspace, errors.UnknownOption, 2, out_of_ordre=True)


@pytest.mark.parametrize(
    "options",
    [
        {"schemas": ["public", "s" * 64]},
        {"default_schema": "é" * 32},
        {"table": "t" * 62},
        {"table": "é" * 31},
    ],
)
def test_a_name_that_postgresql_would_cut_is_refused(workspace: Workspace, options: Any) -> None:
    workspace.write(FIRST)
    assert "bytes" in refused(workspace, errors.InvalidOption, 2, **options).message


def test_the_longest_names_work_again_and_again(workspace: Workspace) -> None:
    workspace.write(FIRST)
    names: Options = {"default_schema": "s" * 63, "table": "é" * 30 + "t"}
    assert [workspace.migrate(**names).count for _ in range(2)] == [1, 0]


def test_a_file_that_changes_while_a_run_waits_is_not_run(workspace: Workspace) -> None:
    workspace.write(FIRST)
    before = fingerprint(workspace.database)
    with workspace.database.connect() as other:
        other.execute(
            "SELECT pg_advisory_xact_lock(%s)", [lock_number(HistoryTable("public", "flyway_schema_history"))]
        )

        def change_and_let_go(event: Event) -> None:
            if isinstance(event, WaitingForLock):
                workspace.write({"V1__a.sql": "CREATE TABLE b (i int);"})
                other.rollback()

        with pytest.raises(errors.UnreadableScript, match=r"V1__a\.sql: the file has changed") as caught:
            workspace.migrate(on_event=change_and_let_go)

    assert caught.value.hint
    assert fingerprint(workspace.database) == before
    assert workspace.migrate().count == 1
