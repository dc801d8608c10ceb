"""SQL of ours: templates, and values that are quoted before they get into one.

Statements with values travel as text, and not with parameters, because several of them travel in one message.
"""

from collections.abc import Iterable
from typing import LiteralString

from taxiway.errors import StatementFailed
from taxiway.model.identifier import quote_identifier


class Sql(str):
    """Text that was written here, or quoted here."""

    __slots__ = ()


def fill(template: LiteralString, **parts: Sql) -> Sql:
    """A template with its ``{names}`` filled in."""
    return Sql(template.format_map(parts))


def join(parts: Iterable[Sql], separator: LiteralString = "") -> Sql:
    """All of them, one behind the other."""
    return Sql(separator.join(parts))


def identifier(*names: str) -> Sql:
    """A name, quoted; several are qualified by those before them."""
    return Sql(".".join(map(quote_identifier, names)))


def literal(value: str | int | None) -> Sql:
    """A value as PostgreSQL reads it, whatever ``standard_conforming_strings`` is.

    Raises:
        StatementFailed: It has a NUL character, which PostgreSQL text cannot.
    """
    if value is None:
        return Sql("NULL")
    if isinstance(value, bool):
        return Sql("true" if value else "false")
    if isinstance(value, int):
        # In parentheses, so that no minus sign becomes an operator between it and what stands before.
        return Sql(value if value >= 0 else f"({value})")
    if "\0" in value:
        message = "A value contains a NUL character, which PostgreSQL text cannot."
        raise StatementFailed(message)
    text = value.replace("'", "''")
    return Sql(f" E'{text.replace('\\', '\\\\')}'" if "\\" in value else f"'{text}'")


def array(values: Iterable[str]) -> Sql:
    """Texts as an array."""
    return Sql(f"ARRAY[{', '.join(map(literal, values))}]::text[]")
