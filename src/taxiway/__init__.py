"""Flyway-compatible SQL migrations for PostgreSQL.

::

    import taxiway

    result = taxiway.migrate(url="postgresql://app@localhost/app", locations=["filesystem:sql"])
    print(result.count)

Importing this package loads nothing else of it: no database driver, no AWS SDK, no command line library.
"""

import importlib
from typing import TYPE_CHECKING, Any

from taxiway.version import __version__

if TYPE_CHECKING:
    from taxiway.api import baseline, clean, info, migrate, repair, test_connection, undo, validate
    from taxiway.errors import CallbackFailed, MigrationFailed, TaxiwayError, ValidationFailed
    from taxiway.model.info import InfoResult, MigrationInfo, MigrationState
    from taxiway.model.result import (
        BaselineResult,
        CleanResult,
        ConnectionTestResult,
        MigrateResult,
        RepairResult,
        UndoResult,
        ValidateResult,
    )
    from taxiway.model.version import MigrationVersion
    from taxiway.secret import Secret

__all__ = [
    "BaselineResult",
    "CallbackFailed",
    "CleanResult",
    "ConnectionTestResult",
    "InfoResult",
    "MigrateResult",
    "MigrationFailed",
    "MigrationInfo",
    "MigrationState",
    "MigrationVersion",
    "RepairResult",
    "Secret",
    "TaxiwayError",
    "UndoResult",
    "ValidateResult",
    "ValidationFailed",
    "__version__",
    "baseline",
    "clean",
    "info",
    "migrate",
    "repair",
    "test_connection",
    "undo",
    "validate",
]

_HOME = {
    "BaselineResult": "taxiway.model.result",
    "CallbackFailed": "taxiway.errors",
    "CleanResult": "taxiway.model.result",
    "ConnectionTestResult": "taxiway.model.result",
    "InfoResult": "taxiway.model.info",
    "MigrateResult": "taxiway.model.result",
    "MigrationFailed": "taxiway.errors",
    "MigrationInfo": "taxiway.model.info",
    "MigrationState": "taxiway.model.info",
    "MigrationVersion": "taxiway.model.version",
    "RepairResult": "taxiway.model.result",
    "Secret": "taxiway.secret",
    "TaxiwayError": "taxiway.errors",
    "UndoResult": "taxiway.model.result",
    "ValidateResult": "taxiway.model.result",
    "ValidationFailed": "taxiway.errors",
    "baseline": "taxiway.api",
    "clean": "taxiway.api",
    "info": "taxiway.api",
    "migrate": "taxiway.api",
    "repair": "taxiway.api",
    "test_connection": "taxiway.api",
    "undo": "taxiway.api",
    "validate": "taxiway.api",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attributes have no common type
    """Load a public name on its first use (PEP 562)."""
    try:
        module = _HOME[name]
    except KeyError:
        raise AttributeError(f"module 'taxiway' has no attribute {name!r}") from None
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
