"""What an option is: one row of the table in :mod:`taxiway.config.options`.

Terminology:

key
    The name of an option: Flyway's name where Flyway has the option.
identifier
    The key as a Python name, such as ``out_of_order``: what programs call the option.
path
    Where the option stands in ``taxiway.toml``, such as ``flyway.outOfOrder``.
field
    Where the value goes in :class:`taxiway.model.settings.Settings`, such as ``migrations.policy.out_of_order``.
environment
    One of the databases that a file names, ``[environments.<name>]``, with its own settings (Flyway 13).
"""

import re
from collections.abc import Callable, Collection, Iterable
from enum import Enum
from typing import Final, NamedTuple

_WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+")


class Kind(Enum):
    """What an option holds; the value says it in words."""

    STRING = "text"
    BOOLEAN = "true or false"
    INTEGER = "a whole number"
    LIST = "a list of texts"
    MAP = "a table of texts"
    SECRET = "a text that is never shown"  # noqa: S105 - words about passwords, not one


class Group(Enum):
    """The sections of the reference page, in its order; the value is the heading."""

    CONFIGURATION = "Which configuration is read"
    DATABASE = "The database"
    LOCATIONS = "Where the scripts are and how they are named"
    PLACEHOLDERS = "Placeholders"
    RULES = "What runs, and what is an error"
    EXECUTION = "How scripts run"
    HISTORY = "Schemas and the schema history"
    INFO = "What info shows"
    LEDGER = "The run ledger"


class Option(NamedTuple):
    """One row of the table.

    Attributes:
        field: Empty for what only tells which files are read.
        table: The table of ``taxiway.toml`` that has the option.
        name: Its name there, when that is not the key.
        default: As it would be written; ``None`` when there is none.
        parse: Makes the value from the text, or from each item of a list, and raises ValueError with a phrase.
            ``None`` where the kind says enough.
        collect: What a list becomes.
        variable: The environment variable, when it is not Flyway's.
        may_be_empty: An empty text or list is a value. Where it is not, an empty variable counts as not set.
        may_be_secret: The field takes a :class:`~taxiway.secret.Secret`.
        resolved: ``${…}`` in ``taxiway.toml`` is a reference.
        in_environment: Environments have it. In Flyway's files it stands there and nowhere else.
        overridable: ``[environments.<name>.flyway]`` may have it.
        in_files: Configuration files may have it.
        in_variables: The environment of the process may have it.
        for_repositories: A file of a repository that ``taxiway run`` fetches may have it: whoever may push there
            may not decide everything about the machine that runs it.
        for_programs: It has a meaning where no file is read.
        is_ours: Flyway has no such setting.
        differs: How this is not what Flyway does, in one sentence.
    """

    key: str
    field: str
    group: Group
    help: str
    kind: Kind = Kind.STRING
    default: str | tuple[str, ...] | None = None
    table: str = "flyway"
    name: str = ""
    variable: str = ""
    parse: Callable[[str], object] | None = None
    collect: Callable[[Iterable[object]], Collection[object]] = tuple
    may_be_empty: bool = False
    may_be_secret: bool = False
    resolved: bool = True
    in_environment: bool = False
    overridable: bool = True
    in_files: bool = True
    in_variables: bool = True
    for_repositories: bool = True
    for_programs: bool = True
    is_ours: bool = False
    differs: str = ""

    @property
    def path(self) -> str | None:
        """Where the option stands in ``taxiway.toml``; ``None`` when no file may have it."""
        return f"{self.table}.{self.name or self.key}" if self.in_files else None

    @property
    def environment_variable(self) -> str | None:
        """The variable that sets it; for a map, what the names of its variables start with."""
        if not self.in_variables:
            return None
        words = "_".join(self._words).upper()
        return self.variable or f"FLYWAY_{words}" + ("_" if self.kind is Kind.MAP else "")

    @property
    def flag(self) -> str | None:
        """On the command line. Passwords have none: everybody can read the arguments of a process."""
        if self.kind is Kind.SECRET:
            return None
        name = "-".join(self._words).lower()
        return "--" + (re.sub("ies$", "y", name).removesuffix("s") if self.kind is Kind.MAP else name)

    @property
    def identifier(self) -> str:
        """What programs call the option."""
        return "_".join(self._words).lower()

    @property
    def _words(self) -> list[str]:
        return _WORD.findall(self.key)
