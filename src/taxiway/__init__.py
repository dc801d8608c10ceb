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
    from taxiway.api import info, migrate, validate
    from taxiway.errors import MigrationFailed, TaxiwayError, ValidationFailed
    from taxiway.model.info import MigrationInfo, MigrationState
    from taxiway.model.result import InfoResult, MigrateResult, ValidateResult
    from taxiway.model.version import MigrationVersion
    from taxiway.secret import Secret

__all__ = [
    "InfoResult",
    "MigrateResult",
    "MigrationFailed",
    "MigrationInfo",
    "MigrationState",
    "MigrationVersion",
    "Secret",
    "TaxiwayError",
    "ValidateResult",
    "ValidationFailed",
    "__version__",
    "info",
    "migrate",
    "validate",
]

_HOME = {
    "InfoResult": "taxiway.model.result",
    "MigrateResult": "taxiway.model.result",
    "MigrationFailed": "taxiway.errors",
    "MigrationInfo": "taxiway.model.info",
    "MigrationState": "taxiway.model.info",
    "MigrationVersion": "taxiway.model.version",
    "Secret": "taxiway.secret",
    "TaxiwayError": "taxiway.errors",
    "ValidateResult": "taxiway.model.result",
    "ValidationFailed": "taxiway.errors",
    "info": "taxiway.api",
    "migrate": "taxiway.api",
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
