"""``validate``: do scripts and history agree? Changes nothing and takes no lock."""

from taxiway.engine.ports import Session
from taxiway.engine.survey import Scope, require_migrations, survey
from taxiway.model.info import MigrationState
from taxiway.model.result import ValidateResult, ValidationProblem
from taxiway.model.settings import MigrationSettings
from taxiway.planning.validate import validate as find_problems


def validate(scope: Scope, settings: MigrationSettings, session: Session) -> ValidateResult:
    """Compare every migration with its history row, and list every disagreement.

    Pending migrations are problems here, as with Flyway; within ``migrate`` they are not.

    Raises:
        NoMigrationsFound: There is nothing to compare with.
    """
    require_migrations(scope, settings)
    seen = survey(scope, settings, session)
    if scope.table.schema in seen.facts.existing:
        problems = find_problems(seen.infos, settings.policy, pending_ignored=False)
        count = 0 if problems else len(seen.infos)
    else:
        # Flyway 13: nothing is compared then.
        waiting = scope.resolution.migrations and not settings.policy.ignores(MigrationState.PENDING)
        problems = (_missing_schema(scope.table.schema),) if waiting else ()
        count = 0
    return ValidateResult(database=session.facts.database, problems=problems, count=count)


def _missing_schema(schema: str) -> ValidationProblem:
    return ValidationProblem(
        code="SCHEMA_DOES_NOT_EXIST",
        message=f'Schema "{schema}" does not exist while migrations are waiting; run migrate to create it.',
        version=None,
        description="",
        path="",
    )
