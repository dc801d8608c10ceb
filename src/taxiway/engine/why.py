"""``why``: which migration, commit and run brought an object, or changed it last."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from taxiway import errors
from taxiway.model.why import Mention, ObjectName, WhyResult
from taxiway.nearest import find_nearest
from taxiway.planning.why import explain, parse_object_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taxiway.engine.survey import Scope
    from taxiway.engine.tools import Tools
    from taxiway.model.why import Applied, FoundObject, Run, Trace

# Of the columns of a table, in a hint
_SHOWN: Final = 10


class Records(Protocol):
    """What is on record of the objects of a database."""

    def find(self, name: ObjectName) -> Sequence[FoundObject]:
        """Every object of that name; if there is none, those that the ledger remembers."""
        ...

    def names(self, parts: Sequence[str]) -> Sequence[str]:
        """Names that could have been meant."""
        ...

    def traces(self, found: FoundObject) -> Sequence[Trace]:
        """Who has written what of it."""
        ...

    def writers(self, traces: Sequence[Trace]) -> tuple[Sequence[Applied], Sequence[Run]]:
        """The migrations and runs that may have written these."""
        ...


def why(scope: Scope, tools: Tools, records: Records, text: str) -> WhyResult:
    """What is known of the object. Scripts that mention its name are looked for when something is not.

    Raises:
        InvalidOption: That is no name of an object.
        ObjectNotFound: There is none, and the ledger remembers none.
    """
    name = parse_object_name(text)
    if name is None:
        raise errors.InvalidOption(
            f"'{text}' is no name of an object.",
            hint='Write TABLE, TABLE.COLUMN or SCHEMA.TABLE.COLUMN; quote "a.b".',
        )
    found = records.find(name)
    if not found:
        raise errors.ObjectNotFound(
            f"There is no table, column, view, function or type '{name}' in this database.",
            hint=_what_there_is(str(name), records.names(name.parts)),
        )
    origins = []
    for one in found:
        traces = records.traces(one)
        applied, runs = records.writers(traces)
        origins.append(explain(one, traces, applied, runs))
    is_open = any(not origin.is_known for origin in origins)
    return WhyResult(
        name=name,
        database=tools.session.facts.database,
        origins=tuple(origins),
        mentions=tuple(_mentions(scope, name.parts[-1])) if is_open else (),
    )


def _what_there_is(name: str, names: Sequence[str]) -> str:
    """The name that was probably meant; of a column that is not there, else what its table has."""
    parent, _, last = name.rpartition(".")
    within = [one.removeprefix(f"{parent}.") for one in names if parent and one.startswith(f"{parent}.")]
    if near := find_nearest(last, within):
        return f"Did you mean '{parent}.{near}'?"
    if within:
        more = f" and {len(within) - _SHOWN} more" if len(within) > _SHOWN else ""
        return f"Name one of those that '{parent}' has: {', '.join(within[:_SHOWN])}{more}."
    near = find_nearest(name, names)
    return f"Did you mean '{near}'?" if near else "Name the schema too: SCHEMA.TABLE."


def _mentions(scope: Scope, word: str) -> Iterator[Mention]:
    """The first line of each script that has the word in it, comments and texts included."""
    pattern = re.compile(rf"(?<![\w$]){re.escape(word)}(?![\w$])", re.IGNORECASE)
    for migration in scope.resolution.migrations:
        text = "".join(migration.read())
        if found := pattern.search(text):
            yield Mention(migration.script, text.count("\n", 0, found.start()) + 1)
