"""The server has to prove who it is, to the authorities of RDS, unless something else is asked for."""

import pytest

from taxiway.model.settings import DatabaseSettings
from taxiway.postgres.certificates import RDS_CA_BUNDLE
from taxiway.runner.run import with_patience, with_verified_server
from taxiway.secret import Secret

BUNDLE = str(RDS_CA_BUNDLE)


def trust(
    url: str = "", environment: dict[str, str] | None = None, **parameters: str
) -> tuple[str | Secret, str | Secret | None]:
    """The mode, and the authorities that are set with it."""
    settings = with_verified_server(DatabaseSettings(url=url, parameters=parameters), environment or {})
    return settings.parameters["sslmode"], settings.parameters.get("sslrootcert")


def test_nothing_said_means_verified_by_the_authorities_of_rds() -> None:
    assert trust() == ("verify-full", BUNDLE)
    assert trust("postgresql://db.example.com/shop") == ("verify-full", BUNDLE)


@pytest.mark.parametrize("url", ["postgresql://h/d?sslrootcert=mine.pem", "host=h sslrootcert=mine.pem"])
def test_authorities_in_the_url_win(url: str) -> None:
    assert trust(url) == ("verify-full", "mine.pem")


def test_authorities_in_the_settings_win_over_those_in_the_url() -> None:
    assert trust("postgresql://h/d?sslrootcert=other.pem", sslrootcert="mine.pem") == ("verify-full", "mine.pem")


def test_authorities_in_the_variable_of_libpq_are_left_to_libpq() -> None:
    assert trust(environment={"PGSSLROOTCERT": "mine.pem"}) == ("verify-full", None)


def test_empty_variables_of_libpq_count_as_absent() -> None:
    assert trust(environment={"PGSSLMODE": "", "PGSSLROOTCERT": ""}) == ("verify-full", BUNDLE)


@pytest.mark.parametrize(
    ("mode", "authorities"),
    [("verify-full", BUNDLE), ("verify-ca", BUNDLE), ("require", None), ("prefer", None), ("disable", None)],
)
def test_another_mode_wins_wherever_it_stands_and_only_one_that_verifies_needs_authorities(
    mode: str, authorities: str | None
) -> None:
    assert trust(sslmode=mode) == (mode, authorities)
    assert trust(f"postgresql://h/d?sslmode={mode}") == (mode, authorities)
    assert trust(environment={"PGSSLMODE": mode}) == (mode, authorities)


def test_the_settings_win_over_the_variable_of_libpq() -> None:
    assert trust(environment={"PGSSLMODE": "disable"}, sslmode="verify-ca") == ("verify-ca", BUNDLE)


# --- patience ---

NAME = "shop.cluster-abc123.eu-west-1.rds.amazonaws.com"


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        (DatabaseSettings(parameters={"host": NAME}), 120),
        (DatabaseSettings(secret="rds!cluster-1"), 120),
        (DatabaseSettings(parameters={"host": NAME}, wake_seconds=0), 0),
        (DatabaseSettings(parameters={"host": NAME}, wake_seconds=300), 300),
        (DatabaseSettings(parameters={"host": "db.example.com"}), None),
        (DatabaseSettings(parameters={"host": "db.example.com"}, secret="mine"), None),
    ],
)
def test_only_a_server_of_rds_has_time_to_wake_up_unless_somebody_says_how_much(
    settings: DatabaseSettings, seconds: int | None
) -> None:
    assert with_patience(settings).wake_seconds == seconds
