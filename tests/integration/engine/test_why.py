"""``taxiway why``: which migration brought an object, and how that is known."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from sandbox.postgres import unpacked_programs
from tests.support.command import complaint
from tests.support.workspace import Workspace

ON = {"TAXIWAY_LEDGER": "true", "TAXIWAY_ACTOR": "ann"}
OFF = {"TAXIWAY_LEDGER": "false"}


def migrate(workspace: Workspace, scripts: dict[str, str], *arguments: str, **environment: str) -> None:
    workspace.write(scripts)
    result = workspace.run("migrate", *arguments, environment=ON | environment)
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stdout


def ask(workspace: Workspace, name: str, *, exit_code: int = 0) -> dict[str, Any]:
    result = workspace.run("why", name, "-o", "json")
    assert result.returncode == exit_code, result.stderr + result.stdout
    answer = json.loads(result.stdout)
    assert isinstance(answer, dict)
    return answer


def changes(workspace: Workspace, name: str, *, exit_code: int = 0) -> list[tuple[str, str, list[str]]]:
    """Certainty, scripts and parts of each change of the only object of that name."""
    [found] = ask(workspace, name, exit_code=exit_code)["objects"]
    return [
        (one["certainty"], " ".join(each["script"] for each in one["migrations"]), one["what"])
        for one in found["changes"]
    ]


def execute(workspace: Workspace, *statements: str) -> None:
    with workspace.database.connect(autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


SHOP = {
    "V1__order.sql": 'CREATE TABLE orders (id int, price int); CREATE TABLE "Odd.One" ("A" int);',
    "V2__later.sql": "ALTER TABLE orders ADD COLUMN note text; CREATE VIEW cheap AS SELECT id FROM orders;",
    "V3__type.sql": "ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'x';"
    " CREATE FUNCTION total() RETURNS int LANGUAGE sql AS 'SELECT 1';",
}


@pytest.mark.parametrize("ledger", [ON, OFF])
def test_each_object_has_the_migration_that_wrote_it(workspace: Workspace, ledger: dict[str, str]) -> None:
    migrate(workspace, SHOP, **ledger)
    assert changes(workspace, "orders.price") == [("exact", "V1__order.sql", ["column price"])]
    assert changes(workspace, "public.orders.price") == changes(workspace, "ORDERS.Price")
    assert changes(workspace, '"Odd.One"."A"') == [("exact", "V1__order.sql", ["column A"])]
    assert changes(workspace, "cheap")[0][:2] == ("exact", "V2__later.sql")
    assert changes(workspace, "total()") == [("exact", "V3__type.sql", ["function"])]
    assert changes(workspace, "orders")[0] == ("exact", "V1__order.sql", ["created", "column id", "column price"])


def test_a_column_that_was_added_and_changed_later_has_both(workspace: Workspace) -> None:
    migrate(workspace, {name: SHOP[name] for name in ("V1__order.sql", "V2__later.sql")})
    migrate(workspace, SHOP)
    assert changes(workspace, "orders.note") == [
        ("exact", "V2__later.sql", ["column note"]),
        ("exact", "V3__type.sql", ["column note", "default"]),
    ]


def test_the_run_tells_who_and_when(workspace: Workspace) -> None:
    migrate(workspace, SHOP)
    [found] = ask(workspace, "orders.price")["objects"]
    [change] = found["changes"]
    assert (change["run"]["actor"], change["run"]["command"]) == ("ann", "migrate")
    text = workspace.run("why", "orders.price").stdout
    assert "public.orders.price (column)\n  column price\n    by V1__order.sql (version 1)\n" in text
    assert f"run {change['run']['id']} of {change['run']['started']}, by ann" in text


def test_a_dropped_column_is_remembered_with_what_dropped_it(workspace: Workspace) -> None:
    migrate(workspace, SHOP)
    migrate(workspace, {"V4__drop.sql": "ALTER TABLE orders DROP COLUMN price;"})
    answer = ask(workspace, "orders.price")
    assert [one["exists"] for one in answer["objects"]] == [False]
    assert changes(workspace, "orders.price") == [
        ("exact", "V1__order.sql", ["column price"]),
        ("exact", "V4__drop.sql", ["dropped column"]),
    ]


def test_a_dropped_table_is_remembered(workspace: Workspace) -> None:
    migrate(workspace, SHOP)
    migrate(workspace, {"V4__drop.sql": 'DROP TABLE "Odd.One";'})
    assert changes(workspace, '"Odd.One"')[0][:2] == ("exact", "V1__order.sql")
    assert "which is not there any more" in workspace.run("why", '"Odd.One"').stdout


def test_what_was_there_before_taxiway_is_not_known_and_scripts_are_no_proof(workspace: Workspace) -> None:
    execute(workspace, "CREATE TABLE legacy (id int)")
    migrate(
        workspace, {"V1__a.sql": "SELECT 1;\n-- about legacy\n"}, "--baseline-on-migrate", "--baseline-version=0"
    )
    assert changes(workspace, "legacy", exit_code=3) == [("unknown", "", ["created", "column id", "definition"])]
    result = workspace.run("why", "legacy")
    assert result.returncode == 3
    assert "Not known: nobody on record has written it." in result.stdout
    assert "Scripts that mention the name, which proves nothing:\n  V1__a.sql, line 2" in result.stdout


def test_what_somebody_changed_by_hand_later_is_told_apart(workspace: Workspace) -> None:
    migrate(workspace, SHOP)
    execute(workspace, "ALTER TABLE orders ALTER COLUMN price TYPE bigint")
    assert changes(workspace, "orders.price") == [
        ("exact", "V1__order.sql", ["column price"]),
        ("unknown", "", ["column price"]),
    ]


def test_vacuum_and_analyze_are_no_changes(workspace: Workspace) -> None:
    migrate(workspace, SHOP)
    before = changes(workspace, "orders")
    execute(
        workspace, "INSERT INTO orders VALUES (1, 2)", "ANALYZE orders", "VACUUM (FREEZE) orders", "VACUUM FREEZE"
    )
    assert changes(workspace, "orders") == before


def test_behind_a_savepoint_it_is_known_while_what_it_was_written(workspace: Workspace) -> None:
    scripts = {
        "V1__a.sql": "CREATE TABLE a (i int);",
        "V2__b.sql": "SELECT 1; SAVEPOINT s; CREATE TABLE b (i int); RELEASE s; INSERT INTO a VALUES (1);",
        "V3__c.sql": "CREATE TABLE c (i int);",
    }
    migrate(workspace, scripts)
    assert [one[:2] for one in changes(workspace, "b")] == [("during", "V2__b.sql")]
    assert "while V2__b.sql (version 2) ran, in a transaction of its own" in workspace.run("why", "b").stdout


def test_without_a_transaction_it_is_known_while_what_it_was_written(workspace: Workspace) -> None:
    scripts = {
        "V1__a.sql": "CREATE TABLE a (i int);",
        "V2__b.sql": "CREATE INDEX CONCURRENTLY found ON a (i);",
        "V3__c.sql": "CREATE TABLE c (i int);",
    }
    migrate(workspace, scripts)
    certainties = [one[:2] for one in changes(workspace, "found")]
    assert certainties[-1][0] == "during"
    assert "V2__b.sql" in certainties[-1][1]


def test_of_a_group_all_are_named(workspace: Workspace) -> None:
    migrate(workspace, {"V1__a.sql": "CREATE TABLE a (i int);", "V2__b.sql": "CREATE TABLE b (i int);"}, "--group")
    assert changes(workspace, "b")[0][:2] == ("group", "V1__a.sql V2__b.sql")


def test_what_a_callback_brought_is_told_as_that(workspace: Workspace) -> None:
    migrate(
        workspace, {"V1__a.sql": "CREATE TABLE a (i int);", "afterMigrate.sql": "CREATE VIEW v AS SELECT 1 AS i;"}
    )
    [change] = changes(workspace, "v")
    assert change[0] in {"run", "during"}
    assert change[0] == "run" or change[1] == "V1__a.sql"


@pytest.mark.parametrize("whole", [True, False])
def test_after_a_dump_was_restored_the_ledger_answers_by_the_name(workspace: Workspace, whole: bool) -> None:
    migrate(workspace, SHOP)
    restore(workspace, whole=whole)
    [found] = ask(workspace, "orders.price")["objects"]
    assert [(one["certainty"], one["beforeRestore"]) for one in found["changes"]] == [("exact", True)]
    assert found["changes"][0]["migrations"][0]["script"] == "V1__order.sql"
    assert "The database was restored from a dump or upgraded since" in workspace.run("why", "orders.price").stdout
    migrate(workspace, {"V4__d.sql": "ALTER TABLE orders ALTER COLUMN price TYPE bigint;"})
    assert [one[:2] for one in changes(workspace, "orders.price")] == [
        ("exact", "V1__order.sql"),
        ("exact", "V4__d.sql"),
    ]


@pytest.mark.parametrize("whole", [True, False])
def test_after_a_dump_was_restored_the_history_alone_knows_nothing(workspace: Workspace, whole: bool) -> None:
    migrate(workspace, SHOP, **OFF)
    restore(workspace, whole=whole)
    [change] = changes(workspace, "orders.price", exit_code=3)
    assert change[0] == "unknown"


def restore(workspace: Workspace, *, whole: bool) -> None:
    """Dump the database, empty it and restore it, in one transaction or in many."""
    database = workspace.database
    programs = unpacked_programs()
    libraries = {"LD_LIBRARY_PATH": str(programs.parent / "lib")}
    conninfo = database.server.conninfo(database.user, database.password, database.name)
    # The programs of PostgreSQL 14 do not look for addresses in a certificate.
    conninfo += f" host=localhost hostaddr={database.host}"
    dump = workspace.directory / "dump"
    subprocess.run([programs / "pg_dump", "-Fc", "-f", dump, "-d", conninfo], env=libraries, check=True)
    execute(workspace, 'DROP TABLE orders CASCADE; DROP TABLE "Odd.One"; DROP FUNCTION total()')
    execute(workspace, "DROP TABLE flyway_schema_history; DROP SCHEMA IF EXISTS taxiway CASCADE")
    once = ["--single-transaction"] if whole else []
    subprocess.run([programs / "pg_restore", *once, "-d", conninfo, dump], env=libraries, check=True)


def test_a_typo_suggests_what_was_meant(workspace: Workspace) -> None:
    migrate(workspace, SHOP)
    for typo, meant in (("ordres", "orders"), ("orders.pirce", "orders.price"), ("public.ordrs", "public.orders")):
        assert f"Did you mean '{meant}'?" in complaint(workspace.run("why", typo), 1, "object-not-found")


def test_a_column_that_is_not_there_is_answered_with_those_that_are(workspace: Workspace) -> None:
    migrate(workspace, {"V1__a.sql": "CREATE TABLE product (id int, name text);"})
    said = complaint(workspace.run("why", "product.wavelength"), 1, "object-not-found")
    assert "Hint: Name one of those that 'product' has: id, name." in said


def test_it_can_be_asked_without_the_scripts(workspace: Workspace) -> None:
    migrate(workspace, {"V1__a.sql": "CREATE TABLE product (id int);"})
    shutil.rmtree(workspace.scripts)
    result = workspace.run("why", "product")
    assert result.returncode == 0, result.stderr
    assert "by V1__a.sql" in result.stdout


def test_in_a_log_of_json_the_answer_is_a_line(workspace: Workspace) -> None:
    migrate(workspace, {"V1__a.sql": "CREATE TABLE product (id int);"})
    result = workspace.run("why", "product", "--log", "json")
    answer, ending = (json.loads(line) for line in result.stdout.splitlines())
    assert (answer["event"], answer["command"], answer["result"]["name"]) == ("command-result", "why", "product")
    assert (ending["event"], ending["exitCode"]) == ("result", 0)


@pytest.mark.parametrize("name", ["", "a.b.c.d", "a..b", 'a"b'])
def test_what_is_no_name_is_refused(workspace: Workspace, name: str) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;"})
    assert workspace.run("why", name).returncode == 2


def test_asking_changes_nothing(workspace: Workspace) -> None:
    workspace.write(SHOP)
    execute(workspace, "CREATE TABLE legacy (id int)")
    assert workspace.run("why", "legacy", environment=ON).returncode == 3
    with workspace.database.connect() as connection:
        assert connection.execute(
            "SELECT to_regclass('flyway_schema_history'), to_regnamespace('taxiway')"
        ).fetchall() == [(None, None)]
