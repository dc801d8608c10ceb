"""``validate``: do scripts and history agree? Changes nothing and takes no lock."""

from taxiway import errors
from taxiway.engine.callbacks import Callbacks
from taxiway.engine.survey import Scope, Survey, require_migrations, survey
from taxiway.engine.tools import Tools
from taxiway.model.callback import CallbackEvent
from taxiway.model.info import MigrationState
from taxiway.model.result import ValidateResult, ValidationProblem
from taxiway.model.settings import MigrationSettings
from taxiway.planning.validate import validate as find_problems


def validate(scope: Scope, settings: MigrationSettings, tools: Tools) -> ValidateResult:
    """Compare every migration with its history row, and list every disagreement.

    Pending migrations are problems here, as with Flyway; within ``migrate`` they are not.

    Raises:
        NoMigrationsFound: There is nothing to compare with.
    """
    require_migrations(scope, settings)
    problems: tuple[ValidationProblem, ...]
    if scope.table.schema in tools.session.look(scope.schemas, scope.table).existing:
        callbacks = Callbacks(scope, settings, tools)
        seen, problems = compare(scope, settings, tools, callbacks, pending_ignored=False)
        count = 0 if problems else len(seen.infos)
    else:
        # Flyway 13: nothing is compared then, and no callback runs.
        waiting = scope.resolution.migrations and not settings.policy.ignores(MigrationState.PENDING)
        problems = (_missing_schema(scope.table.schema),) if waiting else ()
        count = 0
    return ValidateResult(database=tools.session.facts.database, problems=problems, count=count)


def compare(
    scope: Scope, settings: MigrationSettings, tools: Tools, callbacks: Callbacks, *, pending_ignored: bool
) -> tuple[Survey, tuple[ValidationProblem, ...]]:
    """Look at files and database, and find every disagreement, between the callbacks of ``validate``.

    The callbacks for a failure run when there is a problem, and also when it could not be looked for.
    """
    callbacks.fire(CallbackEvent.BEFORE_VALIDATE)
    try:
        seen = survey(scope, settings, tools.session)
    except errors.TaxiwayError:
        callbacks.fire_after_failure(CallbackEvent.AFTER_VALIDATE_ERROR)
        raise
    problems = find_problems(seen.infos, settings.policy, pending_ignored=pending_ignored)
    if problems:
        callbacks.fire_after_failure(CallbackEvent.AFTER_VALIDATE_ERROR)
    else:
        callbacks.fire(CallbackEvent.AFTER_VALIDATE)
    return seen, problems


def _missing_schema(schema: str) -> ValidationProblem:
    return ValidationProblem(
        code="SCHEMA_DOES_NOT_EXIST",
        message=f'Schema "{schema}" does not exist while migrations are waiting; run migrate to create it.',
        version=None,
        description="",
        path="",
    )
