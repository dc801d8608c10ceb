"""The run ledger in a schema of its own: its tables, and the statements that write them.

A transaction is told by the lower 32 bits of its number, as the catalogs have it in ``xmin``. That of a migration
is the one that wrote its row of the schema history; nothing has to be asked for it while migrations run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from taxiway import errors
from taxiway.model.identifier import quote_identifier
from taxiway.planning.history import history_script
from taxiway.postgres.catalog import OBJECTS, PARTS
from taxiway.postgres.sql import Sql, array, fill, identifier, join, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taxiway.engine.ports import HistoryTable
    from taxiway.model.ledger import MigrationRecord, RunOrigin, RunRecord
    from taxiway.postgres.session import PostgresSession

_MISSING: Final = frozenset({"42P01", "3F000"})
# Two runs that create the tables at the same time; the number means nothing else.
_CREATION_LOCK: Final = 7_104_822_310_946
_HISTORY_OF_ITS_OWN: Final = (
    "SET LOCAL search_path = ''; SET LOCAL client_min_messages = error;"
    " SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '15s';"
)

_CREATE: Final = """
SELECT pg_catalog.pg_advisory_xact_lock({lock});
{create_schema}
CREATE TABLE IF NOT EXISTS {schema}.run (
    id uuid PRIMARY KEY,
    started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    ended timestamptz,
    result text NOT NULL CHECK (result IN ('running', 'succeeded', 'failed', 'terminated', 'unknown')),
    error_code text,
    command text NOT NULL,
    taxiway_version text NOT NULL,
    repository text,
    branch text,
    commit text,
    actor text,
    database_user text NOT NULL,
    task_arn text,
    image_digest text,
    history_table text NOT NULL,
    statements_left_out integer NOT NULL DEFAULT 0,
    process_id integer NOT NULL,
    first_xid bigint NOT NULL,
    last_xid bigint,
    catalog_mark text NOT NULL
);
CREATE TABLE IF NOT EXISTS {schema}.migration (
    run_id uuid NOT NULL REFERENCES {schema}.run ON DELETE CASCADE,
    position integer NOT NULL,
    installed_rank integer,
    version text,
    description text NOT NULL,
    type text NOT NULL,
    script text NOT NULL,
    checksum integer,
    transactional boolean NOT NULL,
    result text NOT NULL CHECK (result IN ('succeeded', 'failed', 'unknown')),
    duration_ms integer,
    statements integer NOT NULL,
    xid bigint,
    PRIMARY KEY (run_id, position)
);
CREATE TABLE IF NOT EXISTS {schema}.statement (
    run_id uuid NOT NULL REFERENCES {schema}.run ON DELETE CASCADE,
    position integer NOT NULL,
    script text NOT NULL,
    line integer NOT NULL,
    duration_ms integer NOT NULL,
    command text NOT NULL,
    rows bigint,
    PRIMARY KEY (run_id, position)
);
CREATE TABLE IF NOT EXISTS {schema}.object (
    run_id uuid NOT NULL REFERENCES {schema}.run ON DELETE CASCADE,
    kind text NOT NULL,
    object_id oid NOT NULL,
    column_number integer NOT NULL,
    schema_name text NOT NULL,
    name text NOT NULL,
    part text,
    xid bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS object_object_id_idx ON {schema}.object (object_id);
CREATE INDEX IF NOT EXISTS object_name_idx ON {schema}.object (schema_name, name);
"""

# Says which catalog it is: a dump that is restored, and an upgrade, make the table anew, with other numbers.
CATALOG_MARK: Final = """
(SELECT a.attrelid::text || '/' || a.xmin::text FROM pg_catalog.pg_attribute a
 WHERE a.attrelid = {run}::pg_catalog.regclass AND a.attnum = -6)
"""
_XID: Final = "(pg_catalog.pg_current_xact_id()::text::numeric % 4294967296)::bigint"

_BEGIN: Final = """
UPDATE {schema}.run SET result = 'unknown' WHERE result = 'running'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.pid = run.process_id);
INSERT INTO {schema}.run (id, result, command, taxiway_version, repository, branch, commit, actor, database_user,
                          task_arn, image_digest, history_table, process_id, first_xid, catalog_mark)
VALUES ({values}, {xid}, {mark});
"""

# The latest row of each script that this run has written
_MIGRATIONS: Final = """
INSERT INTO {schema}.migration (run_id, position, installed_rank, version, description, type, script, checksum,
                                transactional, result, duration_ms, statements, xid)
SELECT {run_id}, v.position, h.installed_rank, v.version, v.description, v.type, v.script, v.checksum::int,
       v.transactional, v.result, v.duration_ms::int, v.statements, h.writer
FROM (VALUES {rows}) v (position, version, description, type, script, history_script, checksum, transactional,
                        result, duration_ms, statements)
LEFT JOIN (SELECT DISTINCT ON (script) script, installed_rank, xmin::text::bigint AS writer
           FROM {history} WHERE pg_catalog.age(xmin) BETWEEN 0 AND {age}
           ORDER BY script, installed_rank DESC) h ON h.script = v.history_script;
"""
_STATEMENTS: Final = """
INSERT INTO {schema}.statement (run_id, position, script, line, duration_ms, command, rows)
SELECT {run_id}, v.position, v.script, v.line, v.duration_ms, v.command, v.rows::bigint
FROM (VALUES {rows}) v (position, script, line, duration_ms, command, rows);
"""
_OBJECTS: Final = """
INSERT INTO {schema}.object (run_id, kind, object_id, column_number, schema_name, name, part, xid)
SELECT {run_id}, p.kind, p.object_id, p.column_number, o.schema_name, o.name, p.part, p.writer::text::bigint
FROM ({parts}) p JOIN ({objects}) o ON o.object_id = p.object_id
  AND o.family = CASE WHEN p.kind IN ('function', 'type', 'schema') THEN p.kind ELSE 'relation' END
WHERE pg_catalog.age(p.writer) BETWEEN 0 AND {age}
  AND o.schema_name NOT IN ('pg_catalog', 'information_schema', {ledger_schema})
  AND NOT pg_catalog.starts_with(o.schema_name, 'pg_toast')
  AND NOT pg_catalog.starts_with(o.schema_name, 'pg_temp_')
  AND NOT (o.schema_name = {history_schema} AND o.name = ANY({history_names}));
"""
_AGE: Final = "(SELECT pg_catalog.age(first_xid::text::pg_catalog.xid) FROM {schema}.run WHERE id = {run_id})"
_END: Final = """
UPDATE {schema}.run SET ended = pg_catalog.clock_timestamp(), result = {result}, error_code = {error_code},
       statements_left_out = {left_out}, last_xid = {xid} WHERE id = {run_id};
"""


class PostgresLedger:
    """The ledger of a database, written on the session that the migrations run on."""

    def __init__(self, session: PostgresSession, schema: str) -> None:
        self._session, self._schema = session, schema

    def begin(self, origin: RunOrigin, table: HistoryTable) -> None:
        """Record a run that begins now. The first one creates the tables.

        Raises:
            PermissionDenied: Not without a GRANT, which the hint names.
            TaxiwayError: The server refused for another reason; nothing was changed.
        """
        begin = self._begin(origin, table)
        try:
            try:
                self._write(begin)
            except errors.DatabaseError as error:
                if error.sqlstate not in _MISSING:
                    raise
                self._create()
                self._write(begin)
        except errors.PermissionDenied as error:
            error.hint = self._needed_grant()
            raise

    def end(self, run_id: str, table: HistoryTable, record: RunRecord) -> None:
        """Record how a run ended. Raises as :meth:`begin`."""
        self._write(join(self._end(run_id, table, record)))

    def _write(self, statements: Sql) -> None:
        self._session.do_beside(
            join([Sql(_HISTORY_OF_ITS_OWN), statements]),
            doing=f"Writing to the ledger in schema {quote_identifier(self._schema)}",
        )

    def _create(self) -> None:
        # Not IF NOT EXISTS: that wants the right to create a schema even where there is one.
        create = Sql() if self._exists() else fill("CREATE SCHEMA {name};", name=identifier(self._schema))
        schema, lock = identifier(self._schema), literal(_CREATION_LOCK)
        try:
            self._write(fill(_CREATE, lock=lock, create_schema=create, schema=schema))
        except errors.DatabaseError:
            if create and self._exists():  # by another run, just now
                self._write(fill(_CREATE, lock=lock, create_schema=Sql(), schema=schema))
            else:
                raise

    def _exists(self) -> bool:
        query = fill("SELECT FROM pg_catalog.pg_namespace WHERE nspname = {name};", name=literal(self._schema))
        return bool(self._session.do_beside(query, doing="Looking for the ledger"))

    def _needed_grant(self) -> str:
        user, schema = quote_identifier(self._session.facts.user), quote_identifier(self._schema)
        if not self._exists():
            database = quote_identifier(self._session.facts.database)
            statement = f"GRANT CREATE ON DATABASE {database} TO {user};"
        else:
            statement = (
                f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {user}; "
                f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {schema} TO {user};"
            )
        return f"Run this as the owner, or set ledger.enabled = false: {statement}"

    def _begin(self, origin: RunOrigin, table: HistoryTable) -> Sql:
        facts = self._session.facts
        values = (
            origin.run_id,
            "running",
            origin.command,
            origin.version,
            origin.repository,
            origin.branch,
            origin.commit,
            origin.actor,
            facts.user,
            origin.task_arn,
            origin.image_digest,
            str(table),
            facts.process_id,
        )
        schema = identifier(self._schema)
        return fill(
            _BEGIN,
            schema=schema,
            values=join(map(literal, values), ", "),
            xid=Sql(_XID),
            mark=catalog_mark(self._schema),
        )

    def _end(self, run_id: str, table: HistoryTable, record: RunRecord) -> list[Sql]:
        schema, run, ours = identifier(self._schema), _uuid(run_id), literal(self._schema)
        age = fill(_AGE, schema=schema, run_id=run)
        parts = []
        if record.migrations:
            rows = _rows([_migration_values(one, record) for one in record.migrations])
            history = identifier(table.schema, table.name)
            parts.append(fill(_MIGRATIONS, schema=schema, run_id=run, rows=rows, history=history, age=age))
        if record.statements:
            rows = _rows([(*one, one.rows) for one in record.statements])
            parts.append(fill(_STATEMENTS, schema=schema, run_id=run, rows=rows))
        if record.migrations or record.statements:
            parts.append(
                fill(
                    _OBJECTS,
                    schema=schema,
                    run_id=run,
                    parts=Sql(PARTS),
                    objects=Sql(OBJECTS),
                    age=age,
                    ledger_schema=ours,
                    history_schema=literal(table.schema),
                    history_names=array([table.name, f"{table.name}_pk", f"{table.name}_s_idx"]),
                )
            )
        parts.append(
            fill(
                _END,
                schema=schema,
                run_id=run,
                result=literal(record.outcome.value),
                error_code=literal(record.error_code),
                left_out=literal(record.statements_left_out),
                xid=Sql(_XID),
            )
        )
        return parts


def catalog_mark(schema: str) -> Sql:
    """The expression for what tells this catalog from a copy of it."""
    return fill(CATALOG_MARK, run=literal(f"{quote_identifier(schema)}.run"))


def _uuid(run_id: str) -> Sql:
    return fill("{id}::uuid", id=literal(run_id))


def _migration_values(one: MigrationRecord, record: RunRecord) -> tuple[str | int | None, ...]:
    migration = one.migration
    unfinished = "unknown" if record.outcome.value == "unknown" else "failed"
    return (
        migration.version.text if migration.version is not None else None,
        migration.description,
        migration.type.value,
        migration.script,
        history_script(migration.script),
        migration.checksum,
        one.transactional,
        unfinished if one.duration_ms is None else "succeeded",
        one.duration_ms,
        one.statements,
    )


def _rows(rows: Sequence[tuple[str | int | None, ...]]) -> Sql:
    """For VALUES, each with its number in front."""
    numbered = (join(map(literal, (number, *row)), ", ") for number, row in enumerate(rows, start=1))
    return join((fill("({row})", row=row) for row in numbered), ", ")
