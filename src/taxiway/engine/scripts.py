"""From a file of the locations to a script that can be run."""

from typing import Final

from taxiway.engine.ports import Session
from taxiway.engine.survey import Scope
from taxiway.model.callback import Callback
from taxiway.model.migration import ResolvedMigration
from taxiway.model.script import Script
from taxiway.model.settings import MigrationSettings
from taxiway.sql.script import LONGEST_SMALL_SCRIPT, parse_script

# Flyway 13 takes every program for transactional: its history row is, and it is recorded only when it succeeds.
PROGRAM_SCRIPT: Final = Script((), transactional=True)


# In characters: what all scripts of a run may take of the memory, which a task has half a gigabyte of
_MOST_KEPT: Final = 16 << 20


class Scripts:
    """The scripts of the migrations of a run, each looked at once, however often the plan is made."""

    def __init__(self, scope: Scope, settings: MigrationSettings, session: Session) -> None:
        self._scope, self._settings, self._session = scope, settings, session
        self._scripts: dict[str, Script] = {}
        self._left = _MOST_KEPT

    def of(self, migration: ResolvedMigration) -> Script:
        """Its script; read anew when it runs if the ones before it have used up the memory.

        Raises:
            ScriptError: The file is not what it was, or not in order.
        """
        script = self._scripts.get(migration.path)
        if script is None:
            longest = min(LONGEST_SMALL_SCRIPT, self._left)
            script = read_script(migration, self._scope, self._settings, self._session, longest_kept=longest)
            self._scripts[migration.path] = script
            self._left -= script.length
        return script


def read_script(
    file: ResolvedMigration | Callback,
    scope: Scope,
    settings: MigrationSettings,
    session: Session,
    *,
    longest_kept: int = LONGEST_SMALL_SCRIPT,
) -> Script:
    """Read a script, replace its placeholders and split it; a program has no statements.

    One that is longer than ``longest_kept``, in characters, is read again when it runs.

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
        longest_kept=longest_kept,
        look=file.read if isinstance(file, Callback) else file.look,
    )
