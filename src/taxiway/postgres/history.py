"""SQL of the schema history table. It is Flyway's, to the byte: either tool can take over from the other."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import sql

from taxiway import errors
from taxiway.engine.ports import HistoryTable
from taxiway.model.migration import AppliedMigration, HistoryRow, MigrationType
from taxiway.model.plan import RepairPlan
from taxiway.model.version import MigrationVersion

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
VALUES ({values});
"""

_SELECT: Final = """
SELECT "installed_rank", "version", "description", "type", "script", "checksum",
       "installed_by", "installed_on", "execution_time", "success"
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


def create_table(table: HistoryTable, *, tablespace: str | None = None) -> sql.Composed:
    """Statements that create the table, its primary key and its index, all in the tablespace if one is given."""
    place = sql.SQL(" TABLESPACE {}").format(sql.Identifier(tablespace)) if tablespace else sql.SQL("")
    return sql.SQL(_CREATE_TABLE).format(
        table=_identifier(table),
        primary_key=sql.Identifier(f"{table.name}_pk"),
        index=sql.Identifier(f"{table.name}_s_idx"),
        tablespace=place,
        index_tablespace=sql.SQL(" USING INDEX{}").format(place) if tablespace else place,
    )


def insert_row(table: HistoryTable, row: HistoryRow) -> sql.Composed:
    """The statement that adds a row, with its values as literals: it travels in one message with COMMIT."""
    values: Sequence[Any] = (
        row.installed_rank,
        row.version,
        row.description,
        row.type.value,
        row.script,
        row.checksum,
        row.installed_by,
        row.execution_time_ms,
        row.success,
    )
    return sql.SQL(_INSERT).format(table=_identifier(table), values=sql.SQL(", ").join(map(sql.Literal, values)))


def repair(table: HistoryTable, plan: RepairPlan) -> sql.Composed:
    """Statements that carry out a plan, row by row as the plan has them.

    Flyway 13 removes failed rows by version, or by description; a rank is one row and no other.
    """
    name = _identifier(table)
    removals = (
        sql.SQL(_DELETE_FAILED).format(table=name, rank=sql.Literal(row.installed_rank)) for row in plan.removals
    )
    markers = (insert_row(table, deletion.marker) for deletion in plan.deletions)
    alignments = (_align(name, alignment.after) for alignment in plan.alignments)
    return sql.SQL("").join([*removals, *markers, *alignments])


def _align(name: sql.Identifier, row: AppliedMigration) -> sql.Composed:
    return sql.SQL(_ALIGN).format(
        table=name,
        rank=sql.Literal(row.installed_rank),
        description=sql.Literal(row.description),
        type=sql.Literal(row.type.value),
        checksum=sql.Literal(row.checksum),
    )


def select_rows(table: HistoryTable) -> sql.Composed:
    """The query for all rows, by rank; :func:`applied_migration` reads one."""
    return sql.SQL(_SELECT).format(table=_identifier(table))


def applied_migration(row: Sequence[Any]) -> AppliedMigration:
    """A row of :func:`select_rows` as a value.

    Raises:
        HistoryUnreadable: The type or the version is not one that Flyway writes.
    """
    rank, version, description, type_text, script, checksum, installed_by, installed_on, duration, success = row
    return AppliedMigration(
        installed_rank=rank,
        version=None if version is None else _version(version, rank),
        description=description,
        type=_type(type_text, rank),
        script=script,
        checksum=checksum,
        installed_by=installed_by,
        installed_on=installed_on,
        execution_time_ms=duration,
        success=success,
    )


def _identifier(table: HistoryTable) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)


def _version(text: str, rank: int) -> MigrationVersion:
    try:
        return MigrationVersion(text)
    except ValueError as error:
        raise errors.HistoryUnreadable(
            f"The schema history row with rank {rank} has the version '{text}', which is not one.",
            hint="Look at that row; only Flyway or Taxiway should write to this table.",
        ) from error


def _type(text: str, rank: int) -> MigrationType:
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
