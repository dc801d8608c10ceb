"""``[roles.<name>]``: what is accepted, what is refused, and when a secret is read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxiway import errors
from taxiway.config.load import load
from taxiway.config.roles import DeclaredRole
from taxiway.config.template import Reference
from taxiway.config.toml import FLYWAY, parse_toml
from taxiway.model.role import Grants, Role
from taxiway.model.settings import SecretReference
from taxiway.secret import Secret

SECRETS: dict[tuple[str, str], str | Secret] = {
    ("users/app", "username"): "app",
    ("users/app", "password"): Secret("p"),
    ("users/app", "other"): Secret("o"),
    ("bare", "password"): Secret("b"),
    ("empty", "password"): Secret(""),
}


def read(reference: Reference, _origin: str) -> str | Secret:
    if reference.resolver == "env":
        return {"STAGE": "app", "PASSWORD": "e"}[reference.name]
    try:
        return SECRETS[reference.name, reference.key or ""]
    except KeyError:
        raise errors.SecretMalformed("no such key") from None


def declared(text: str) -> DeclaredRole:
    [role] = parse_toml(text).roles
    return role


def role(text: str) -> Role:
    return declared(text).resolve(read)


def test_one_line_is_enough() -> None:
    assert role('[roles.app]\nsecret = "users/app"') == Role(
        name="app",
        password=Secret("p"),
        secret=SecretReference("users/app", "password"),
        login=True,
        origin="taxiway.toml: roles.app",
    )


@pytest.mark.parametrize(
    ("line", "password"),
    [
        ('secret = "users/app#other"', "o"),
        ('secret = "users/${env:STAGE}"', "p"),
        ('secret = "bare"', "b"),
        ('password = "${secret:users/app#password}"', "p"),
        ('password = "${env:PASSWORD}"', "e"),
    ],
)
def test_a_password_is_a_secret_wherever_it_comes_from(line: str, password: str) -> None:
    assert role(f"[roles.app]\n{line}").password == Secret(password)


def test_everything_that_can_be_said() -> None:
    text = """
    [roles."My App"]
    grants = "write"
    schemas = ["a", "b"]
    member_of = ["rds_iam"]
    login = false
    connection_limit = 5
    valid_until = 2027-01-31T12:00:00Z
    before_migrations = true
    """
    assert role(text) == Role(
        name="My App",
        grants=Grants.WRITE,
        schemas=("a", "b"),
        member_of=("rds_iam",),
        login=False,
        connection_limit=5,
        valid_until=datetime(2027, 1, 31, 12, tzinfo=UTC),
        before_migrations=True,
        origin="taxiway.toml: roles.My App",
    )


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("[roles.app]\nsecrets = 'x'", "roles.app.secret"),
        ("[roles.app]\nmemberOf = []", "roles.app.member_of"),
        ("[role.app]\nsecret = 'x'", "roles"),
    ],
)
def test_a_misspelt_key_is_an_error_that_names_the_nearest(text: str, nearest: str) -> None:
    with pytest.raises(errors.UnknownOption) as caught:
        parse_toml(text)
    assert caught.value.nearest == nearest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("roles = 1", "expected a table"),
        ("roles.app = 'x'", "expected a table"),
        ("[roles.app]\npassword = 'clear text'", "must not be written"),
        ("[roles.app]\nsecret = 'a'\npassword = '${env:A}'", "both secret and password"),
        ("[roles.app]\nsecret = 1", "expected text"),
        ("[roles.app]\nsecret = '${placeholder:x}'", "references to variables"),
        ("[roles.app]\npassword = '${placeholder:x}'", "references to variables and secrets"),
        ("[roles.app]\ngrants = 'reed'", "none, read, write, all"),
        ("[roles.app]\nlogin = 1", "true or false"),
        ("[roles.app]\nlogin = false\nsecret = 'a'", "needs no password"),
        ("[roles.app]\nconnection_limit = true", "whole number"),
        ("[roles.app]\nconnection_limit = -2", "from -1 on"),
        ("[roles.app]\nvalid_until = '2027'", "date and time"),
        ("[roles.app]\nvalid_until = 2027-01-01T00:00:00", "offset is missing"),
        ("[roles.app]\nvalid_until = 0001-01-01T00:00:00+14:00", "a year from 1970"),
        ("[roles.app]\nvalid_until = 9999-12-31T23:00:00-14:00", "to 9998"),
        ("[roles.app]\nmember_of = ['']", "list of texts"),
        ("[roles.app]\nschemas = ['a']", "there is no grants"),
        ("[roles.pg_read_all_data]", "server's own roles"),
        ("[roles.rds_superuser]", "server's own roles"),
        ("[roles.RDSADMIN]", "server's own roles"),
        ("[roles.PUBLIC]", "server's own roles"),
        ("[roles.'']", "1 to 63 bytes"),
        (f"[roles.'{'ä' * 32}']", "1 to 63 bytes"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_never_shown(text: str, words: str) -> None:
    with pytest.raises(errors.InvalidOption, match=words) as caught:
        parse_toml(text)
    assert "clear text" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[roles.reporting]\nsecret = 'users/app'", "is that of user 'app'"),
        ("[roles.app]\nsecret = 'empty'", "password is empty"),
        ("[roles.app]\nsecret = 'not/a secret'", "no name of a secret"),
    ],
)
def test_a_secret_that_cannot_be_meant_is_refused(text: str, words: str) -> None:
    with pytest.raises(errors.InvalidOption, match=words):
        role(text)


def test_config_shows_what_is_declared_and_no_password(tmp_path: Path) -> None:
    text = "[roles.app]\npassword = '${env:X}'\nmember_of = ['a', 'b']\nlogin = true\n[roles.b]\nsecret = 's'\n"
    (tmp_path / "taxiway.toml").write_text(text)
    effective = load({}, environ={}, directory=tmp_path, secret=lambda _id, _key: "").effective
    shown = {one.key: (one.value, one.is_secret) for one in effective if one.key.startswith("roles.")}
    assert shown == {
        "roles.app.password": ("********", True),
        "roles.app.member_of": ("a, b", False),
        "roles.app.login": ("true", False),
        "roles.b.secret": ("s", False),
    }


def test_flyways_file_declares_none() -> None:
    assert parse_toml("[roles.app]\nwhatever = 1", dialect=FLYWAY).roles == ()


def test_secrets_are_read_only_when_somebody_asks_for_the_roles(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_text("[roles.app]\nsecret = 'users/app'\n")
    asked: list[str] = []

    def secret(name: str, key: str | None) -> str | Secret:
        asked.append(f"{name}#{key}")
        return read(Reference("secret", name, key), "")

    loaded = load({}, environ={}, directory=tmp_path, secret=secret)
    assert asked == []
    assert [one.name for one in loaded.read_roles()] == ["app"]
    assert asked == ["users/app#password", "users/app#username"]
