"""The commands besides ``migrate`` that change something: ``repair``, ``undo``, ``baseline``, ``clean``.

Terminology:

snapshot
    All that such a command may change in a database, but for times.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, override

from faults.case import EFFECTS, Case, Migration, effect, transactional
from faults.command import Ended, Run, start
from faults.finish import Finished, find_held_lock
from faults.job import Job
from faults.place import Place
from faults.truth import find_lies_about_the_running, find_wrong_code, find_wrong_ending

_BOTH: Final = "-schemas=public,extra"
_DROP_EXTRA: Final = "SET client_min_messages = error; DROP SCHEMA IF EXISTS extra CASCADE"

_ROWS: Final = """
SELECT installed_rank, version, description, type, script, checksum, success
FROM public.flyway_schema_history ORDER BY installed_rank
"""
_EFFECTS: Final = f"SELECT what, count(*) FROM {EFFECTS} GROUP BY what ORDER BY what"
_RELATIONS: Final = """
SELECT format('%s.%s', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname IN ('public', 'extra') AND relkind IN ('r', 'v', 'S') ORDER BY 1
"""

_NOTHING_CHANGED: Final = "before anything was changed"
_CHANGED: Final = " had been "
_RUN_AGAIN: Final = 4


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there is. A row of the history has rank, version, description, type, script, checksum, success."""

    rows: tuple[tuple[object, ...], ...]
    effects: tuple[tuple[object, ...], ...]
    relations: tuple[str, ...]


def take_snapshot(place: Place) -> Snapshot:
    """Look at everything."""
    ask = place.observer.execute
    relations = tuple(name for (name,) in ask(_RELATIONS))
    rows = tuple(ask(_ROWS)) if "public.flyway_schema_history" in relations else ()
    return Snapshot(rows, tuple(ask(_EFFECTS.encode())), relations)


class Command(Job):
    """A command on a database that ``migrate`` has been at.

    Attributes:
        options: Of the command.
        steps: Options with which it stops after each of its transactions but the last.
        spoil: What happens to the database after ``migrate``.
        can_be_repeated: What is done already, another run leaves as it is.
        boundaries: The snapshots that may be found: nothing is done, then more and more, then all.
    """

    def __init__(
        self,
        case: Case,
        *,
        name: str = "",
        options: Sequence[str] = (),
        steps: Sequence[Sequence[str]] = (),
        spoil: str = "",
        can_be_repeated: bool = True,
    ) -> None:
        super().__init__(name or case.name, case.name, case)
        self.options, self.steps, self.spoil = tuple(options), tuple(steps), spoil
        self.can_be_repeated = can_be_repeated
        self.boundaries: tuple[Snapshot, ...] = ()

    @override
    def prepare(self, place: Place, directory: Path) -> None:
        place.run(_DROP_EXTRA)
        super().prepare(place, directory)
        if self.case.migrations:
            _succeed(start("migrate", self.case, place.url(), directory).wait())
        if self.spoil:
            place.run(self.spoil)

    @override
    def start(self, url: str, directory: Path, *options: str) -> Run:
        return super().start(url, directory, *self.options, *options)

    @override
    def learn(self, ended: Ended, place: Place, directory: Path) -> None:
        """Stop after each transaction, and look."""
        super().learn(ended, place, directory)
        found = [take_snapshot(place)]
        for options in reversed([None, *self.steps]):
            self.prepare(place, directory)
            if options is not None:
                _succeed(super().start(place.url(), directory, *options).wait())
            found.append(take_snapshot(place))
        self.boundaries = tuple(reversed(found))

    @override
    def find_wrong_state(self, place: Place) -> Iterator[str]:
        found = take_snapshot(place)
        if found not in self.boundaries:
            yield f"at no boundary: {found}"

    @override
    def find_lies(self, ended: Ended, place: Place) -> Iterator[str]:
        yield from find_wrong_ending(ended)
        found = take_snapshot(place)
        before, done = self.boundaries[0], self.boundaries[-1]
        if ended.exit_code == 0 and found != done:
            yield f"exit 0, and it is not done: {found}"
        if _NOTHING_CHANGED in ended.message and found != before:
            yield f"said that nothing was changed: {ended.message}"
        if _CHANGED in ended.message and found == before:
            yield f"said that something had been changed: {ended.message}"
        if ended.exit_code == _RUN_AGAIN and found == done and not self.can_be_repeated:
            yield f"exit 4, so run again, and that would do it twice: {ended.message}"
        recorded = [str(script) for *_, script, _, success in found.rows if success]
        yield from find_lies_about_the_running(ended, recorded)

    @override
    def find_wrong_loss(self, ended: Ended, *, can_ask: bool) -> Iterator[str]:
        yield from find_wrong_code(ended)

    @override
    def finish(self, place: Place, directory: Path) -> Finished:
        problems = [*find_held_lock(place)]
        is_done = take_snapshot(place) == self.boundaries[-1]
        if is_done and not self.can_be_repeated:
            return Finished("was done", tuple(problems))
        ended = self.start(place.url(), directory).wait()
        if ended.exit_code:
            problems.append(
                f"the next run did not finish: {ended.in_short}: {ended.message} {ended.stderr[-500:]}"
            )
        problems += self.find_lies(ended, place)
        return Finished("nothing left to do" if is_done else "finished", tuple(problems))


def _succeed(ended: Ended) -> None:
    if ended.exit_code:
        raise RuntimeError(f"{ended.in_short}: {ended.message} {ended.stderr}")


def _undoable(number: int) -> Migration:
    """A migration that creates a table, and the script that undoes it; each with its effects."""
    script = f"V{number}__table.sql"
    undo = f"{effect(f'undo {number} first')}DROP TABLE t{number};\n{effect(f'undo {number} last')}"
    return transactional(script, f"CREATE TABLE t{number} (i int);\n", undo=undo)


_TABLES: Final = tuple(_undoable(number) for number in (1, 2, 3))

REPAIR: Final = Command(
    Case(name="repair", migrations=_TABLES),
    spoil="""
    INSERT INTO public.flyway_schema_history
        (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success)
    VALUES (4, '4', 'gone', 'SQL', 'V4__gone.sql', 4, 'pilot', 1, true),
           (5, '5', 'failed', 'SQL', 'V5__failed.sql', 5, 'pilot', 1, false);
    UPDATE public.flyway_schema_history SET checksum = 1, description = 'other' WHERE version IN ('1', '3')
    """,
    options=("-ignoreMigrationPatterns=",),
)
"""A row to remove, one to mark as deleted, two to align: one transaction."""
UNDO: Final = Command(Case(name="undo", migrations=_TABLES), options=("-target=2",), steps=[("-target=3",)])
"""Two undo scripts, each a transaction."""
UNDO_LAST: Final = Command(
    Case(name="undo", migrations=_TABLES), name="undo without a target", can_be_repeated=False
)
"""Run again, it undoes another one: so it must not say that it may be run again if it has."""
BASELINE: Final = Command(
    Case(name="baseline", migrations=(), options=(_BOTH,), setup="CREATE TABLE old (i int)"),
    name="the command baseline",
    options=("-baselineVersion=7",),
)
"""A schema, the history, and two rows: one transaction."""
CLEAN: Final = Command(
    Case(
        name="clean",
        migrations=(*_TABLES, transactional("V4__extra.sql", "CREATE TABLE extra.t4 AS SELECT 4;\n")),
        options=(_BOTH,),
    ),
    options=("-cleanDisabled=false",),
    steps=[("-cleanDisabled=false", "-schemas=public")],
)
"""Two schemas, each a transaction; the second was created by the first run."""

COMMANDS: Final = (REPAIR, UNDO, UNDO_LAST, BASELINE, CLEAN)
