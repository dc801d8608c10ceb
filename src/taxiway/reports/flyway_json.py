"""Results in the JSON shape of Flyway 13, for scripts that parse it. Field names and nulls are Flyway's.

``flywayVersion`` names the version whose shape and behaviour this is; ``taxiwayVersion`` is our own. Errors:
:mod:`.flyway_error_json`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from taxiway.model.info import InfoResult, MigrationInfo, MigrationState
from taxiway.model.migration import AppliedMigration
from taxiway.model.result import (
    AddResult,
    BaselineResult,
    CleanResult,
    CommandResult,
    ConnectionTestResult,
    InitResult,
    MigrateResult,
    MigrationOutput,
    RepairResult,
    RolesResult,
    RunResult,
    UndoResult,
    ValidateResult,
    ValidationProblem,
)
from taxiway.model.version import MigrationVersion
from taxiway.reports.text import render_undoable

if TYPE_CHECKING:
    from taxiway.model.role import RoleChange

FLYWAY_VERSION: Final = "13.12.0"

_FIXED_ZONE: Final = re.compile(r"(?:Etc/)?(?:UTC|GMT(?P<west>[+-]\d{1,2})?)")

type Json = dict[str, Any]


class Stamp(NamedTuple):
    """When a result was made, in local time, and by which version of Taxiway."""

    now: datetime
    version: str


def result_json(result: CommandResult, stamp: Stamp) -> Json:
    """The result of a command on a database, whichever it is."""
    make: Callable[[Any, Stamp], Json] = _MAKERS[type(result)]
    return make(result, stamp)


def info_json(result: InfoResult, stamp: Stamp) -> Json:
    """The result of ``info``; ``warnings`` is an addition of ours.

    Undo scripts that could run are not among the migrations; those that ran are.
    """
    schema_version = result.schema_version
    shown = (info for info in result.migrations if info.state is not MigrationState.AVAILABLE)
    return {
        "timestamp": _timestamp(stamp.now),
        "exception": None,
        "licenseFailed": False,
        "schemaVersion": schema_version.text if schema_version is not None else None,
        "schemaName": ", ".join(result.schemas),
        "migrations": [_info_item(info, result.time_zone) for info in shown],
        "allSchemasEmpty": result.all_schemas_empty,
        "warnings": list(result.warnings),
        **_head("info", result.database, stamp),
    }


def migrate_json(result: MigrateResult, stamp: Stamp) -> Json:
    """The result of a successful ``migrate``. With declared roles, ``roles`` is an addition of ours."""
    initial, target = result.initial_version, result.target_version
    return {
        "timestamp": _timestamp(stamp.now),
        "exception": None,
        "licenseFailed": False,
        "initialSchemaVersion": initial.text if initial is not None else None,
        "targetSchemaVersion": target.text if target is not None else None,
        "schemaName": ", ".join(result.schemas),
        "migrations": [applied_item(one) for one in result.migrations],
        "migrationsExecuted": result.count,
        "success": True,
        "databaseType": "PostgreSQL",
        "warnings": list(result.warnings),
        "totalMigrationTime": sum(one.execution_time_ms for one in result.migrations),
        **({"roles": _changes(result.roles)} if result.roles is not None else {}),
        **_head("migrate", result.database, stamp),
    }


def undo_json(result: UndoResult, stamp: Stamp) -> Json:
    """The result of a successful ``undo``; ``success`` is an addition of ours."""
    initial, target = result.initial_version, result.target_version
    return {
        "initialSchemaVersion": initial.text if initial is not None else None,
        "targetSchemaVersion": target.text if target is not None else None,
        "schemaName": ", ".join(result.schemas),
        "undoneMigrations": [_undone_item(one) for one in result.migrations],
        "migrationsUndone": result.count,
        "success": True,
        "warnings": list(result.warnings),
        **_head("undo", result.database, stamp),
    }


def validate_json(result: ValidateResult, stamp: Stamp) -> Json:
    """The result of ``validate``, successful or not."""
    failed = not result.successful
    only = result.problems[0].code if len(result.problems) == 1 else ""
    code = only if only == "SCHEMA_DOES_NOT_EXIST" else "VALIDATE_ERROR"
    messages = "\n".join(problem.message for problem in result.problems)
    return {
        "warnings": list(result.warnings),
        "validationSuccessful": not failed,
        "validateCount": 0 if failed else result.count,
        "errorDetails": {"errorCode": code, "errorMessage": messages} if failed else None,
        "invalidMigrations": [_invalid_item(problem) for problem in result.problems],
        "allErrorMessages": messages,
        **_head("validate", result.database, stamp),
    }


def baseline_json(result: BaselineResult, stamp: Stamp) -> Json:
    """The result of ``baseline``."""
    return {
        "warnings": list(result.warnings),
        "successfullyBaselined": True,
        "baselineVersion": result.version.text,
        **_head("baseline", result.database, stamp),
    }


_REMOVED: Final = "Removed failed migrations"
_DELETED: Final = "Marked missing migrations as deleted"
_ALIGNED: Final = "Aligned applied migration checksums"


def repair_json(result: RepairResult, stamp: Stamp) -> Json:
    """The result of ``repair``; ``carriedOut`` is an addition of ours, false if it was only planned."""
    plan = result.plan
    actions = ((_REMOVED, plan.removals), (_DELETED, plan.deletions), (_ALIGNED, plan.alignments))
    return {
        "warnings": list(result.warnings),
        "repairActions": [action for action, rows in actions if rows],
        "migrationsRemoved": [_repaired_item(row, result) for row in plan.removals],
        "migrationsDeleted": [_repaired_item(deletion.before, result) for deletion in plan.deletions],
        "migrationsAligned": [_repaired_item(alignment.before, result) for alignment in plan.alignments],
        "carriedOut": result.carried_out,
        **_head("repair", result.database, stamp),
    }


def clean_json(result: CleanResult, stamp: Stamp) -> Json:
    """The result of ``clean``."""
    return {
        "warnings": list(result.warnings),
        "schemasCleaned": list(result.cleaned),
        "schemasDropped": list(result.dropped),
        **_head("clean", result.database, stamp),
    }


def roles_json(result: RolesResult, stamp: Stamp) -> Json:
    """The result of ``roles``, a command of ours."""
    return {
        "warnings": list(result.warnings),
        "roles": _changes(result.changes),
        "carriedOut": result.carried_out,
        **_head("roles", result.database, stamp),
    }


def _changes(changes: "Sequence[RoleChange]") -> list[Json]:
    from taxiway.reports.roles import change_json  # most projects declare none

    return [change_json(change) for change in changes]


def connection_test_json(result: ConnectionTestResult, _stamp: Stamp) -> Json:
    """The result of ``test-connection``; where, as whom and ``warnings`` are additions of ours."""
    return {
        "successfulConnections": ["Flyway"],
        "warnings": list(result.warnings),
        "connection": {"label": result.label, "user": result.user, "serverVersion": result.server_version},
    }


def add_json(result: AddResult, _stamp: Stamp) -> Json:
    """The result of ``add``."""
    return {
        "path": result.path,
        "version": _text(result.version),
        "description": result.description,
    }


def init_json(result: InitResult, _stamp: Stamp) -> Json:
    """The result of ``init``."""
    return {"path": result.path, "projectId": result.project_id, "location": result.location}


def version_json(version: str) -> Json:
    """The result of ``version``. There are no editions and no plug-ins here."""
    return {
        "version": FLYWAY_VERSION,
        "taxiwayVersion": version,
        "command": "version",
        "edition": "Taxiway",
        "pluginVersions": [],
        "permitExpiry": None,
    }


def engines_json(version: str) -> Json:
    """The result of ``list-engines``."""
    return {
        "version": FLYWAY_VERSION,
        "taxiwayVersion": version,
        "command": "list-engines",
        "edition": "Taxiway",
        "dbInfoResults": [{"name": "PostgreSQL"}],
    }


def _head(operation: str, database: str, stamp: Stamp) -> Json:
    """What the results of all commands have."""
    return {
        "operation": operation,
        "flywayVersion": FLYWAY_VERSION,
        "taxiwayVersion": stamp.version,
        "database": database,
    }


def several_json(results: Sequence[Json]) -> Json:
    """The results of several commands of one call."""
    return {"individualResults": list(results)}


def run_json(result: RunResult, stamp: Stamp) -> Json:
    """The three results of the job, and where its scripts came from."""
    return several_json(
        [info_json(result.before, stamp), migrate_json(result.migrate, stamp), info_json(result.after, stamp)]
    ) | {"source": {"repository": result.repository, "branch": result.branch, "commit": result.commit}}


def applied_item(one: MigrationOutput) -> Json:
    """A migration that was applied, as an item of a list."""
    return {
        "category": one.kind.value,
        "version": _text(one.version),
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
        "version": _text(version),
        "rawVersion": version.raw if version is not None else "",
        "description": info.description,
        "type": info.type.value,
        "installedOnUTC": _instant(applied.installed_on, time_zone) if applied else "",
        "state": info.state.value,
        "undoable": undoable,
        "filepath": info.resolved.path if info.resolved else "",
        "undoFilepath": info.undo.path if info.undo else "",
        "installedBy": applied.installed_by if applied else "",
        "shouldExecuteExpression": info.resolved.configuration.should_execute_expression
        if info.resolved
        else None,
        "executionTime": applied.execution_time_ms if applied else 0,
    }


def _invalid_item(problem: ValidationProblem) -> Json:
    return {
        "version": _text(problem.version),
        "description": problem.description,
        "filepath": problem.path,
        "errorDetails": {"errorCode": problem.code, "errorMessage": problem.message},
    }


def _undone_item(one: MigrationOutput) -> Json:
    return {
        "version": _text(one.version),
        "description": one.description,
        "filepath": one.path,
        "executionTime": one.execution_time_ms,
    }


def _repaired_item(row: AppliedMigration, result: RepairResult) -> Json:
    return {
        "version": _text(row.version),
        "description": row.description,
        "filepath": result.paths.get(row.installed_rank, ""),
    }


def _text(version: MigrationVersion | None) -> str:
    return version.text if version is not None else ""


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


_MAKERS: Final[Mapping[type[CommandResult], Callable[[Any, Stamp], Json]]] = {
    InfoResult: info_json,
    MigrateResult: migrate_json,
    ValidateResult: validate_json,
    UndoResult: undo_json,
    BaselineResult: baseline_json,
    RepairResult: repair_json,
    CleanResult: clean_json,
    RolesResult: roles_json,
    ConnectionTestResult: connection_test_json,
}
