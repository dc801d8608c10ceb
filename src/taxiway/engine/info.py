"""``info``: every migration with its state. Changes nothing and takes no lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxiway.engine.callbacks import Callbacks
from taxiway.engine.survey import Scope, survey
from taxiway.model.callback import CallbackEvent
from taxiway.model.info import InfoResult, MigrationState
from taxiway.planning.filter import filter_infos

if TYPE_CHECKING:
    from taxiway.engine.tools import Tools
    from taxiway.model.settings import MigrationSettings


def info(scope: Scope, settings: MigrationSettings, tools: Tools) -> InfoResult:
    """Look at files and database and say where each migration stands, as far as ``info_filter`` lets it pass."""
    callbacks = Callbacks(scope, settings, tools)
    with callbacks.around(CallbackEvent.BEFORE_INFO, CallbackEvent.AFTER_INFO, CallbackEvent.AFTER_INFO_ERROR):
        seen = survey(scope, settings, tools.session, foresee_baseline=True)
    callbacks.fire(CallbackEvent.AFTER_INFO_OPERATION_FINISH)
    shown = filter_infos(seen.infos, settings.info_filter)
    return InfoResult(
        database=tools.session.facts.database,
        schema=scope.table.schema,
        schemas=settings.schemas,
        schema_version=seen.current_version,
        migrations=tuple(one for one in shown if one.state is not MigrationState.AVAILABLE),
        all_schemas_empty=not seen.facts.non_empty,
        time_zone=tools.session.facts.time_zone,
        left_out=len(seen.infos) - len(shown),
    )
