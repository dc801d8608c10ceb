"""What a schema holds, and how to drop it (docs/adr/0016-clean.md).

Terminology:

object of a schema
    What depends on the schema itself, so that ``DROP SCHEMA`` would want CASCADE for it: relations, types,
    routines, operators with their classes and families, collations, conversions, text search objects, statistics,
    extensions. Indexes, constraints, rules, triggers and row types go with what they are part of.
member
    An object that an extension has brought along. It goes with its extension, and not alone.
"""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING, Final

from taxiway.errors import DatabaseError
from taxiway.model.identifier import quote_identifier
from taxiway.postgres.sql import Sql, fill, identifier, join, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taxiway.engine.ports import HistoryTable
    from taxiway.postgres.exchange import Exchange

# What the server answers when it has no room for another lock
_OUT_OF_LOCKS: Final = "53200"
_MORE_LOCKS: Final = (
    "Raise max_locks_per_transaction of the server (its default is 64), restart it, and run again."
)
# Objects dropped in one transaction where one for all is too much. A table with a key is some ten locks.
_BATCH: Final = 50

# Every notice of CASCADE and of IF EXISTS would be told to the user, who has asked for all of it to go.
_QUIETLY: Final = Sql("SET LOCAL client_min_messages = warning;")

# The server's own record of what depends on what (PostgreSQL manual, pg_depend) says what there is to drop.
# deptype 'i' is internal to another object and goes with it (the sequence of an identity column, a multirange
# type), 'e' is a member of an extension. A view or a default value of any schema depends on this one, too, if it
# names it as a constant: therefore the catalogues of what lies in schemas, and the comparison of the schema.
#
# Any order would do, since everything is dropped with IF EXISTS and CASCADE. Backwards from the order of making,
# and children of tables before their parents, few locks are taken for each. First come functions of event
# triggers, which would run at each further command, and want a table that is gone; last, as in Flyway 13, the
# extensions that the user owns.
_LIST: Final = """
SELECT pg_catalog.format(
    'DROP %s IF EXISTS %s CASCADE;',
    pg_catalog.upper(pg_catalog.replace(o.type, ' object', '')),
    CASE WHEN p.oid IS NULL THEN o.identity ELSE pg_catalog.format(
        '%I.%I(%s)', n.nspname, p.proname,
        CASE WHEN o.type = 'aggregate' AND p.pronargs = 0 THEN '*'
             ELSE pg_catalog.pg_get_function_identity_arguments(p.oid) END) END)
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_depend d
  ON d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = n.oid AND d.deptype = 'n'
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, 0) o
LEFT JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
LEFT JOIN pg_catalog.pg_extension x ON d.classid = 'pg_catalog.pg_extension'::regclass AND x.oid = d.objid
WHERE n.nspname = {schema}
  AND (pg_catalog.pg_get_userbyid(x.extowner) = current_user
       OR (o.schema = pg_catalog.quote_ident(n.nspname)
           AND d.classid IN (
               'pg_catalog.pg_class'::regclass, 'pg_catalog.pg_type'::regclass, 'pg_catalog.pg_proc'::regclass,
               'pg_catalog.pg_operator'::regclass, 'pg_catalog.pg_opclass'::regclass,
               'pg_catalog.pg_opfamily'::regclass, 'pg_catalog.pg_collation'::regclass,
               'pg_catalog.pg_conversion'::regclass, 'pg_catalog.pg_statistic_ext'::regclass,
               'pg_catalog.pg_ts_config'::regclass, 'pg_catalog.pg_ts_dict'::regclass,
               'pg_catalog.pg_ts_parser'::regclass, 'pg_catalog.pg_ts_template'::regclass)))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend m
                  WHERE m.classid = d.classid AND m.objid = d.objid AND m.objsubid = 0
                    AND m.deptype IN ('e', 'i'))
ORDER BY EXISTS (SELECT FROM pg_catalog.pg_event_trigger t WHERE t.evtfoid = p.oid) DESC,
         x.oid IS NULL DESC,
         EXISTS (SELECT FROM pg_catalog.pg_inherits i
                 WHERE d.classid = 'pg_catalog.pg_class'::regclass AND i.inhrelid = d.objid) DESC,
         d.objid DESC;
"""


def clean_schema(exchange: Exchange, schema: str, table: HistoryTable) -> None:
    """Drop what a schema holds, all at once if the server has room for so many locks, else by and by."""
    doing = f"Cleaning schema {quote_identifier(schema)}"
    drops = _list_drops(exchange, schema, doing=doing)
    if not _drop_at_once(exchange, table, drops, doing=doing):
        for batch in batched(drops, _BATCH):
            _drop(exchange, table, batch, doing=doing)


def drop_schema(exchange: Exchange, schema: str, table: HistoryTable) -> None:
    """Drop a schema with all that is in it; does nothing if there is none."""
    statement = fill("DROP SCHEMA IF EXISTS {schema} CASCADE;", schema=identifier(schema))
    _drop(exchange, table, [statement], doing=f"Dropping schema {quote_identifier(schema)}")


def _list_drops(exchange: Exchange, schema: str, *, doing: str) -> list[Sql]:
    """The statements that drop what it holds. With an empty search path every name in them is qualified."""
    statements = fill(
        "BEGIN; {reset} SET LOCAL search_path = ''; {list} COMMIT",
        reset=exchange.ours.reset_role(),
        list=fill(_LIST, schema=literal(schema)),
    )
    return [Sql(drop or "") for (drop,) in exchange.ask_or_roll_back(statements, doing=doing)]


def _drop_at_once(exchange: Exchange, table: HistoryTable, drops: Sequence[Sql], *, doing: str) -> bool:
    """Drop them all, or none if the server has too little room for so many locks."""
    try:
        _drop(exchange, table, drops, doing=doing)
    except DatabaseError as error:
        if error.sqlstate == _OUT_OF_LOCKS:
            return False
        raise
    return True


def _drop(exchange: Exchange, table: HistoryTable, drops: Sequence[Sql], *, doing: str) -> None:
    try:
        exchange.change(table, join([_QUIETLY, *drops]), doing=doing)
    except DatabaseError as error:
        if error.sqlstate == _OUT_OF_LOCKS:
            error.hint = _MORE_LOCKS
        raise
