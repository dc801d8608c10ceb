"""What catalogs, ledger and history say of an object: :class:`taxiway.engine.why.Records` on a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from taxiway.model.why import Applied, FoundObject, ObjectName, Run, Trace
from taxiway.postgres.catalog import OBJECTS, PARTS
from taxiway.postgres.ledger import catalog_mark
from taxiway.postgres.sql import Sql, array, fill, identifier, join, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taxiway.engine.ports import HistoryTable
    from taxiway.postgres.exchange import Row
    from taxiway.postgres.session import PostgresSession

_DOING: Final = "Asking where an object comes from"
_SORTS: Final = {
    "r": "table",
    "p": "table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "S": "sequence",
    "i": "index",
    "I": "index",
    "c": "type",
}

_FIND: Final = """
SELECT o.object_id, o.schema_name, o.name, o.sort, o.family, coalesce(a.attnum, 0), a.attname
FROM (VALUES {wanted}) w (schema_name, name, column_name)
JOIN ({objects}) o ON o.name = w.name AND o.schema_name = coalesce(w.schema_name, o.schema_name)
LEFT JOIN pg_catalog.pg_attribute a ON o.family = 'relation' AND a.attrelid = o.object_id
  AND a.attname = w.column_name AND a.attnum > 0 AND NOT a.attisdropped
WHERE (w.column_name IS NULL OR a.attnum IS NOT NULL)
  AND o.schema_name NOT IN ('pg_catalog', 'information_schema') AND o.schema_name NOT LIKE 'pg@_toast%' ESCAPE '@'
ORDER BY o.schema_name, o.family, o.object_id;
"""
_HAS_LEDGER: Final = """
SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = {schema} AND c.relname = 'object' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND pg_catalog.has_table_privilege(c.oid, 'SELECT');
"""
# Those that were once recorded and are not found any more
_FIND_GONE: Final = """
SELECT DISTINCT ON (o.schema_name, o.name, column_name) o.object_id, o.schema_name, o.name,
       'relation', CASE WHEN o.kind IN ('function', 'type', 'schema') THEN o.kind ELSE 'relation' END,
       CASE WHEN w.column_name IS NULL THEN 0 ELSE o.column_number END, w.column_name
FROM (VALUES {wanted}) w (schema_name, name, column_name)
JOIN {schema}.object o ON o.name = w.name AND o.schema_name = coalesce(w.schema_name, o.schema_name)
  AND (w.column_name IS NULL AND o.kind IN ('creation', 'relation', 'function', 'type', 'schema')
       OR o.kind = 'column' AND o.part = w.column_name)
ORDER BY o.schema_name, o.name, column_name, o.run_id DESC;
"""
_NAMES: Final = """
SELECT o.name, o.schema_name FROM ({objects}) o
WHERE o.schema_name NOT IN ('pg_catalog', 'information_schema', {ledger}) AND o.sort NOT IN ('i', 'I')
  AND o.schema_name NOT LIKE 'pg@_%' ESCAPE '@';
"""
_COLUMNS: Final = """
SELECT DISTINCT a.attname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
WHERE c.relname = ANY({names}) AND a.attnum > 0 AND NOT a.attisdropped;
"""
_TRACES: Final = """
SELECT p.kind, p.part, p.writer::text, pg_catalog.age(p.writer)::text FROM ({parts}) p
WHERE p.object_id = {object_id} AND ({column} = 0 OR p.column_number = {column})
  AND CASE WHEN p.kind IN ('function', 'type', 'schema') THEN p.kind ELSE 'relation' END = {family};
"""
_IS_OF_COPY: Final = "(r.catalog_mark <> {mark} OR o.xmin::text::bigint IS DISTINCT FROM r.last_xid)"
_RECORDED: Final = """
SELECT o.kind, o.part, o.xid::text, pg_catalog.age(o.xid::text::pg_catalog.xid)::text, r.id::text, {is_of_copy}
FROM {schema}.object o JOIN {schema}.run r ON r.id = o.run_id
WHERE CASE WHEN o.kind IN ('function', 'type', 'schema') THEN o.kind ELSE 'relation' END = {family}
  AND CASE WHEN {is_of_copy} THEN o.schema_name = {schema_name} AND o.name = {name}
             AND ({column} = 0 OR o.kind = 'column' AND o.part = {column_name})
           ELSE o.object_id = {object_id} AND ({column} = 0 OR o.column_number = {column}) END;
"""
_RUNS: Final = """
SELECT r.id::text, r.first_xid::text, r.last_xid::text, r.catalog_mark <> {mark}, r.started::timestamptz(0)::text,
       r.command, r.repository, r.branch, r.commit, r.actor, r.database_user
FROM {schema}.run r
WHERE r.id::text = ANY({run_ids}) OR r.catalog_mark = {mark} AND EXISTS (
  SELECT FROM pg_catalog.unnest({xids}) x WHERE ((x::bigint - r.first_xid) & 4294967295)
    <= ((r.last_xid - r.first_xid) & 4294967295));
"""
_APPLIED: Final = """
SELECT m.version, m.description, m.script, m.xid::text, m.transactional, m.run_id::text
FROM {schema}.migration m WHERE m.run_id::text = ANY({run_ids}) AND m.xid IS NOT NULL;
"""
# Rows that are as old as their table came with it, from a dump that was restored in one transaction.
_HISTORY: Final = """
SELECT h.version, h.description, h.script, h.xmin::text, true, NULL,
       h.installed_on::timestamp(0)::text, h.installed_by
FROM {history} h
WHERE h.xmin::text = ANY({xids}) AND h.success AND h.type NOT IN ('SCHEMA', 'BASELINE', 'DELETE')
  AND h.xmin <> (SELECT xmin FROM pg_catalog.pg_attribute WHERE attrelid = h.tableoid AND attnum = -6);
"""


class PostgresRecords:
    """The records of a database. Everything is read as the connect-time role."""

    def __init__(
        self, session: PostgresSession, *, ledger_schema: str, table: HistoryTable, has_history: bool
    ) -> None:
        self._session, self._schema, self._table = session, ledger_schema, table
        self._has_history = has_history
        self._has_ledger = bool(self._read(fill(_HAS_LEDGER, schema=literal(ledger_schema))))

    def find(self, name: ObjectName) -> list[FoundObject]:
        """Every object of that name; if there is none, those that the ledger remembers."""
        wanted = _wanted(name)
        rows = self._read(fill(_FIND, wanted=wanted, objects=Sql(OBJECTS)))
        if rows or not self._has_ledger:
            return [_found(row) for row in rows]
        rows = self._read(fill(_FIND_GONE, wanted=wanted, schema=identifier(self._schema)))
        return [_found(row)._replace(is_gone=True, sort="object") for row in rows]

    def names(self, parts: Sequence[str]) -> list[str]:
        """Names that could have been meant: of objects, and of columns of those that these words name."""
        objects = self._read(fill(_NAMES, objects=Sql(OBJECTS), ledger=literal(self._schema)))
        names = [text for name, schema in objects for text in (name or "", f"{schema}.{name}")]
        columns = self._read(fill(_COLUMNS, names=array(parts)))
        tables = [part for part in parts if part in names]
        return [*names, *(f"{table}.{column}" for table in tables for (column,) in columns)]

    def traces(self, found: FoundObject) -> list[Trace]:
        """The rows of the catalogs that belong to it, those of today and those that the ledger has recorded."""
        values = {
            "object_id": literal(found.object_id),
            "column": literal(found.column_number),
            "family": literal(found.family),
        }
        traces = [
            Trace(kind or "", part, int(xid or 0), int(age or 0))
            for kind, part, xid, age in self._read(fill(_TRACES, parts=Sql(PARTS), **values))
        ]
        if not self._has_ledger:
            return traces
        recorded = self._read(
            fill(
                _RECORDED,
                schema=identifier(self._schema),
                is_of_copy=fill(_IS_OF_COPY, mark=catalog_mark(self._schema)),
                schema_name=literal(found.schema),
                name=literal(found.name),
                column_name=literal(found.column),
                **values,
            )
        )
        return traces + [
            Trace(kind or "", part, int(xid or 0), int(age or 0), run_id, copy == "t")
            for kind, part, xid, age, run_id, copy in recorded
        ]

    def writers(self, traces: Sequence[Trace]) -> tuple[list[Applied], list[Run]]:
        """The migrations and runs that may have written these."""
        xids = array(sorted({str(trace.xid) for trace in traces}))
        applied: list[Applied] = []
        if self._has_history:
            history = identifier(self._table.schema, self._table.name)
            applied = [_applied(row) for row in self._read(fill(_HISTORY, history=history, xids=xids))]
        if not self._has_ledger:
            return applied, []
        schema, mark = identifier(self._schema), catalog_mark(self._schema)
        run_ids = array(sorted({trace.run_id for trace in traces if trace.run_id}))
        runs = [_run(row) for row in self._read(fill(_RUNS, schema=schema, mark=mark, run_ids=run_ids, xids=xids))]
        run_ids = array(run.run_id for run in runs)
        of_runs = self._read(fill(_APPLIED, schema=schema, run_ids=run_ids))
        return [*applied, *(_applied((*row, None, None)) for row in of_runs)], runs

    def _read(self, query: Sql) -> list[Row]:
        return self._session.do_beside(query, doing=_DOING)


def _wanted(name: ObjectName) -> Sql:
    """What a name may mean, as rows of schema, name and column."""
    parts = name.parts
    meanings: list[tuple[str | None, str, str | None]]
    match parts:
        case (one,):
            meanings = [(None, one, None)]
        case (one, two):
            meanings = [(one, two, None), (None, one, two)]
        case _:
            meanings = [(parts[0], parts[1], parts[2])]
    rows = (join((fill("{value}::text", value=literal(value)) for value in one), ", ") for one in meanings)
    return join((fill("({row})", row=row) for row in rows), ", ")


def _found(row: Row) -> FoundObject:
    object_id, schema, name, sort, family, number, column = row
    return FoundObject(
        object_id=int(object_id or 0),
        schema=schema or "",
        name=name or "",
        sort=_SORTS.get(sort or "", sort or ""),
        family=family or "",
        column_number=int(number or 0),
        column=column,
    )


def _applied(row: Row) -> Applied:
    version, description, script, xid, transactional, run_id, when, user = row
    return Applied(
        version, description or "", script or "", int(xid or 0), transactional == "t", run_id, when, user
    )


def _run(row: Row) -> Run:
    run_id, first, last, copy, started, command, repository, branch, commit, actor, user = row
    return Run(
        run_id=run_id or "",
        first_xid=int(first or 0),
        last_xid=int(last) if last is not None else None,
        is_of_copy=copy == "t",
        started=started or "",
        command=command or "",
        repository=repository,
        branch=branch,
        commit=commit,
        actor=actor,
        user=user or "",
    )
