"""``validate``: do scripts and history agree? Changes nothing and takes no lock."""

from taxiway.engine.ports import Session
from taxiway.engine.survey import Scope, require_migrations, survey
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
    problems = find_problems(seen.infos, settings.policy, pending_ignored=False)
    if seen.table.schema not in seen.facts.existing and problems:
        problems = (_missing_schema(seen.table.schema),)
    return ValidateResult(
        database=session.facts.database, problems=problems, count=0 if problems else len(seen.infos)
    )


def _missing_schema(schema: str) -> ValidationProblem:
    return ValidationProblem(
        code="SCHEMA_DOES_NOT_EXIST",
        message=f'Schema "{schema}" does not exist while migrations are waiting; run migrate to create it.',
        version=None,
        description="",
        path="",
    )
