"""From a file of the locations to a script that can be run."""

from typing import Final

from taxiway.engine.ports import Session
from taxiway.engine.survey import Scope
from taxiway.model.callback import Callback
from taxiway.model.migration import ResolvedMigration
from taxiway.model.script import Script
from taxiway.model.settings import MigrationSettings
from taxiway.sql.script import parse_script

# Flyway 13 takes every program for transactional: its history row is, and it is recorded only when it succeeds.
PROGRAM_SCRIPT: Final = Script((), transactional=True)


def read_script(
    file: ResolvedMigration | Callback, scope: Scope, settings: MigrationSettings, session: Session
) -> Script:
    """Read a script, replace its placeholders and split it; a program has no statements.

    A large script is read again when it runs.

    Raises:
        ScriptError: The file is not what it was, or not in order.
    """
    if file.program is not None:
        return PROGRAM_SCRIPT
    configuration = file.configuration
    placeholders = scope.placeholders
    if configuration.placeholder_replacement is not None:
        placeholders = placeholders._replace(enabled=configuration.placeholder_replacement)
    return parse_script(
        file.read,
        placeholders,
        path=file.path,
        filename=file.script.rpartition("/")[2],
        mixed=settings.mixed,
        server_version_num=session.facts.server_version_num,
        standard_strings=session.facts.standard_strings,
        in_transaction=settings.execute_in_transaction,
        declared=configuration.execute_in_transaction,
    )
