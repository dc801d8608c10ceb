"""The workloads: the same bytes on every machine.

Data holds no colon, percent, dollar, brace or question mark beyond what SQL needs, so that no tool takes any of it
for a placeholder.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ALPHABET: Final = (
    "alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november "
    "oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu"
)
_WORDS: Final = tuple(_ALPHABET.split())

_CUSTOMER: Final = """-- customers of the shop
CREATE TABLE customer (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    email      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
"""
_CUSTOMER_INDEX: Final = """CREATE UNIQUE INDEX customer_email_key ON customer (lower(email));
"""
_CUSTOMER_FUNCTION: Final = """CREATE FUNCTION customer_add(p_name text, p_email text) RETURNS bigint
LANGUAGE plpgsql AS $body$
DECLARE
    new_id bigint;
BEGIN
    INSERT INTO customer (name, email) VALUES (p_name, p_email) RETURNING id INTO new_id;
    RETURN new_id;
END;
$body$;
"""
_BULK: Final = """CREATE TABLE bulk (
    id      bigint PRIMARY KEY,
    name    text NOT NULL,
    email   text NOT NULL,
    amount  numeric(12, 2) NOT NULL,
    day     date NOT NULL,
    note    text
);
"""
_BULK_COLUMNS: Final = "bulk (id, name, email, amount, day, note)"
_ROWS_OF_AN_INSERT: Final = 1000
_SIZE_OF_NOTHING: Final = 960
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One of ``WORKLOADS``, in a size.

    Attributes:
        size: How many migrations there are; megabytes for ``insert`` and ``copy``.
    """

    name: str
    size: int

    @property
    def count(self) -> int:
        """How many migrations there are."""
        return 2 if self.name in {"insert", "copy"} else self.size

    def __str__(self) -> str:
        return f"{self.name}-{self.size}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was written; two machines with the same digest have the same input."""

    files: int
    bytes: int
    sha256: str


type _Scripts = Iterator[tuple[str, Iterator[str]]]


class _Numbers:
    """A linear congruential generator: the same numbers in every version of Python."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def below(self, limit: int) -> int:
        """The next one, smaller than this."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & (2**64 - 1)
        return (self._state >> 33) % limit

    def word(self) -> str:
        """One of twenty-six."""
        return _WORDS[self.below(26)]


def write_workload(workload: Workload, directory: Path) -> Manifest:
    """Write its migrations, ``V1__name.sql`` and so on, and tell what was written.

    ``directory`` is made if need be, and must not hold anything else.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, parts in _GENERATORS[workload.name](workload.size):
        with (directory / name).open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(parts)
    return read_manifest(directory)


def read_manifest(directory: Path) -> Manifest:
    """Look at what is there."""
    digest, size, names = hashlib.sha256(), 0, sorted(path.name for path in directory.iterdir())
    for name in names:
        with (directory / name).open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    return Manifest(len(names), size, digest.hexdigest())


def _three(size: int) -> _Scripts:
    scripts = {
        "create_customer": _CUSTOMER,
        "index_customer_email": _CUSTOMER_INDEX,
        "function_customer_add": _CUSTOMER_FUNCTION,
    }
    for number, (name, text) in enumerate(list(scripts.items())[:size], 1):
        yield f"V{number}__{name}.sql", iter((text,))


def _mixed(size: int) -> _Scripts:
    numbers, kinds = _Numbers(2), (_mixed_table, _mixed_index, _mixed_function, _mixed_seed, _mixed_alter)
    for i in range(size):
        name, text = kinds[i % 5](i // 5, numbers)
        yield f"V{i + 1:0{len(str(size))}d}__{name}_t{i // 5}.sql", iter((text,))


def _mixed_table(table: int, _: _Numbers) -> tuple[str, str]:
    columns = (
        "id bigint PRIMARY KEY,\n    name text NOT NULL,\n    qty integer NOT NULL DEFAULT 0,\n"
        "    at timestamptz NOT NULL DEFAULT now()"
    )
    return "create", f"CREATE TABLE b_{table} (\n    {columns}\n);\n"


def _mixed_index(table: int, _: _Numbers) -> tuple[str, str]:
    return "index", f"CREATE INDEX b_{table}_name_idx ON b_{table} (name, qty);\n"


def _mixed_function(table: int, _: _Numbers) -> tuple[str, str]:
    body = f"BEGIN\n    RETURN (SELECT coalesce(sum(qty), 0) FROM b_{table});\nEND;"
    head = f"CREATE FUNCTION b_{table}_total() RETURNS bigint LANGUAGE plpgsql STABLE AS"
    return "function", f"{head} $body$\n{body}\n$body$;\n"


def _mixed_seed(table: int, numbers: _Numbers) -> tuple[str, str]:
    rows = ",\n".join(f"    ({k}, '{numbers.word()} {numbers.word()}', {numbers.below(1000)})" for k in range(20))
    return "seed", f"INSERT INTO b_{table} (id, name, qty) VALUES\n{rows};\n"


def _mixed_alter(table: int, _: _Numbers) -> tuple[str, str]:
    column = f"ALTER TABLE b_{table} ADD COLUMN note text NOT NULL DEFAULT '';\n"
    return "alter", column + f"ALTER TABLE b_{table} ADD CONSTRAINT b_{table}_qty_check CHECK (qty >= 0);\n"


def _tables(size: int) -> _Scripts:
    for i in range(1, size + 1):
        text = f"""-- migration {i} of {size}
CREATE TABLE c_{i} (
    id         bigint PRIMARY KEY,
    parent_id  bigint,
    name       text NOT NULL,
    price      numeric(12, 2) NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX c_{i}_parent_idx ON c_{i} (parent_id);
COMMENT ON TABLE c_{i} IS 'table number {i}; made by the generator';
"""
        yield f"V{i:0{len(str(size))}d}__create_c_{i}.sql", iter((text,))


def _nothing(size: int) -> _Scripts:
    numbers, width = _Numbers(4), max(5, len(str(size)))
    for i in range(1, size + 1):
        lines = [f"-- migration {i} of {size}"]
        while len("\n".join(lines)) < _SIZE_OF_NOTHING:
            lines.append("-- " + " ".join(numbers.word() for _ in range(12)))
        yield f"V{i:0{width}d}__noop_{i}.sql", iter(("\n".join(lines), f"\nSELECT {i};\n"))


def _insert(megabytes: int) -> _Scripts:
    yield "V1__create_bulk.sql", iter((_BULK,))
    yield "V2__load_bulk.sql", _insert_statements(megabytes * 1_000_000)


def _insert_statements(size: int) -> Iterator[str]:
    rows, written = _bulk_rows(5), 0
    while written < size:
        values = ("({}, '{}', '{}', {}, '{}', '{}')".format(*next(rows)) for _ in range(_ROWS_OF_AN_INSERT))
        text = f"INSERT INTO {_BULK_COLUMNS} VALUES\n" + ",\n".join(values) + ";\n"
        written += len(text)
        yield text


def _copy(megabytes: int) -> _Scripts:
    yield "V1__create_bulk.sql", iter((_BULK,))
    yield "V2__copy_bulk.sql", _copy_lines(megabytes * 1_000_000)


def _copy_lines(size: int) -> Iterator[str]:
    yield f"COPY {_BULK_COLUMNS} FROM STDIN;\n"
    written = 0
    for row in _bulk_rows(6):
        line = "\t".join(map(str, row)) + "\n"
        written += len(line)
        yield line
        if written >= size:
            break
    yield "\\.\n"


def _bulk_rows(seed: int) -> Iterator[tuple[int, str, str, str, str, str]]:
    numbers, identity = _Numbers(seed), 0
    while True:
        identity += 1
        first, last = numbers.word(), numbers.word()
        note = " ".join(numbers.word() for _ in range(12))
        amount = f"{numbers.below(1_000_000)}.{numbers.below(100):02d}"
        day = f"20{10 + numbers.below(15)}-{1 + numbers.below(12):02d}-{1 + numbers.below(28):02d}"
        yield identity, f"{first} {last}", f"{first}.{last}.{identity}@example.com", amount, day, note


_GENERATORS: Final[dict[str, Callable[[int], _Scripts]]] = {
    "three": _three,
    "mixed": _mixed,
    "tables": _tables,
    "nothing": _nothing,
    "insert": _insert,
    "copy": _copy,
}

# What each of them is, in words for the page.
WORKLOADS: Final = {
    "three": "a table, an index, a function",
    "mixed": "tables, indexes, functions, 20-row inserts, altered tables, in turn",
    "tables": "each a table, an index and a comment: three statements",
    "nothing": "each 1 KB of comment and one SELECT",
    "insert": "a table, then one file of INSERT statements of 1,000 rows",
    "copy": "a table, then one file with a COPY FROM STDIN",
}
