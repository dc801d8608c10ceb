"""Where a login comes from, as the error for a refused one tells it."""

import pytest

from taxiway import errors
from taxiway.model.settings import DatabaseSettings
from taxiway.postgres.errors import translate_connect_error
from taxiway.postgres.login import Login, find_login
from taxiway.secret import Secret

REFUSED = 'connection failed: FATAL:  password authentication failed for user "u"'


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PGUSER", "PGPASSWORD", "PGSERVICE"):
        monkeypatch.delenv(variable, raising=False)


def test_what_the_settings_say_is_named_by_its_origin() -> None:
    origins = {"user": "--user", "password": "taxiway.toml: database.password"}
    settings = DatabaseSettings(user="u", password=Secret("p"), origins=origins)
    assert find_login(settings) == Login(
        user="u", user_origin="--user", password_origin="taxiway.toml: database.password"
    )


def test_settings_without_origins_are_named_as_such() -> None:
    found = find_login(DatabaseSettings(user="u", password=Secret("p")))
    assert (found.user_origin, found.password_origin) == ("the settings", "the settings")


def test_libpqs_variables_come_after_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGUSER", "me")
    monkeypatch.setenv("PGPASSWORD", "p")
    assert find_login(DatabaseSettings()) == Login(user="me", user_origin="PGUSER", password_origin="PGPASSWORD")
    assert find_login(DatabaseSettings(user="u")).user == "u"


def test_a_service_is_named_with_what_may_stand_in_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    of_url = find_login(DatabaseSettings(parameters={"service": "mine"}))
    monkeypatch.setenv("PGSERVICE", "mine")
    assert find_login(DatabaseSettings()) == of_url
    assert of_url.user is None
    assert of_url.user_origin.startswith("service 'mine'")
    assert of_url.password_origin.startswith("service 'mine'")


def test_without_anything_nobody_is_named() -> None:
    assert find_login(DatabaseSettings()) == Login()


@pytest.mark.parametrize(
    ("words", "login", "hint"),
    [
        (
            REFUSED,
            Login(user="u", user_origin="--user", password_origin="FLYWAY_PASSWORD"),
            "the user came from --user, the password came from FLYWAY_PASSWORD.",
        ),
        (
            f'{REFUSED}\npassword retrieved from file "/home/u/.pgpass"',
            Login(user="u", user_origin="--user"),
            "the password came from /home/u/.pgpass.",
        ),
        (REFUSED, Login(user="u", user_origin="PGUSER"), "the user came from PGUSER, no password was given."),
        ('FATAL:  no pg_hba.conf entry for host "h"', Login(user="u", user_origin="--user"), "pg_hba.conf"),
        ('FATAL:  role "root" does not exist', Login(), "FLYWAY_USER"),
    ],
)
def test_the_hint_names_where_to_look(words: str, login: Login, hint: str) -> None:
    error = translate_connect_error(words, target="h:1/d", login=login)
    assert type(error) is errors.AuthenticationFailed
    assert hint in (error.hint or "")


@pytest.mark.parametrize(
    "words", [REFUSED, 'FATAL:  role "root" does not exist', "fe_sendauth: no password supplied"]
)
def test_a_user_that_nobody_gave_is_told_to_be_the_systems(words: str) -> None:
    error = translate_connect_error(words, target="h:1/d", login=Login())
    assert error.message.endswith(" No user was given, so that of the operating system was taken.")
