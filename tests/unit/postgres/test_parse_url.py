"""Which of two places counts, when both say who connects and how."""

from dataclasses import replace

import pytest

from taxiway import errors
from taxiway.model.settings import DatabaseSettings, SecretReference
from taxiway.postgres.jdbc import is_jdbc_url
from taxiway.postgres.url import describe_target, parse_url, url_for_programs, with_address
from taxiway.secret import Secret

JDBC = "jdbc:postgresql://h/d?user=of_url&password=p_url&sslmode=require"
LIBPQ = "postgresql://of_url:p_url@h/d?sslmode=require"


@pytest.mark.parametrize(("url", "user", "password"), [(JDBC, "of_url", "p_url"), (LIBPQ, "explicit", "p")])
def test_a_jdbc_url_beats_user_and_password_and_a_url_of_libpq_does_not(
    url: str, user: str, password: str
) -> None:
    found = parse_url(DatabaseSettings(url=url, user="explicit", password=Secret("p")))
    assert (found.user, found.password) == (user, Secret(password))
    assert found.url == ""


@pytest.mark.parametrize("url", [JDBC, LIBPQ])
def test_explicit_parameters_beat_every_url_and_properties_none(url: str) -> None:
    properties = {"user": "of_properties", "sslmode": "disable", "ApplicationName": "x"}
    found = parse_url(DatabaseSettings(url=url, jdbc_properties=properties, parameters={"host": "other"}))
    assert found.user == "of_url"
    assert found.parameters == {
        "host": "other",
        "dbname": "d",
        "sslmode": "require",
        "application_name": "x",
    } | ({"port": "5432"} if url == JDBC else {})


@pytest.mark.parametrize("url", ["jdbc:postgresql://h/d?user=&password=", "postgresql://h/d", ""])
def test_the_properties_come_last(url: str) -> None:
    properties: dict[str, str | Secret] = {"user": "of_properties", "password": Secret("p")}
    found = parse_url(DatabaseSettings(url=url, jdbc_properties=properties))
    assert (found.user, found.password) == ("of_properties", Secret("p"))
    explicit = parse_url(DatabaseSettings(url=url, user="u", password=Secret("q"), jdbc_properties=properties))
    assert (explicit.user, explicit.password) == ("u", Secret("q"))


@pytest.mark.parametrize("url", ["jdbc:postgresql://h/d?sslpassword=s", "postgresql://h/d?sslpassword=s"])
def test_the_password_of_a_key_is_a_secret_too(url: str) -> None:
    assert parse_url(DatabaseSettings(url=Secret(url))).parameters["sslpassword"] == Secret("s")


def test_what_nobody_knows_is_what_is_left_of_the_properties() -> None:
    url = "jdbc:postgresql://h/d?inUrl=1"
    once = parse_url(DatabaseSettings(url=url, jdbc_properties={"beside": "2", "ssl": "true"}))
    assert once.jdbc_properties == {"beside": "2", "inUrl": ""}
    assert parse_url(once) == once


@pytest.mark.parametrize(
    ("url", "explicit", "user", "password"),
    [
        (JDBC, True, "the URL (--url)", "the URL (--url)"),
        (LIBPQ, True, "FLYWAY_USER", "FLYWAY_PASSWORD"),
        (LIBPQ, False, "the URL (--url)", "the URL (--url)"),
        ("postgresql://h/d", False, "flyway.conf: x", None),
        ("jdbc:postgresql://h/d?user=", False, "flyway.conf: x", None),
        ("jdbc:postgresql://h/d", True, "FLYWAY_USER", "FLYWAY_PASSWORD"),
    ],
)
def test_the_origin_of_user_and_password_is_that_of_the_ones_that_count(
    url: str, explicit: bool, user: str, password: str | None
) -> None:
    settings = DatabaseSettings(
        url=url,
        user="u" if explicit else None,
        password=Secret("p") if explicit else None,
        jdbc_properties={"user": "of_properties"},
        origins={
            "url": "--url",
            "user": "FLYWAY_USER",
            "password": "FLYWAY_PASSWORD",
            "jdbcProperties.user": "flyway.conf: x",
        },
    )
    once = parse_url(settings)
    assert (once.origins["user"], once.origins.get("password")) == (user, password)
    assert parse_url(once).origins == once.origins


@pytest.mark.parametrize(
    ("url", "nearest"),
    [("postgresql://h/d?sslmod=require", "sslmode"), ("host=h ssl_mode=require", "sslmode")],
)
def test_a_misspelt_parameter_of_libpq_is_an_error_that_names_the_right_one(url: str, nearest: str) -> None:
    with pytest.raises(errors.UnknownOption) as caught:
        parse_url(DatabaseSettings(url=url))
    assert caught.value.hint == f"Did you mean '{nearest}'?"


def test_a_jdbc_url_that_cannot_be_used_is_refused_without_a_frame_that_holds_it() -> None:
    url = Secret("jdbc:postgresql://u:hunter2@h/d")
    with pytest.raises(errors.InvalidOption) as caught:
        parse_url(DatabaseSettings(url=url))
    traceback = caught.value.__traceback__
    while traceback:
        assert "hunter2" not in str(traceback.tb_frame.f_locals.get("properties"))
        traceback = traceback.tb_next
    assert caught.value.__context__ is None


def test_the_address_in_a_url_goes_with_its_host() -> None:
    url = "postgresql://h/d?hostaddr=192.0.2.1"
    assert parse_url(DatabaseSettings(url=url)).parameters["hostaddr"] == "192.0.2.1"
    assert "hostaddr" not in parse_url(DatabaseSettings(url=url, parameters={"host": "other"})).parameters
    explicit = {"host": "other", "hostaddr": "192.0.2.2"}
    assert parse_url(DatabaseSettings(url=url, parameters=explicit)).parameters["hostaddr"] == "192.0.2.2"
    once = parse_url(DatabaseSettings(url=url))
    assert parse_url(once) == once


@pytest.mark.parametrize(
    ("parameters", "target"),
    [
        ({"host": "h", "port": "1", "dbname": "d"}, "h:1/d"),
        ({"hostaddr": "127.0.0.1"}, "127.0.0.1:5432"),
        ({"host": "h", "hostaddr": "127.0.0.1", "port": "1"}, "h at 127.0.0.1:1"),
        ({"service": "mine"}, "service mine"),
        ({"service": "mine", "host": "h"}, "h:5432"),
        ({}, "local socket:5432"),
    ],
)
def test_the_target_is_said_as_far_as_it_is_known(
    monkeypatch: pytest.MonkeyPatch, parameters: dict[str, str], target: str
) -> None:
    for variable in ("PGHOST", "PGPORT", "PGDATABASE", "PGSERVICE"):
        monkeypatch.delenv(variable, raising=False)
    assert describe_target(parameters) == target


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (DatabaseSettings(url="jdbc:postgresql://h/d?user=u"), "jdbc:postgresql://h/d?user=u"),
        (DatabaseSettings(url=LIBPQ), "postgresql://of_url@h/d?sslmode=require"),
        (DatabaseSettings(url=LIBPQ, user="a b@c"), "postgresql://a%20b%40c@h/d?sslmode=require"),
        (DatabaseSettings(url="host=::1 port=1 dbname='a/b' password=hunter2"), "postgresql://[::1]:1/a%2Fb"),
        (DatabaseSettings(url="service=mine sslpassword=hunter2"), "postgresql:///?service=mine"),
        (
            DatabaseSettings(parameters={"host": "/run/pg", "port": "1", "dbname": "d"}),
            "postgresql:///d?host=%2Frun%2Fpg&port=1",
        ),
        (
            DatabaseSettings(url="postgresql://a:1,b:2/d?options=-c%20x%3D1"),
            "postgresql:///d?options=-c%20x%3D1&host=a%2Cb&port=1%2C2",
        ),
        (DatabaseSettings(user="me"), ""),
    ],
)
def test_programs_get_a_url_with_all_that_is_not_confidential(settings: DatabaseSettings, url: str) -> None:
    parsed = parse_url(settings)
    made = url_for_programs(settings, parsed)
    assert made == url
    if not is_jdbc_url(url):
        again = parse_url(DatabaseSettings(url=made, user=parsed.user))
        public = {name: value for name, value in parsed.parameters.items() if isinstance(value, str)}
        assert again.parameters == public


def test_what_a_jdbc_url_says_itself_is_no_value_of_a_secret() -> None:
    references = {"user": SecretReference("s", "username"), "password": SecretReference("s", "password")}
    given = DatabaseSettings(user="u", password=Secret("p"), references=references)
    jdbc = parse_url(replace(given, url="jdbc:postgresql://h/d?password=q"))
    assert jdbc.references == {"user": references["user"]}
    assert parse_url(replace(given, url="postgresql://v:q@h/d")).references == references


# --- an address from elsewhere ---

ADDRESS = {"host": "h", "port": "6543", "dbname": "d"}


@pytest.mark.parametrize(
    ("parameters", "filled"),
    [
        ({}, ADDRESS),
        ({"dbname": "mine"}, {**ADDRESS, "dbname": "mine"}),
        ({"host": "other"}, {"host": "other", "dbname": "d"}),
        ({"host": "h"}, ADDRESS),
        ({"hostaddr": "127.0.0.1", "port": "1"}, {**ADDRESS, "hostaddr": "127.0.0.1", "port": "1"}),
        ({"service": "mine"}, {"service": "mine"}),
    ],
)
def test_an_address_fills_what_is_not_set(parameters: dict[str, str], filled: dict[str, str]) -> None:
    assert with_address(DatabaseSettings(parameters=parameters), ADDRESS).parameters == filled


def test_the_variables_of_libpq_are_something_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "other")
    assert with_address(DatabaseSettings(), ADDRESS).parameters == {"dbname": "d"}


def test_without_any_host_the_secret_is_named() -> None:
    with pytest.raises(errors.MissingOption, match="'s' has no key 'host'"):
        with_address(DatabaseSettings(secret="s"), {"dbname": "d"})
