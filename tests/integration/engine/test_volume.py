"""Many migrations and long scripts are nothing special."""

import time

from tests.support.workspace import Workspace


def test_two_thousand_migrations_run_in_one_go(workspace: Workspace) -> None:
    workspace.write({f"V{number}__m.sql": f"CREATE TABLE t{number} (i int);" for number in range(1, 2001)})
    started = time.monotonic()

    result = workspace.migrate()

    migrated = time.monotonic()
    assert result.count == 2000
    assert len(workspace.info().migrations) == 2000
    assert workspace.validate().count == 2000
    checked = time.monotonic()
    # Far above what it takes, and far below what a mistake of quadratic cost would take
    assert migrated - started < 60
    assert checked - migrated < 5


def test_a_script_of_many_statements_runs(workspace: Workspace) -> None:
    inserts = "".join(f"INSERT INTO a VALUES ({number}, 'text; of {number}');\n" for number in range(10_000))
    workspace.write({"V1__a.sql": f"CREATE TABLE a (i int, t text);\n{inserts}"})
    workspace.migrate()
    assert workspace.value("SELECT count(*) FROM a") == 10_000


def test_a_long_statement_runs(workspace: Workspace) -> None:
    rows = ",\n".join(f"({number}, '{'x' * 100}')" for number in range(50_000))
    workspace.write({"V1__a.sql": f"CREATE TABLE a (i int, t text);\nINSERT INTO a VALUES\n{rows};"})
    workspace.migrate()
    assert workspace.value("SELECT count(*) FROM a") == 50_000
