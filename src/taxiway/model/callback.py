"""Scripts that run at a moment of a command rather than once: Flyway's callbacks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from taxiway.model.migration import Program, ScriptConfiguration


class CallbackEvent(Enum):
    """The moments that a callback is named after; the value is how its file name begins (Flyway 13, ``Event``)."""

    BEFORE_CLEAN = "beforeClean"
    AFTER_CLEAN = "afterClean"
    AFTER_CLEAN_ERROR = "afterCleanError"
    BEFORE_MIGRATE = "beforeMigrate"
    BEFORE_EACH_MIGRATE = "beforeEachMigrate"
    BEFORE_EACH_MIGRATE_STATEMENT = "beforeEachMigrateStatement"
    AFTER_EACH_MIGRATE_STATEMENT = "afterEachMigrateStatement"
    AFTER_EACH_MIGRATE_STATEMENT_ERROR = "afterEachMigrateStatementError"
    AFTER_EACH_MIGRATE = "afterEachMigrate"
    AFTER_EACH_MIGRATE_ERROR = "afterEachMigrateError"
    BEFORE_REPEATABLES = "beforeRepeatables"
    AFTER_VERSIONED = "afterVersioned"
    AFTER_MIGRATE_APPLIED = "afterMigrateApplied"
    AFTER_MIGRATE = "afterMigrate"
    AFTER_MIGRATE_ERROR = "afterMigrateError"
    BEFORE_UNDO = "beforeUndo"
    BEFORE_EACH_UNDO = "beforeEachUndo"
    BEFORE_EACH_UNDO_STATEMENT = "beforeEachUndoStatement"
    AFTER_EACH_UNDO_STATEMENT = "afterEachUndoStatement"
    AFTER_EACH_UNDO_STATEMENT_ERROR = "afterEachUndoStatementError"
    AFTER_EACH_UNDO = "afterEachUndo"
    AFTER_EACH_UNDO_ERROR = "afterEachUndoError"
    AFTER_UNDO = "afterUndo"
    AFTER_UNDO_ERROR = "afterUndoError"
    BEFORE_VALIDATE = "beforeValidate"
    AFTER_VALIDATE = "afterValidate"
    AFTER_VALIDATE_ERROR = "afterValidateError"
    BEFORE_BASELINE = "beforeBaseline"
    AFTER_BASELINE = "afterBaseline"
    AFTER_BASELINE_ERROR = "afterBaselineError"
    BEFORE_REPAIR = "beforeRepair"
    AFTER_REPAIR = "afterRepair"
    AFTER_REPAIR_ERROR = "afterRepairError"
    BEFORE_INFO = "beforeInfo"
    AFTER_INFO = "afterInfo"
    AFTER_INFO_ERROR = "afterInfoError"
    CREATE_SCHEMA = "createSchema"
    BEFORE_CREATE_SCHEMA = "beforeCreateSchema"
    BEFORE_CONNECT = "beforeConnect"
    AFTER_CONNECT = "afterConnect"
    AFTER_MIGRATE_OPERATION_FINISH = "afterMigrateOperationFinish"
    AFTER_INFO_OPERATION_FINISH = "afterInfoOperationFinish"
    BEFORE_DEPLOY = "beforeDeploy"
    AFTER_DEPLOY = "afterDeploy"
    AFTER_DEPLOY_ERROR = "afterDeployError"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A callback script found in the locations.

    Attributes:
        script: Path relative to the location, with ``/``.
        path: Where the file lies, for people.
        configuration: What the ``.conf`` file beside it says.
        program: How to run it, if it is not SQL.
        read: Yields the text of the script in chunks, without a byte order mark, placeholders not replaced.
    """

    event: CallbackEvent
    description: str
    script: str
    path: str
    configuration: ScriptConfiguration = field(default_factory=ScriptConfiguration)
    program: Program | None = None
    read: Callable[[], Iterable[str]]
