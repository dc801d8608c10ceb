"""Moments in UTC, whatever the machine knows of time zones."""

from dataclasses import replace
from datetime import datetime

import pytest

from taxiway.model.info import InfoResult, MigrationInfo, MigrationState
from taxiway.reports.flyway_json import Stamp, info_json
from tests.support.builders import NOON, applied


def installed_on_utc(local: datetime, time_zone: str) -> str:
    row = replace(applied("1"), installed_on=local)
    info = MigrationInfo(resolved=None, applied=row, state=MigrationState.MISSING_SUCCESS)
    result = InfoResult(
        database="app",
        schema="public",
        schemas=(),
        schema_version=None,
        migrations=(info,),
        all_schemas_empty=False,
        time_zone=time_zone,
    )
    [item] = info_json(result, Stamp(NOON, "1"))["migrations"]
    return str(item["installedOnUTC"])


@pytest.mark.parametrize(
    ("time_zone", "utc"),
    [
        ("UTC", "2026-01-02T12:00:00Z"),
        ("Etc/UTC", "2026-01-02T12:00:00Z"),
        ("GMT", "2026-01-02T12:00:00Z"),
        ("Etc/GMT-9", "2026-01-02T03:00:00Z"),
        ("Etc/GMT+11", "2026-01-02T23:00:00Z"),
    ],
)
def test_fixed_offsets_need_no_database_of_time_zones(time_zone: str, utc: str) -> None:
    assert installed_on_utc(NOON, time_zone) == utc


@pytest.mark.parametrize("time_zone", ["Nowhere/Land", "..", "Europe"])
def test_a_zone_that_nobody_knows_is_that_of_the_machine(time_zone: str) -> None:
    expected = NOON.astimezone().timestamp()
    assert datetime.fromisoformat(installed_on_utc(NOON, time_zone)).timestamp() == expected


@pytest.mark.parametrize(("microsecond", "fraction"), [(0, ""), (120_000, ".120"), (120, ".000120")])
def test_fractions_look_as_in_java(microsecond: int, fraction: str) -> None:
    assert installed_on_utc(NOON.replace(microsecond=microsecond), "UTC") == f"2026-01-02T12:00:00{fraction}Z"
