"""Where an object of the database comes from: what was asked for, what the records say, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class ObjectName:
    """What somebody has asked about, in parts: ``table``, ``schema.table``, ``table.column``, or all three."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.parts)


class FoundObject(NamedTuple):
    """An object of the catalog, or one that only the ledger remembers (``is_gone``).

    ``sort`` is ``table``, ``view``, ``function`` and so on; ``family`` is ``relation``, ``function``, ``type`` or
    ``schema``. A column has its number and its name.
    """

    object_id: int
    schema: str
    name: str
    sort: str
    family: str
    column_number: int = 0
    column: str | None = None
    is_gone: bool = False


class Trace(NamedTuple):
    """A row of a catalog that belongs to the object, as it is now, or as the ledger has seen it in a run.

    Attributes:
        kind: ``relation``, ``creation``, ``column``, ``default``, ``constraint`` and so on.
        part: Its name, if it has one of its own.
        xid: The transaction that has written it: the lower 32 bits of its number.
        age: How many transactions ago that was.
        run_id: The run that has recorded it; ``None`` for the catalog of today.
        is_of_copy: It was recorded of another catalog: the database was restored from a dump or upgraded since.
    """

    kind: str
    part: str | None
    xid: int
    age: int
    run_id: str | None = None
    is_of_copy: bool = False


class Run(NamedTuple):
    """A run that the ledger has. Its transactions are numbered from ``first_xid`` to ``last_xid``."""

    run_id: str
    first_xid: int
    last_xid: int | None
    is_of_copy: bool
    started: str
    command: str
    repository: str | None
    branch: str | None
    commit: str | None
    actor: str | None
    user: str


class Applied(NamedTuple):
    """A migration that was applied in a transaction; without a run, only the schema history has it.

    ``when`` and ``user`` are those of its row in the history.
    """

    version: str | None
    description: str
    script: str
    xid: int
    transactional: bool
    run_id: str | None = None
    when: str | None = None
    user: str | None = None


class Certainty(Enum):
    """How an answer is known.

    ``EXACT``: the migration's own transaction has written the row of the catalog. ``GROUP``: so has that of
    several migrations, which were one transaction. ``DURING``: it was written while the migration ran, in a
    transaction of its own. ``RUN``: it was written during the run, and no migration ran just then. ``UNKNOWN``: by
    nobody on record.
    """

    EXACT = "exact"
    GROUP = "group"
    DURING = "during"
    RUN = "run"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A transaction that has written something of the object.

    Attributes:
        what: The parts that it has written, in words: ``created``, ``column price``, ``default``.
        age: How many transactions ago.
        is_of_copy: The ledger has recorded it of the database that this one was restored or upgraded from.
    """

    what: tuple[str, ...]
    certainty: Certainty
    migrations: tuple[Applied, ...]
    run: Run | None
    age: int
    is_of_copy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The answer for one object. ``changes`` are in their order; the last one has made it what it is."""

    found: FoundObject
    changes: tuple[Change, ...]

    @property
    def is_known(self) -> bool:
        """At least one of the changes is on record."""
        return any(change.certainty is not Certainty.UNKNOWN for change in self.changes)


class Mention(NamedTuple):
    """A line of a script that has the name in it. It may mean something else."""

    script: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyResult:
    """What is known of every object of that name. ``mentions`` are there when something is not known."""

    name: ObjectName
    database: str
    origins: tuple[Origin, ...]
    mentions: tuple[Mention, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Something is known of one of them at least."""
        return any(origin.is_known for origin in self.origins)
