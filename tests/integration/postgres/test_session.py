"""What the engine may rely on: transactions without a snapshot, rows as texts, no transaction left open."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from taxiway import errors
from taxiway.engine.ports import HistoryTable
from taxiway.model.event import ResultTable
from taxiway.model.migration import AppliedMigration, HistoryRow, MigrationType
from taxiway.model.plan import Alignment, Deletion, RepairPlan
from taxiway.model.script import Statement
from taxiway.model.version import MigrationVersion
from taxiway.postgres.lock import lock_number
from taxiway.postgres.session import PostgresSession
from tests.integration.postgres.conftest import Heard
from tests.support.pytest_sandbox import Database


def run(session: PostgresSession, text: str) -> str:
    return session.run(Statement(text, 0, 0)).command


def tables(session: PostgresSession, text: str) -> tuple[ResultTable, ...]:
    return session.run(Statement(text, 0, 0), keep_rows=True).tables


def value(session: PostgresSession, query: str) -> str | None:
    return tables(session, query)[0].rows[0][0]


# --- begin_script ---


@pytest.mark.parametrize("keep_lock", [True, False])
@pytest.mark.parametrize(
    "statement",
    ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "BEGIN ISOLATION LEVEL SERIALIZABLE"],
)
def test_a_script_may_set_its_isolation_level(
    session: PostgresSession, table: HistoryTable, statement: str, keep_lock: bool
) -> None:
    assert session.try_lock(table)
    session.begin_script(table, transactional=True, keep_lock=keep_lock)
    assert session.in_transaction
    run(session, statement)
    assert value(session, "SHOW transaction_isolation") == "serializable"


def test_a_script_begins_with_role_and_search_path_as_they_were(
    session: PostgresSession, table: HistoryTable, heard: Heard
) -> None:
    run(session, "SET search_path = nowhere")
    run(session, "SET client_encoding = 'LATIN1'")
    session.begin_script(table, transactional=False, keep_lock=False)
    assert not session.in_transaction
    assert value(session, "SHOW search_path") == '"public","$user", public'
    session.begin_script(table, transactional=True, keep_lock=False)
    session.rollback()
    assert value(session, "SHOW search_path") == '"public","$user", public'
    assert heard == []


def locks(database: Database) -> int:
    with database.connect() as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchall()
    return int(count)


@pytest.mark.parametrize(("keep_lock", "count"), [(True, 1), (False, 0)])
def test_a_lock_is_taken_again_only_if_it_is_to_be_kept(
    session: PostgresSession, database: Database, table: HistoryTable, keep_lock: bool, count: int
) -> None:
    session.begin_script(table, transactional=True, keep_lock=keep_lock)
    assert locks(database) == count
    session.rollback()
    assert locks(database) == count


def test_a_lost_lock_leaves_no_transaction_open(
    session: PostgresSession, database: Database, table: HistoryTable
) -> None:
    with database.connect() as other:
        other.execute("SELECT pg_advisory_lock(77433833903597)")
        with pytest.raises(errors.LockNotAcquired):
            session.begin_script(table, transactional=True, keep_lock=True)
    assert not session.in_transaction


def test_a_script_in_an_open_transaction_is_a_part_of_it(
    session: PostgresSession, table: HistoryTable, heard: Heard
) -> None:
    session.begin_script(table, transactional=True, keep_lock=True)
    run(session, "CREATE TABLE a ()")
    session.begin_script(table, transactional=True, keep_lock=True)
    assert session.in_transaction
    session.rollback()
    assert value(session, "SELECT to_regclass('a')") is None
    assert heard == []


# --- rows ---


def test_rows_come_as_the_server_writes_them(session: PostgresSession) -> None:
    run(session, "SET client_encoding = 'LATIN1'")
    query = """SELECT 1::int AS "Ä", NULL, true, '{1,2}'::int[], 1.50, 'é' AS t UNION ALL SELECT 2, '', false, '{}', 0, ''"""
    assert tables(session, query) == (
        ResultTable(
            ("Ä", "?column?", "?column?", "int4", "?column?", "t"),
            (("1", None, "t", "{1,2}", "1.50", "é"), ("2", "", "f", "{}", "0", "")),
        ),
    )


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT 1 AS a WHERE false", (ResultTable(("a",), ()),)),
        ("SELECT", (ResultTable((), ((),)),)),
        ("VALUES (1), (2)", (ResultTable(("column1",), (("1",), ("2",))),)),
        ("CREATE TABLE x ()", ()),
        ("EXPLAIN (COSTS OFF) SELECT 1", (ResultTable(("QUERY PLAN",), (("Result",),)),)),
    ],
)
def test_what_returns_rows_has_a_table(
    session: PostgresSession, statement: str, expected: tuple[ResultTable, ...]
) -> None:
    assert tables(session, statement) == expected


def test_rows_that_nobody_wants_are_not_kept(session: PostgresSession) -> None:
    outcome = session.run(Statement("SELECT generate_series(1, 3)", 0, 0))
    assert (outcome.command, outcome.tables) == ("SELECT 3", ())


# --- commit and record ---


def history_row(rank: int, version: str | None = "1", **changes: Any) -> HistoryRow:
    row = HistoryRow(
        installed_rank=rank,
        version=version,
        description="d",
        type=MigrationType.SQL,
        script="s.sql",
        checksum=1,
        installed_by="me",
        execution_time_ms=2,
        success=True,
    )
    return replace(row, **changes)


def make_history(session: PostgresSession, table: HistoryTable, *rows: HistoryRow) -> None:
    session.create_schemas_and_history([], table, rows, create_table=True, tablespace=None)


def test_a_commit_that_only_rolls_back_is_an_error(session: PostgresSession) -> None:
    session.commit()
    session.begin()
    with pytest.raises(errors.StatementFailed):
        run(session, "SELECT nonsense")
    with pytest.raises(errors.StatementFailed, match="rolled back"):
        session.commit()
    assert not session.in_transaction


def test_a_commit_that_a_constraint_refuses_is_the_statements_fault(session: PostgresSession) -> None:
    run(session, "CREATE TABLE p (i int PRIMARY KEY, r int REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
    session.begin()
    run(session, "INSERT INTO p VALUES (1, 2)")
    with pytest.raises(errors.StatementFailed, match="foreign key"):
        session.commit()


def test_a_row_may_be_recorded_without_a_commit(session: PostgresSession, table: HistoryTable) -> None:
    make_history(session, table)
    session.begin_script(table, transactional=True, keep_lock=False)
    session.record(table, history_row(1), only_with_lock=True, commit=False)
    assert session.in_transaction
    session.record(table, history_row(2), only_with_lock=True, commit=False)
    session.commit()
    assert [row.installed_rank for row in session.history_rows(table)] == [1, 2]


# --- creating ---


def test_a_failure_to_create_leaves_nothing_and_no_transaction_open(
    session: PostgresSession, database: Database, table: HistoryTable
) -> None:
    other = HistoryTable("new", table.name)
    with pytest.raises(errors.DatabaseError, match="no_such_space"):
        session.create_schemas_and_history(
            ["new"], other, [history_row(0)], create_table=True, tablespace="no_such_space"
        )
    assert not session.in_transaction
    assert not session.look(["new"], other).existing


def test_the_history_lies_in_the_tablespace(
    session: PostgresSession, database: Database, table: HistoryTable
) -> None:
    name = 'Fast "disk"'
    space, owner = sql.Identifier(name), sql.Identifier(database.user)
    with database.server.admin() as admin:
        # In the server's own directory, which it allows for tests
        admin.execute("SET allow_in_place_tablespaces = on")
        admin.execute(sql.SQL("CREATE TABLESPACE {} OWNER {} LOCATION ''").format(space, owner))
        try:
            session.create_schemas_and_history([], table, [], create_table=True, tablespace=name)
            query = (
                "SELECT relname FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace "
                "WHERE t.spcname LIKE 'Fast%' AND relname LIKE 'flyway%' ORDER BY 1"
            )
            assert [name for (name,) in tables(session, query)[0].rows] == [
                "flyway_schema_history",
                "flyway_schema_history_pk",
                "flyway_schema_history_s_idx",
            ]
        finally:
            run(session, "DROP TABLE IF EXISTS flyway_schema_history")
            admin.execute(sql.SQL("DROP TABLESPACE {}").format(space))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW flyway_schema_history AS SELECT 1",
        "CREATE TABLE flyway_schema_history (i int) PARTITION BY LIST (i)",
        "CREATE TABLE flyway_schema_history_pk ()",
        "CREATE SEQUENCE flyway_schema_history",
    ],
)
def test_something_else_of_that_name_is_left_alone_and_named(
    session: PostgresSession, table: HistoryTable, statement: str
) -> None:
    run(session, statement)
    assert not session.look(["public"], table).history_exists
    with pytest.raises(errors.HistoryUnreadable, match="already exists") as caught:
        make_history(session, table)
    assert "'table'" in (caught.value.hint or "")
    assert not session.in_transaction


# --- looking and reading at once ---


def test_what_is_there_is_seen_with_its_rows_however_often_one_looks(
    session: PostgresSession, table: HistoryTable
) -> None:
    assert session.look_and_read(["public"], table) == (session.look(["public"], table), [])
    make_history(session, table, history_row(1))
    session.record(table, history_row(2), only_with_lock=False)
    for _ in range(2):
        facts, rows = session.look_and_read(["public", "none"], table)
        assert (facts, rows) == (session.look(["public", "none"], table), session.history_rows(table))
        assert facts.history_exists
        assert [row.installed_rank for row in rows] == [1, 2]


def test_a_history_that_somebody_has_dropped_meanwhile_is_not_there(
    session: PostgresSession, database: Database, table: HistoryTable
) -> None:
    make_history(session, table, history_row(1))
    with database.connect(autocommit=True) as other:
        other.execute("DROP TABLE flyway_schema_history")
    facts, rows = session.look_and_read(["public"], table)
    assert (facts.history_exists, rows, session.in_transaction) == (False, [], False)


# --- locking and looking at once ---


def test_with_the_lock_one_sees_what_is_there_with_its_rows_however_often(
    session: PostgresSession, table: HistoryTable
) -> None:
    assert session.lock_and_look(["public"], table) == (session.look(["public"], table), [])
    make_history(session, table, history_row(1))
    for _ in range(2):
        seen = session.lock_and_look(["public", "none"], table)
        assert seen == (session.look(["public", "none"], table), session.history_rows(table))
    assert session.lock_holder(table)
    session.unlock(table)
    assert session.lock_holder(table) is None


def test_without_the_lock_nothing_is_told_and_nothing_stays_open(
    session: PostgresSession, database: Database, table: HistoryTable
) -> None:
    with database.connect(autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [lock_number(table)])
        assert session.lock_and_look(["public"], table) is None
    assert not session.in_transaction


def test_with_the_lock_a_history_that_was_dropped_meanwhile_is_not_there(
    session: PostgresSession, database: Database, table: HistoryTable
) -> None:
    make_history(session, table, history_row(1))
    with database.connect(autocommit=True) as other:
        other.execute("DROP TABLE flyway_schema_history")
    seen = session.lock_and_look(["public"], table)
    assert seen == (session.look(["public"], table), [])
    assert session.lock_holder(table)
    session.unlock(table)
    assert session.lock_holder(table) is None


def test_a_look_that_fails_gives_the_lock_back(
    session: PostgresSession, database: Database, table: HistoryTable
) -> None:
    make_history(session, table, history_row(1))
    with database.connect(autocommit=True) as other:
        other.execute("ALTER TABLE flyway_schema_history DROP COLUMN checksum")
    with pytest.raises(errors.HistoryUnreadable, match="Reading the schema history"):
        session.lock_and_look(["public"], table)
    assert session.lock_holder(table) is None


# --- repair ---


def test_a_repair_changes_the_rows_of_its_plan_and_no_others(
    session: PostgresSession, table: HistoryTable
) -> None:
    failed = {"success": False}
    rows = [history_row(1), history_row(2, "2", **failed), history_row(3, "2"), history_row(4, "3", **failed)]
    make_history(session, table, *rows)
    before = session.history_rows(table)
    first, second, _, fourth = before
    aligned = replace(first, description="it's", checksum=None, type=MigrationType.SCRIPT)
    marker = history_row(5, "3", type=MigrationType.DELETE, execution_time_ms=0, **failed)
    run(session, "SET TimeZone = 'Asia/Tokyo'")

    session.repair_history(
        table,
        RepairPlan(
            removals=(second,),
            deletions=(Deletion(before=fourth, marker=marker),),
            alignments=(Alignment(before=first, after=aligned),),
        ),
    )

    after = session.history_rows(table)
    assert after[:3] == [aligned, before[2], fourth]
    assert [(row.installed_rank, row.type, row.success) for row in after[3:]] == [(5, MigrationType.DELETE, False)]
    assert abs((after[3].installed_on - first.installed_on).total_seconds()) < 60
    assert not session.in_transaction


def test_a_repair_that_fails_changes_nothing(session: PostgresSession, table: HistoryTable) -> None:
    make_history(session, table, history_row(1, success=False))
    [row] = session.history_rows(table)
    deletion = Deletion(before=row, marker=history_row(2, description="d" * 201))
    with pytest.raises(errors.DatabaseError, match="Repairing the schema history"):
        session.repair_history(table, RepairPlan(removals=(row,), deletions=(deletion,)))
    assert session.history_rows(table) == [row]
    assert not session.in_transaction


def test_a_row_that_has_succeeded_meanwhile_is_not_removed(session: PostgresSession, table: HistoryTable) -> None:
    make_history(session, table, history_row(1))
    stale = AppliedMigration(
        installed_rank=1,
        version=MigrationVersion("1"),
        description="d",
        type=MigrationType.SQL,
        script="s.sql",
        checksum=1,
        installed_by="me",
        installed_on=datetime(2020, 1, 1),  # noqa: DTZ001 - naive, as the table has it
        execution_time_ms=1,
        success=False,
    )
    session.repair_history(table, RepairPlan(removals=(stale,)))
    assert len(session.history_rows(table)) == 1


def test_a_session_that_is_gone_says_so_and_cannot_be_rolled_back(
    session: PostgresSession, database: Database, table: HistoryTable
) -> None:
    session.begin()
    with database.server.admin(database.name) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'taxiway'")
    with pytest.raises(errors.ConnectionLost):
        session.clean_schema("public", table)
    with pytest.raises(errors.ConnectionLost):
        session.repair_history(table, RepairPlan())
    session.rollback()
    session.unlock(table)


def test_psycopg_never_goes_along_as_the_cause(session: PostgresSession) -> None:
    with pytest.raises(errors.StatementFailed) as caught:
        run(session, "SELECT 'hunter2' FROM nowhere")
    assert caught.value.__context__ is None
    assert not isinstance(caught.value, psycopg.Error)
