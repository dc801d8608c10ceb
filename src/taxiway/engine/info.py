"""``info``: every migration with its state. Changes nothing and takes no lock."""

from taxiway.engine.ports import Session
from taxiway.engine.survey import Scope, survey
from taxiway.model.info import MigrationState
from taxiway.model.result import InfoResult
from taxiway.model.settings import MigrationSettings


def info(scope: Scope, settings: MigrationSettings, session: Session) -> InfoResult:
    """Look at files and database and say where each migration stands."""
    seen = survey(scope, settings, session)
    return InfoResult(
        database=session.facts.database,
        schema=scope.table.schema,
        schemas=settings.schemas,
        schema_version=seen.current_version,
        migrations=tuple(one for one in seen.infos if one.state is not MigrationState.AVAILABLE),
        all_schemas_empty=not seen.facts.non_empty,
        time_zone=session.facts.time_zone,
    )
