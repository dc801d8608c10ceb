"""The usual ways to say where we are are read without the libraries that know all of them, and say the same."""

import sys
import time
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from taxiway.postgres.time_zone import local_time_zone


@pytest.fixture(autouse=True)
def restored_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    monkeypatch.undo()
    time.tzset()


def zone_with(monkeypatch: pytest.MonkeyPatch, value: str) -> str:
    monkeypatch.setenv("TZ", value)
    time.tzset()
    return local_time_zone()


@pytest.mark.parametrize(
    "value", ["UTC", "Europe/Berlin", ":Europe/Paris", "Etc/GMT+5", "EST5EDT", "America/Argentina/Buenos_Aires"]
)
def test_a_name_is_what_zoneinfo_calls_it(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert zone_with(monkeypatch, value) == ZoneInfo(value.removeprefix(":")).key


@pytest.mark.parametrize(
    "value", ["Europe", "zone.tab", "../x", "/etc/localtime", "nonsense", "./UTC", "Etc//UTC"]
)
def test_what_is_no_name_of_a_zone_is_not_told_to_the_server(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises((ZoneInfoNotFoundError, ValueError, OSError)):
        ZoneInfo(value)
    assert zone_with(monkeypatch, value) == "UTC"


def test_a_zone_without_a_name_is_that_of_its_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    assert zone_with(monkeypatch, "JST-9") == "Etc/GMT-9"


@pytest.mark.skipif(sys.platform != "linux", reason="files of the system are looked at")
def test_without_a_variable_it_is_what_tzlocal_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import tzlocal

    monkeypatch.delenv("TZ", raising=False)
    time.tzset()
    assert local_time_zone() == tzlocal.reload_localzone().key
