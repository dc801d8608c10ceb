"""Failures in the JSON shape of Flyway 13. In errors, ``taxiwayCode`` and ``hint`` are additions of ours."""

from collections.abc import Mapping, Sequence
from typing import Final

from taxiway import errors
from taxiway.model.migration import MigrationKind
from taxiway.model.result import MigrationOutput, UndoResult
from taxiway.reports.flyway_json import Json, Stamp, applied_item, migrate_json, several_json, undo_json

# Flyway's general codes (CoreErrorCode); what is not listed is its default, ERROR.
_ERROR_CODES: Final[Mapping[type[errors.TaxiwayError], str]] = {
    errors.ConfigError: "CONFIGURATION",
    # It is the default code that Flyway gives this one.
    errors.CleanDisabled: "ERROR",
    errors.InvalidScriptConfiguration: "CONFIGURATION",
    errors.ValidationFailed: "VALIDATE_ERROR",
    errors.NonEmptySchema: "NON_EMPTY_SCHEMA_WITHOUT_SCHEMA_HISTORY_TABLE",
    errors.DatabaseError: "DB_CONNECTION",
    errors.ObsoleteOption: "CONFIGURATION_RECOVERABLE",
    errors.VariableNotSet: "ENVIRONMENT_RESOLVE",
}

_FAILED_CODES: Final = {
    MigrationKind.VERSIONED: "FAILED_VERSIONED_MIGRATION",
    MigrationKind.REPEATABLE: "FAILED_REPEATABLE_MIGRATION",
    MigrationKind.BASELINE: "FAILED_BASELINE_MIGRATION",
    # Flyway's open code has no word for this one.
    MigrationKind.UNDO: "FAILED_UNDO_MIGRATION",
}


_DUPLICATE_CODES: Final = {
    MigrationKind.VERSIONED: "DUPLICATE_VERSIONED_MIGRATION",
    MigrationKind.REPEATABLE: "DUPLICATE_REPEATABLE_MIGRATION",
    # Flyway sorts migrations by whether they undo and whether they have a version.
    MigrationKind.BASELINE: "DUPLICATE_VERSIONED_MIGRATION",
    MigrationKind.UNDO: "DUPLICATE_UNDO_MIGRATION",
}


def error_json(error: errors.TaxiwayError, stamp: Stamp) -> Json:
    """A failed command. What ended a ``migrate`` or ``undo`` under way comes inside its result, as with Flyway."""
    details = _error_details(error)
    if error.result is None:
        return {"error": details} | _beside(error)
    failure = {"success": False, "exception": error.message, "error": details}
    if isinstance(error.result, UndoResult):
        return undo_json(error.result, stamp) | failure
    return migrate_json(error.result, stamp) | failure | {"targetSchemaVersion": None}


def _beside(error: errors.TaxiwayError) -> Json:
    """What a program needs to go on with: the task that was started or meant, the snapshot that was made."""
    task = error.task if isinstance(error, errors.TaskError) else None
    return {
        **({"task": {"id": task}} if task else {}),
        **({"snapshot": error.snapshot} if error.snapshot else {}),
    }


def failed_chain_json(done: Sequence[Json], failure: Json) -> Json:
    """Several commands, the last of which failed.

    A result that has an error inside is one of the results; an error alone comes beside them (Flyway 13 gives it
    alone, without the results of the commands before).
    """
    if failure.keys() == {"error"}:
        return failure | several_json(done)
    return several_json([*done, failure])


def stopped_json(message: str, *, code: str, applied: Sequence[MigrationOutput]) -> Json:
    """A command that was stopped by a signal, or by a bug of ours, with what it is known to have applied."""
    return {
        "error": {
            "errorCode": "FAULT" if code == "bug" else "ERROR",
            "message": message,
            "cause": None,
            "taxiwayCode": code,
            "hint": "Run 'taxiway info' to see every migration with its state.",
        },
        "success": False,
        "migrations": [applied_item(one) for one in applied],
        "migrationsExecuted": len(applied),
    }


def _error_details(error: errors.TaxiwayError) -> Json:
    match error:
        case errors.MigrationFailed():
            return _migration_error(error)
        case errors.CallbackFailed():
            return _general_error(error) | _place(error)
        case _:
            return _general_error(error)


def _migration_error(error: errors.MigrationFailed) -> Json:
    return {
        "errorCode": _FAILED_CODES[error.kind],
        "message": error.message,
        "cause": None,
        "rolledBack": error.rolled_back,
        "taxiwayCode": error.code,
        "hint": error.hint,
        **_place(error),
    }


def _place(error: errors.MigrationFailed | errors.CallbackFailed) -> Json:
    """What the server refused, and where it stands in the script."""
    return {
        "sqlState": error.sqlstate,
        "sqlErrorCode": 0,
        "lineNumber": error.line if error.line is not None else -1,
        "columnNumber": error.column if error.column is not None else -1,
        "path": error.path,
        "excerpt": error.excerpt,
    }


def _general_error(error: errors.TaxiwayError) -> Json:
    details: Json = {
        "errorCode": _error_code(error),
        "message": error.message,
        "cause": None,
        "taxiwayCode": error.code,
        "hint": error.hint,
    }
    if isinstance(error, errors.ObsoleteOption):
        details["obsoleteParameters"] = [key for key, _present in error.obsolete]
    if isinstance(error, errors.DatabaseError):
        unreachable = isinstance(error, errors.ConnectionFailed | errors.ConnectionLost)
        details |= {
            "subErrorCode": "CONNECTION_FAILURE" if unreachable else None,
            "sqlState": error.sqlstate,
            "sqlErrorCode": 0,
        }
    return details


def _error_code(error: errors.TaxiwayError) -> str:
    if isinstance(error, errors.DuplicateMigration):
        return _DUPLICATE_CODES[error.kind]
    return next((_ERROR_CODES[cls] for cls in type(error).__mro__ if cls in _ERROR_CODES), "ERROR")
