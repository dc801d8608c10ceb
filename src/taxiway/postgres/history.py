"""SQL of the schema history table. It is Flyway's, to the byte: either tool can take over from the other."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from taxiway import errors
from taxiway.model.migration import AppliedMigration, HistoryRow, MigrationType
from taxiway.model.version import MigrationVersion
from taxiway.planning.history import BEGUN
from taxiway.postgres.sql import Sql, fill, identifier, join, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taxiway.engine.ports import HistoryTable
    from taxiway.model.plan import RepairPlan

# Values that older versions of Flyway wrote.
_LEGACY_TYPES: Final = {
    "SPRING_JDBC": MigrationType.JDBC,
    "SQL_STATE_SCRIPT": MigrationType.SQL_BASELINE,
    "JDBC_STATE_SCRIPT": MigrationType.JDBC_BASELINE,
    "UNDO_SPRING_JDBC": MigrationType.UNDO_JDBC,
}

_CREATE_TABLE: Final = """
CREATE TABLE {table} (
    "installed_rank" INT NOT NULL,
    "version" VARCHAR(50),
    "description" VARCHAR(200) NOT NULL,
    "type" VARCHAR(20) NOT NULL,
    "script" VARCHAR(1000) NOT NULL,
    "checksum" INTEGER,
    "installed_by" VARCHAR(100) NOT NULL,
    "installed_on" TIMESTAMP NOT NULL DEFAULT now(),
    "execution_time" INTEGER NOT NULL,
    "success" BOOLEAN NOT NULL
){tablespace};
ALTER TABLE {table} ADD CONSTRAINT {primary_key} PRIMARY KEY ("installed_rank"){index_tablespace};
CREATE INDEX {index} ON {table} ("success"){tablespace};
"""

_INSERT: Final = """
INSERT INTO {table} ("installed_rank", "version", "description", "type", "script", "checksum",
                     "installed_by", "execution_time", "success")
VALUES ({values})
"""
# What the server has spent on the script so far, in whole milliseconds; on the transaction, where the script has
# reset all settings
_MEASURED: Final = """
((extract(epoch FROM pg_catalog.clock_timestamp()) - coalesce(
    nullif(pg_catalog.current_setting('taxiway.began', true), '')::numeric,
    extract(epoch FROM pg_catalog.transaction_timestamp()))) * 1000)::int
"""

# A row that somebody has removed meanwhile is written again.
_END_BEGUN: Final = """
ON CONFLICT ("installed_rank")
DO UPDATE SET "execution_time" = EXCLUDED."execution_time", "success" = EXCLUDED."success";
"""
_REMOVE_BEGUN: Final = """
DELETE FROM {table} WHERE "installed_rank" = {rank} AND NOT "success" AND "execution_time" = {begun};
"""

_SELECT: Final = """
SELECT "installed_rank", "version", "description", "type", "script", "checksum",
       "installed_by", pg_catalog.to_char("installed_on", 'YYYY-MM-DD"T"HH24:MI:SS.US'),
       "execution_time", "success"
FROM {table} ORDER BY "installed_rank"
"""


# A row that somebody has repaired by hand since it was read is none of the failed ones any more.
_DELETE_FAILED: Final = """
DELETE FROM {table} WHERE "installed_rank" = {rank} AND NOT "success";
"""

_ALIGN: Final = """
UPDATE {table} SET "description" = {description}, "type" = {type}, "checksum" = {checksum}
WHERE "installed_rank" = {rank};
"""


def create_table(table: HistoryTable, *, tablespace: str | None = None) -> Sql:
    """Statements that create the table, its primary key and its index, all in the tablespace if one is given."""
    place = fill(" TABLESPACE {name}", name=identifier(tablespace)) if tablespace else Sql()
    return fill(
        _CREATE_TABLE,
        table=_identifier(table),
        primary_key=identifier(f"{table.name}_pk"),
        index=identifier(f"{table.name}_s_idx"),
        tablespace=place,
        index_tablespace=fill(" USING INDEX{place}", place=place) if tablespace else place,
    )


def insert_row(table: HistoryTable, row: HistoryRow) -> Sql:
    """The statement that adds a row, with its values as literals: it travels in one message with COMMIT."""
    return join([_insert(table, row, execution_time=literal(row.execution_time_ms)), Sql(";")])


def end_begun(table: HistoryTable, row: HistoryRow) -> Sql:
    """The statement that makes the row of a migration that was begun the row of one that has ended."""
    return join([_insert(table, row, execution_time=literal(row.execution_time_ms)), Sql(_END_BEGUN)])


def remove_begun(table: HistoryTable, rank: int) -> Sql:
    """The statement that removes the row of a migration that was begun and has not run anything."""
    return fill(_REMOVE_BEGUN, table=_identifier(table), rank=literal(rank), begun=literal(BEGUN))


def insert_measured_row(table: HistoryTable, row: HistoryRow) -> Sql:
    """The statement that adds a row with the time that its script has taken, and returns that time."""
    return join([_insert(table, row, execution_time=Sql(_MEASURED)), Sql('RETURNING "execution_time"')])


def _insert(table: HistoryTable, row: HistoryRow, *, execution_time: Sql) -> Sql:
    values = (
        literal(row.installed_rank),
        literal(row.version),
        literal(row.description),
        literal(row.type.value),
        literal(row.script),
        literal(row.checksum),
        literal(row.installed_by),
        execution_time,
        literal(row.success),
    )
    return fill(_INSERT, table=_identifier(table), values=join(values, ", "))


def repair(table: HistoryTable, plan: RepairPlan) -> Sql:
    """Statements that carry out a plan, row by row as the plan has them.

    Flyway 13 removes failed rows by version, or by description; a rank is one row and no other.
    """
    name = _identifier(table)
    removals = (fill(_DELETE_FAILED, table=name, rank=literal(row.installed_rank)) for row in plan.removals)
    markers = (insert_row(table, deletion.marker) for deletion in plan.deletions)
    alignments = (_align(name, alignment.after) for alignment in plan.alignments)
    return join([*removals, *markers, *alignments])


def _align(name: Sql, row: AppliedMigration) -> Sql:
    return fill(
        _ALIGN,
        table=name,
        rank=literal(row.installed_rank),
        description=literal(row.description),
        type=literal(row.type.value),
        checksum=literal(row.checksum),
    )


def select_rows(table: HistoryTable) -> Sql:
    """The query for all rows, by rank; :func:`applied_migration` reads one."""
    return fill(_SELECT, table=_identifier(table))


def applied_migration(row: Sequence[str | None]) -> AppliedMigration:
    """A row of :func:`select_rows`, as the server wrote it, as a value.

    Raises:
        HistoryUnreadable: The type or the version is not one that Flyway writes.
    """
    rank, version, description, type_text, script, checksum, installed_by, installed_on, duration, success = row
    return AppliedMigration(
        installed_rank=int(rank or 0),
        version=None if version is None else _version(version, rank),
        description=description or "",
        type=_type(type_text or "", rank),
        script=script or "",
        checksum=None if checksum is None else int(checksum),
        installed_by=installed_by or "",
        installed_on=datetime.fromisoformat(installed_on or ""),
        execution_time_ms=int(duration or 0),
        success=success == "t",
    )


def _identifier(table: HistoryTable) -> Sql:
    return identifier(table.schema, table.name)


def _version(text: str, rank: str | None) -> MigrationVersion:
    try:
        return MigrationVersion(text)
    except ValueError as error:
        raise errors.HistoryUnreadable(
            f"The schema history row with rank {rank} has the version '{text}', which is not one.",
            hint="Look at that row; only Flyway or Taxiway should write to this table.",
        ) from error


def _type(text: str, rank: str | None) -> MigrationType:
    legacy = _LEGACY_TYPES.get(text)
    if legacy:
        return legacy
    try:
        return MigrationType(text)
    except ValueError as error:
        raise errors.HistoryUnreadable(
            f"The schema history row with rank {rank} has the unknown type '{text}'.",
            hint="It was written by a newer version of Flyway or by another tool; use that one.",
        ) from error
