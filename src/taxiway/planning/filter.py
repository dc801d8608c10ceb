"""Which entries ``info`` shows. Rules of Flyway 13 (``MigrationFilterImpl``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxiway.model.info import MigrationInfo, MigrationState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from taxiway.model.rules import InfoFilter
    from taxiway.model.version import MigrationVersion


def filter_infos(infos: Iterable[MigrationInfo], info_filter: InfoFilter) -> tuple[MigrationInfo, ...]:
    """The entries that pass every condition. Undo scripts that wait for their use pass all of them.

    ``since`` keeps what has no date or version, ``until`` leaves it out. Versions include their limits, dates do
    not.
    """
    return tuple(info for info in infos if info.state is MigrationState.AVAILABLE or _passes(info, info_filter))


def _passes(info: MigrationInfo, wanted: InfoFilter) -> bool:
    return (
        (not wanted.states or info.state in wanted.states)
        and _is_dated(info.installed_on, wanted)
        and _is_within(info.version, wanted)
    )


def _is_dated(installed_on: datetime | None, wanted: InfoFilter) -> bool:
    if installed_on is None:
        return wanted.until_date is None
    since, until = wanted.since_date, wanted.until_date
    return (since is None or installed_on > since) and (until is None or installed_on < until)


def _is_within(version: MigrationVersion | None, wanted: InfoFilter) -> bool:
    if version is None:
        return wanted.until_version is None
    since, until = wanted.since_version, wanted.until_version
    return (since is None or version >= since) and (until is None or version <= until)
