"""Which schemas ``clean`` may drop altogether."""

import re
from collections.abc import Iterable
from typing import Final

from taxiway.model.migration import AppliedMigration, MigrationType

_NAME: Final = re.compile(r'"((?:[^"]|"")*)"')
_NAMES: Final = re.compile(rf"{_NAME.pattern}(?:,{_NAME.pattern})*")


def created_schemas(applied: Iterable[AppliedMigration]) -> frozenset[str]:
    """The schemas that a row says Flyway or Taxiway created.

    A list that was cut to the length of its column names none: what it still has could be parts of names.
    """
    lists = (row.script for row in applied if row.type is MigrationType.SCHEMA)
    return frozenset(
        name.replace('""', '"') for text in lists if _NAMES.fullmatch(text) for name in _NAME.findall(text)
    )
