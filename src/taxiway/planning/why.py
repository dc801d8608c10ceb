"""From traces to the answer of ``why``: whose transaction has written what (docs/adr/0051-why.md).

Only numbers of transactions are compared. What they do not tell is not known.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from taxiway.model.why import Applied, Certainty, Change, FoundObject, ObjectName, Origin, Run, Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NAME_PART: Final = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')
# Numbers of transactions count on from 0 after this.
_NUMBERS: Final = 1 << 32
_WORDS: Final = {"relation": "definition", "creation": "created", "rule": "query"}


def parse_object_name(text: str) -> ObjectName | None:
    """A name as SQL has it: small letters unless quoted, parts joined by dots; a function may have ``()``.

    ``None`` if it cannot be one.
    """
    rest, parts = re.sub(r"\([^()]*\)$", "", text.strip()), list[str]()
    while match := _NAME_PART.match(rest):
        quoted, plain = match.groups()
        parts.append(quoted.replace('""', '"') if quoted else plain.strip().lower())
        rest = rest[match.end() :]
        if not rest:
            return ObjectName(tuple(parts)) if len(parts) <= 3 and all(parts) else None
        if not rest.startswith("."):
            return None
        rest = rest[1:]
    return None


def explain(
    found: FoundObject, traces: Iterable[Trace], applied: Sequence[Applied], runs: Sequence[Run]
) -> Origin:
    """Who has written the object: each transaction once, the oldest first."""
    by_id = {run.run_id: run for run in runs}
    changes: list[Change] = []
    told = sorted(_distinct(traces), key=lambda trace: (-trace.age, *_transaction(trace)))
    for (xid, copied_in), group in groupby(told, key=_transaction):
        rows, is_of_copy = list(group), bool(copied_in)
        run = next((by_id[one.run_id] for one in rows if one.run_id in by_id), None)
        changes.append(_change(xid, rows, run, applied, runs, is_of_copy=is_of_copy))
    if any(change.is_of_copy for change in changes):
        # What restored it has written every row anew; that is no change of the object.
        changes = [change for change in changes if change.certainty is not Certainty.UNKNOWN]
        changes.sort(
            key=lambda change: (not change.is_of_copy, change.run.run_id if change.run else "", -change.age)
        )
    return Origin(found=found, changes=tuple(changes))


def _distinct(traces: Iterable[Trace]) -> list[Trace]:
    """One for each part and transaction: that of the ledger if there is one, because it names the run."""
    kept: dict[tuple[object, ...], Trace] = {}
    for trace in traces:
        key = trace.kind, trace.part, *_transaction(trace)
        if key not in kept or kept[key].run_id is None:
            kept[key] = trace
    return list(kept.values())


def _transaction(trace: Trace) -> tuple[int, str]:
    """Numbers of two catalogs are not those of the same transactions."""
    return trace.xid, (trace.run_id or "") if trace.is_of_copy else ""


def _change(
    xid: int,
    rows: Sequence[Trace],
    run: Run | None,
    applied: Sequence[Applied],
    runs: Sequence[Run],
    *,
    is_of_copy: bool,
) -> Change:
    if run is None and not is_of_copy:
        run = next((one for one in runs if not one.is_of_copy and _is_within(xid, one)), None)
    certainty, migrations = _writers(xid, run, applied)
    if run is None and migrations and migrations[0].run_id:
        run = next((one for one in runs if one.run_id == migrations[0].run_id), None)
    return Change(
        what=tuple(dict.fromkeys(_in_words(one) for one in sorted(rows, key=_importance))),
        certainty=certainty,
        migrations=migrations,
        run=run,
        age=min(one.age for one in rows),
        is_of_copy=is_of_copy,
    )


def _writers(xid: int, run: Run | None, applied: Sequence[Applied]) -> tuple[Certainty, tuple[Applied, ...]]:
    """Whose transaction that was: a migration's own, or one of those that were going on just then.

    A savepoint in a migration has a number of its own, after that of its transaction, and rows that were written
    behind it have that. A migration without a transaction has one for each statement, before that of its row.
    """
    of_run = [one for one in applied if one.run_id == (run.run_id if run else None)]
    exact = tuple(one for one in of_run if one.xid == xid)
    if not exact and run is not None and not run.is_of_copy:
        # The history alone: the run that has recorded it has not come to its end.
        exact = tuple(one for one in applied if one.run_id is None and one.xid == xid)
    if exact:
        return (Certainty.EXACT if len(exact) == 1 else Certainty.GROUP), exact
    if run is None:
        return Certainty.UNKNOWN, ()
    ordered = sorted(of_run, key=lambda one: _distance(run.first_xid, one.xid))
    place = _distance(run.first_xid, xid)
    before = [one for one in ordered if _distance(run.first_xid, one.xid) < place][-1:]
    after = [one for one in ordered if _distance(run.first_xid, one.xid) > place][:1]
    candidates = [one for one in before if one.transactional] + [one for one in after if not one.transactional]
    return (Certainty.DURING, tuple(candidates)) if candidates else (Certainty.RUN, ())


def _is_within(xid: int, run: Run) -> bool:
    return run.last_xid is not None and _distance(run.first_xid, xid) <= _distance(run.first_xid, run.last_xid)


def _distance(start: int, end: int) -> int:
    return (end - start) % _NUMBERS


def _importance(trace: Trace) -> tuple[bool, bool, bool, str]:
    return trace.kind != "creation", trace.kind == "relation", trace.kind != "column", trace.part or ""


def _in_words(trace: Trace) -> str:
    word = _WORDS.get(trace.kind, trace.kind)
    named = trace.part is not None and trace.kind not in {"rule", "dropped column"}
    return f"{word} {trace.part}" if named else word
