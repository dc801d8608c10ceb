"""The answer of ``why``, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from taxiway.model.identifier import quote_identifier
from taxiway.model.ledger import ROLES_APPLY
from taxiway.model.why import Certainty

if TYPE_CHECKING:
    from taxiway.model.why import Applied, Change, FoundObject, Origin, Run, WhyResult

type Json = dict[str, Any]

_NOBODY: Final = "a transaction that is on no record: from before Taxiway, or by hand"
# Rows of catalogs that have the privileges too (relacl, proacl, typacl, nspacl): GRANT and REVOKE write them.
_WITH_PRIVILEGES: Final = frozenset({"definition", "function", "type", "schema"})
_MAYBE_GRANT: Final = ", or only a GRANT, which writes the same row of the catalog"
_MAYBE_GRANT_ON_TABLE: Final = ", or only a GRANT or TRUNCATE, which write the same row of the catalog"
_PARTS_SHOWN: Final = 6
_MENTIONS_SHOWN: Final = 10


def render_why(result: WhyResult) -> str:
    """Each object with its changes, the oldest first; then what only looks like an answer."""
    parts = [_render_origin(origin) for origin in result.origins]
    if result.mentions:
        shown = [f"  {one.script}, line {one.line}" for one in result.mentions[:_MENTIONS_SHOWN]]
        left = len(result.mentions) - _MENTIONS_SHOWN
        more = [f"  and {left} more"] if left > 0 else []
        parts.append("\n".join(["Scripts that mention the name, which proves nothing:", *shown, *more]))
    return "\n\n".join(parts)


def why_json(result: WhyResult) -> Json:
    """The same for programs. ``certainty`` is ``exact``, ``group``, ``during``, ``run`` or ``unknown``."""
    return {
        "operation": "why",
        "name": str(result.name),
        "database": result.database,
        "known": result.is_known,
        "objects": [_origin_json(origin) for origin in result.origins],
        "mentions": [{"script": one.script, "line": one.line} for one in result.mentions],
        "warnings": list(result.warnings),
    }


def _render_origin(origin: Origin) -> str:
    lines = [_title(origin.found)]
    if not origin.is_known:
        lines.append("  Not known: nobody on record has written it.")
        return "\n".join(lines)
    for change in origin.changes:
        shown = ", ".join(change.what[:_PARTS_SHOWN])
        more = f" and {len(change.what) - _PARTS_SHOWN} more" if len(change.what) > _PARTS_SHOWN else ""
        lines.append(f"  {shown}{more}")
        lines += [f"    {line}" for line in _render_change(change, origin.found)]
    if any(change.is_of_copy for change in origin.changes):
        lines.append(
            "  The database was restored from a dump or upgraded since; before that, the ledger tells by the name."
        )
    return "\n".join(lines)


def _title(found: FoundObject) -> str:
    names = [found.schema, found.name] if found.family != "schema" else [found.name]
    names += [found.column] if found.column is not None else []
    sort = "column" if found.column is not None else found.sort
    gone = ", which is not there any more" if found.is_gone else ""
    return f"{'.'.join(map(_plain, names))} ({sort}{gone})"


def _plain(name: str) -> str:
    return name if name.replace("_", "a").isalnum() and name == name.lower() else quote_identifier(name)


def _render_change(change: Change, found: FoundObject) -> list[str]:
    grant = _perhaps_grant(change, found)
    match change.certainty:
        case Certainty.UNKNOWN:
            return [f"by {_NOBODY}{grant}"]
        case Certainty.RUN if change.run is not None and change.run.command == ROLES_APPLY:
            lines = [f"during 'taxiway {ROLES_APPLY}', by its GRANT or by somebody else at that time"]
        case Certainty.RUN:
            lines = [f"during a run, by a callback or by somebody else at that time{grant}"]
        case Certainty.DURING:
            lines = [f"while {_names(change)} ran, in a transaction of its own{grant}"]
        case Certainty.GROUP:
            lines = [f"by one of a group: {_names(change)}"]
        case Certainty.EXACT:
            lines = [f"by {_names(change)}"]
    return [*lines, *_render_run(change)]


def _perhaps_grant(change: Change, found: FoundObject) -> str:
    """What has written nothing but a row with privileges may have changed only these. Indexes have none."""
    if found.sort == "index" or not _WITH_PRIVILEGES.issuperset(change.what):
        return ""
    return _MAYBE_GRANT_ON_TABLE if found.sort == "table" else _MAYBE_GRANT


def _names(change: Change) -> str:
    return " or ".join(_migration_name(one) for one in change.migrations)


def _migration_name(one: Applied) -> str:
    return f"{one.script} (version {one.version})" if one.version else f"{one.script} (repeatable)"


def _render_run(change: Change) -> list[str]:
    run = change.run
    if run is None:
        return [f"on {one.when} as {one.user}, in no ledger" for one in change.migrations[:1] if one.when]
    commit = f"commit {run.commit}" if run.commit else ""
    where = " ".join(filter(None, (commit, f"on {run.branch}" if run.branch else "", _of(run))))
    who = f"by {run.actor}" if run.actor else f"as {run.user}"
    return [*([where] if where else []), f"run {run.run_id} of {run.started}, {who}"]


def _of(run: Run) -> str:
    return f"of {run.repository}" if run.repository else ""


def _origin_json(origin: Origin) -> Json:
    found = origin.found
    return {
        "kind": "column" if found.column is not None else found.sort,
        "schema": found.schema,
        "name": found.name,
        "column": found.column,
        "exists": not found.is_gone,
        "known": origin.is_known,
        "changes": [_change_json(change) for change in origin.changes],
    }


def _change_json(change: Change) -> Json:
    run = change.run
    return {
        "what": list(change.what),
        "certainty": change.certainty.value,
        "beforeRestore": change.is_of_copy,
        "migrations": [
            {"version": one.version, "description": one.description, "script": one.script}
            for one in change.migrations
        ],
        "installedOn": next((one.when for one in change.migrations if one.when), None),
        "run": None
        if run is None
        else {
            "id": run.run_id,
            "started": run.started,
            "command": run.command,
            "repository": run.repository,
            "branch": run.branch,
            "commit": run.commit,
            "actor": run.actor,
            "databaseUser": run.user,
        },
    }
