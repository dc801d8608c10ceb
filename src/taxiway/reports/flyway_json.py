"""Results in the JSON shape of Flyway 13, for scripts that parse it. Field names and nulls are Flyway's.

``flywayVersion`` names the version whose shape and behaviour this is; ``taxiwayVersion`` is our own. In errors,
``taxiwayCode`` and ``hint`` are additions of ours.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from taxiway import errors
from taxiway.model.info import MigrationInfo, MigrationState
from taxiway.model.migration import MigrationKind
from taxiway.model.result import (
    InfoResult,
    MigrateResult,
    MigrationOutput,
    RunResult,
    ValidateResult,
    ValidationProblem,
)
from taxiway.reports.text import render_undoable

FLYWAY_VERSION: Final = "13.0.0"

_FIXED_ZONE: Final = re.compile(r"(?:Etc/)?(?:UTC|GMT(?P<west>[+-]\d{1,2})?)")

type Json = dict[str, Any]

# Flyway's general codes (CoreErrorCode); what is not listed is its default, ERROR.
_ERROR_CODES: Final[Mapping[type[errors.TaxiwayError], str]] = {
    errors.ConfigError: "CONFIGURATION",
    errors.ValidationFailed: "VALIDATE_ERROR",
    errors.NonEmptySchema: "NON_EMPTY_SCHEMA_WITHOUT_SCHEMA_HISTORY_TABLE",
    errors.DatabaseError: "DB_CONNECTION",
}

_FAILED_CODES: Final = {
    MigrationKind.VERSIONED: "FAILED_VERSIONED_MIGRATION",
    MigrationKind.REPEATABLE: "FAILED_REPEATABLE_MIGRATION",
    MigrationKind.BASELINE: "FAILED_BASELINE_MIGRATION",
}


def info_json(result: InfoResult, *, now: datetime, version: str) -> Json:
    """The result of ``info``."""
    schema_version = result.schema_version
    return {
        "timestamp": _timestamp(now),
        "operation": "info",
        "exception": None,
        "licenseFailed": False,
        "schemaVersion": schema_version.text if schema_version is not None else None,
        "schemaName": ", ".join(result.schemas),
        "migrations": [_info_item(info, result.time_zone) for info in result.migrations],
        "flywayVersion": FLYWAY_VERSION,
        "taxiwayVersion": version,
        "database": result.database,
        "allSchemasEmpty": result.all_schemas_empty,
    }


def migrate_json(result: MigrateResult, *, now: datetime, version: str) -> Json:
    """The result of a successful ``migrate``."""
    initial, target = result.initial_version, result.target_version
    return {
        "timestamp": _timestamp(now),
        "operation": "migrate",
        "exception": None,
        "licenseFailed": False,
        "initialSchemaVersion": initial.text if initial is not None else None,
        "targetSchemaVersion": target.text if target is not None else None,
        "schemaName": ", ".join(result.schemas),
        "migrations": [_applied_item(one) for one in result.migrations],
        "migrationsExecuted": result.count,
        "success": True,
        "flywayVersion": FLYWAY_VERSION,
        "taxiwayVersion": version,
        "database": result.database,
        "databaseType": "PostgreSQL",
        "warnings": list(result.warnings),
        "totalMigrationTime": sum(one.execution_time_ms for one in result.migrations),
    }


def validate_json(result: ValidateResult, *, version: str) -> Json:
    """The result of ``validate``, successful or not."""
    failed = not result.successful
    only = result.problems[0].code if len(result.problems) == 1 else ""
    code = only if only == "SCHEMA_DOES_NOT_EXIST" else "VALIDATE_ERROR"
    messages = "\n".join(problem.message for problem in result.problems)
    return {
        "operation": "validate",
        "flywayVersion": FLYWAY_VERSION,
        "taxiwayVersion": version,
        "database": result.database,
        "warnings": [],
        "validationSuccessful": not failed,
        "validateCount": 0 if failed else result.count,
        "errorDetails": {"errorCode": code, "errorMessage": messages} if failed else None,
        "invalidMigrations": [_invalid_item(problem) for problem in result.problems],
        "allErrorMessages": messages,
    }


def several_json(results: Sequence[Json]) -> Json:
    """The results of several commands of one call."""
    return {"individualResults": list(results)}


def run_json(result: RunResult, *, now: datetime, version: str) -> Json:
    """The three results of the job, and where its scripts came from."""
    return several_json(
        [
            info_json(result.before, now=now, version=version),
            migrate_json(result.migrate, now=now, version=version),
            info_json(result.after, now=now, version=version),
        ]
    ) | {"source": {"repository": result.repository, "branch": result.branch, "commit": result.commit}}


def error_json(error: errors.TaxiwayError, *, now: datetime, version: str) -> Json:
    """A failed command. What ended a ``migrate`` under way comes inside its result, as with Flyway."""
    details = _migration_error(error) if isinstance(error, errors.MigrationFailed) else _general_error(error)
    if error.result is None:
        return {"error": details}
    return migrate_json(error.result, now=now, version=version) | {
        "success": False,
        "targetSchemaVersion": None,
        "exception": error.message,
        "error": details,
    }


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
        "migrations": [_applied_item(one) for one in applied],
        "migrationsExecuted": len(applied),
    }


def _migration_error(error: errors.MigrationFailed) -> Json:
    return {
        "errorCode": _FAILED_CODES.get(error.kind, "FAILED_VERSIONED_MIGRATION"),
        "sqlState": error.sqlstate,
        "sqlErrorCode": 0,
        "message": error.message,
        "lineNumber": error.line if error.line is not None else -1,
        "path": error.path,
        "cause": None,
        "columnNumber": error.column if error.column is not None else -1,
        "excerpt": error.excerpt,
        "rolledBack": error.rolled_back,
        "taxiwayCode": error.code,
        "hint": error.hint,
    }


def _general_error(error: errors.TaxiwayError) -> Json:
    details: Json = {
        "errorCode": _error_code(error),
        "message": error.message,
        "cause": None,
        "taxiwayCode": error.code,
        "hint": error.hint,
    }
    if isinstance(error, errors.DatabaseError):
        unreachable = isinstance(error, errors.ConnectionFailed | errors.ConnectionLost)
        details |= {
            "subErrorCode": "CONNECTION_FAILURE" if unreachable else None,
            "sqlState": error.sqlstate,
            "sqlErrorCode": 0,
        }
    return details


def _error_code(error: errors.TaxiwayError) -> str:
    return next((_ERROR_CODES[cls] for cls in type(error).__mro__ if cls in _ERROR_CODES), "ERROR")


def _applied_item(one: MigrationOutput) -> Json:
    return {
        "category": one.kind.value,
        "version": one.version.text if one.version is not None else "",
        "description": one.description,
        "type": one.type,
        "filepath": one.path,
        "executionTime": one.execution_time_ms,
    }


def _info_item(info: MigrationInfo, time_zone: str) -> Json:
    version, applied = info.version, info.applied
    # Flyway 13: unlike in the table, deleted entries say "No" here.
    undoable = "No" if info.state is MigrationState.DELETED else render_undoable(info)
    return {
        "category": info.category,
        "version": version.text if version is not None else "",
        "rawVersion": version.raw if version is not None else "",
        "description": info.description,
        "type": info.type.value,
        "installedOnUTC": _instant(applied.installed_on, time_zone) if applied else "",
        "state": info.state.value,
        "undoable": undoable,
        "filepath": info.resolved.path if info.resolved else "",
        "undoFilepath": "",
        "installedBy": applied.installed_by if applied else "",
        "shouldExecuteExpression": None,
        "executionTime": applied.execution_time_ms if applied else 0,
    }


def _invalid_item(problem: ValidationProblem) -> Json:
    return {
        "version": problem.version.text if problem.version is not None else "",
        "description": problem.description,
        "filepath": problem.path,
        "errorDetails": {"errorCode": problem.code, "errorMessage": problem.message},
    }


def _timestamp(now: datetime) -> str:
    """Local date and time without a zone, as Java's LocalDateTime prints it."""
    return now.replace(tzinfo=None).isoformat()


def _instant(local: datetime, time_zone: str) -> str:
    """A moment in UTC as Java's Instant prints it: no fraction when it is zero, else groups of three digits."""
    moment = local.replace(tzinfo=_zone(time_zone)).astimezone(UTC)
    fraction = f"{moment.microsecond:06d}" if moment.microsecond else ""
    fraction = fraction.removesuffix("000") if moment.microsecond % 1000 == 0 else fraction
    return f"{moment:%Y-%m-%dT%H:%M:%S}{'.' + fraction if fraction else ''}Z"


def _zone(name: str) -> tzinfo | None:
    """The zone of that name; ``None``, the machine's own, if Python has no database of time zones.

    Small images have none. The names of fixed offsets need none; any other name of a session's zone is the one
    that this machine is set to, because that is where the session has it from.
    """
    if fixed := _FIXED_ZONE.fullmatch(name):
        # POSIX counts to the west: Etc/GMT-9 is nine hours ahead.
        return timezone(timedelta(hours=-int(fixed["west"] or 0)))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
