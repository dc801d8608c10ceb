"""The projects that are broken, and what each of their migrations has to leave behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

EFFECTS: Final = "ledger.effects"
PACE: Final = "ledger.pace"
"""How many seconds the slow migrations sleep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A script, and what it leaves.

    Attributes:
        effects: Each once, when it is applied.
        transactional: It runs in a transaction, with its row.
        index: Of a concurrent build; valid when it is applied.
        undo: The script that undoes it, if there is one.
    """

    script: str
    sql: str
    effects: tuple[str, ...]
    transactional: bool = True
    index: str | None = None
    config: str = ""
    undo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A project and its options.

    Attributes:
        callbacks: Scripts by name.
        each: The effect that a callback of the project adds to each migration, if one does.
        markers: Rows of the history that are no migration's: the baseline.
        setup: What is in the database before.
    """

    name: str
    migrations: tuple[Migration, ...]
    options: tuple[str, ...] = ()
    callbacks: Mapping[str, str] = field(default_factory=dict)
    each: str | None = None
    markers: tuple[str, ...] = ()
    setup: str = ""
    is_group: bool = False

    def lay_out(self, directory: Path) -> None:
        """Write the scripts."""
        directory.mkdir(parents=True, exist_ok=True)
        for migration in self.migrations:
            (directory / migration.script).write_text(migration.sql)
            if migration.config:
                (directory / f"{migration.script}.conf").write_text(migration.config)
            if migration.undo:
                (directory / f"U{migration.script[1:]}").write_text(migration.undo)
        for name, sql in self.callbacks.items():
            (directory / name).write_text(sql)

    @property
    def scripts(self) -> tuple[str, ...]:
        """The migrations by name, in their order."""
        return tuple(migration.script for migration in self.migrations)

    def migration(self, script: str) -> Migration:
        """The migration with that script."""
        return next(one for one in self.migrations if one.script == script)


def effect(name: str) -> str:
    """The statement that leaves an effect."""
    return f"INSERT INTO {EFFECTS} VALUES ('{name}');\n"


def transactional(script: str, sql: str = "", *, undo: str = "") -> Migration:
    """A migration with an effect at its beginning and another one at its end."""
    first, last = f"{script} first", f"{script} last"
    return Migration(script=script, sql=f"{effect(first)}{sql}{effect(last)}", effects=(first, last), undo=undo)


_ITEMS: Final = transactional(
    "V1__items.sql", "CREATE TABLE item (id int PRIMARY KEY, name text);\nCREATE SEQUENCE number;\n"
)
_DATA: Final = transactional(
    "V2__data.sql",
    "INSERT INTO item SELECT n, 'item ' || n FROM generate_series(1, 500) n;\n"
    "UPDATE item SET name = upper(name) WHERE id % 2 = 0;\nALTER TABLE item ADD COLUMN price numeric;\n",
)
_COPY: Final = transactional(
    "V3__copy.sql",
    "COPY item (id, name) FROM stdin;\n" + "".join(f"{n}\tcopied {n}\n" for n in range(1001, 1021)) + "\\.\n",
)
_INDEX: Final = Migration(
    script="V4__index.sql",
    sql="CREATE INDEX CONCURRENTLY item_name ON item (name);\n",
    effects=(),
    transactional=False,
    index="item_name",
)
_FUNCTION: Final = transactional(
    "V5__function.sql",
    "CREATE FUNCTION twice(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 2 * n; END $$;\n"
    "UPDATE item SET price = twice(id);\n",
)
_STEPS: Final = Migration(
    script="V6__steps.sql",
    sql=effect("V6__steps.sql first")
    + "CREATE INDEX CONCURRENTLY item_price ON item (price);\n"
    + effect("V6__steps.sql last"),
    effects=("V6__steps.sql first", "V6__steps.sql last"),
    transactional=False,
    index="item_price",
    config="executeInTransaction=false\n",
)
_COLUMN: Final = transactional("V7__column.sql", "ALTER TABLE item ADD COLUMN note text DEFAULT 'none';\n")
_VIEW: Final = transactional(
    "R__view.sql", "CREATE OR REPLACE VIEW cheap AS SELECT id FROM item WHERE price < 9;\n"
)

MIXED: Final = Case(
    name="mixed",
    migrations=(_ITEMS, _DATA, _COPY, _INDEX, _FUNCTION, _STEPS, _COLUMN, _VIEW),
    # V6 has statements of both sorts.
    options=("-mixed=true",),
    callbacks={"beforeMigrate.sql": "SELECT 1;\n", "afterMigrate.sql": "SELECT 1;\n"},
)
CALLBACKS: Final = Case(
    name="callbacks",
    migrations=(_ITEMS, _DATA, _COPY, transactional("R__all.sql")),
    callbacks={"afterEachMigrate.sql": effect("each"), "beforeEachMigrate.sql": "SELECT 1;\n"},
    each="each",
)
GROUP: Final = Case(
    name="group", migrations=(_ITEMS, _DATA, _COPY, _COLUMN), options=("-group=true",), is_group=True
)
BASELINE: Final = Case(
    name="baseline-on-migrate",
    migrations=(
        transactional("V2__data.sql", "INSERT INTO old VALUES (1), (2);\n"),
        Migration(
            script="V3__index.sql",
            sql="CREATE INDEX CONCURRENTLY old_id ON old (id);\n",
            effects=(),
            transactional=False,
            index="old_id",
        ),
    ),
    options=("-baselineOnMigrate=true", "-baselineVersion=1"),
    markers=("<< Flyway Baseline >>",),
    setup="CREATE TABLE old (id int);",
)
SLOW: Final = Case(
    name="slow",
    migrations=(
        transactional("V1__before.sql", "CREATE TABLE item (id int);\n"),
        transactional("V2__slow.sql", f"SELECT pg_sleep(seconds) FROM {PACE};\nINSERT INTO item VALUES (2);\n"),
        transactional("V3__after.sql", "INSERT INTO item VALUES (3);\n"),
    ),
)
INDEXED: Final = Case(
    name="indexed",
    migrations=(
        *SLOW.migrations,
        Migration(
            script="V4__index.sql",
            sql="CREATE INDEX CONCURRENTLY item_id ON item (id);\n",
            effects=(),
            transactional=False,
            index="item_id",
        ),
        transactional("V5__last.sql"),
    ),
)
IDLE: Final = Case(
    name="idle",
    migrations=(_ITEMS, _DATA, _COLUMN),
    # With callbacks, each answer is waited for before the next statement is sent.
    callbacks={"beforeEachMigrate.sql": "SELECT 1;\n"},
    options=("-initSql=SET idle_in_transaction_session_timeout = 200",),
)
"""The server ends a session that is idle in a transaction."""
LARGE: Final = Case(
    name="large",
    migrations=(
        transactional(
            "V1__before.sql", "CREATE TABLE item (text text);\nALTER TABLE item ALTER text SET STORAGE EXTERNAL;\n"
        ),
        transactional(
            "V2__large.sql", "INSERT INTO item SELECT repeat('x', 1000) FROM generate_series(1, 20000);\n"
        ),
        transactional("V3__after.sql"),
    ),
)
"""20 MB of data."""
HUNGRY: Final = Case(
    name="hungry",
    migrations=(
        transactional("V1__before.sql"),
        transactional(
            "V2__hungry.sql",
            "SELECT length(string_agg(repeat('x', 1000000), '')) FROM generate_series(1, 300);\n",
        ),
        transactional("V3__after.sql"),
    ),
)
"""A statement that wants 300 MB of memory."""
