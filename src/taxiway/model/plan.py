"""What a command is going to do, as a value: the dry run, the tests and the execution look at the same object."""

from dataclasses import dataclass

from taxiway.model.migration import ResolvedMigration
from taxiway.model.script import Script


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMigration:
    """One migration about to run, its script already read, replaced and split.

    ``out_of_order`` says that a higher version has been applied before.
    """

    migration: ResolvedMigration
    script: Script
    out_of_order: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratePlan:
    """Steps of ``migrate`` in order: create schemas, create the history table, run the migrations."""

    create_schemas: tuple[str, ...]
    create_history: bool
    migrations: tuple[PlannedMigration, ...]
