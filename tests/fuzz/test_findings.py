"""What fuzzing has found, said as what holds since."""

from pathlib import Path

import pytest

from taxiway import errors
from taxiway.config.load import load
from taxiway.config.merge import Loaded
from taxiway.config.url import mask_passwords, passwords_in
from taxiway.model.settings import DatabaseSettings
from taxiway.postgres.libpq.conninfo import parse_conninfo
from taxiway.postgres.url import parse_url, url_for_programs
from taxiway.secret import Redactor, Secret, reveal
from taxiway.sources.git_remote import Remote
from taxiway.sources.private_key import normalise_private_key

PASSWORD = "hunter2-hunter2"
ENVIRON = {"APP_PASSWORD": PASSWORD, "MODE": "maybe"}


def loaded(name: str, text: str, directory: Path) -> Loaded:
    (directory / name).write_text(text, "utf-8")
    return load({}, environ=ENVIRON, directory=directory, secret=lambda _name, _key: Secret(PASSWORD))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("taxiway.toml", '[flyway]\nmixed = "${env:APP_PASSWORD}"'),
        ("taxiway.toml", '[flyway]\ntarget = "${env:APP_PASSWORD}"'),
        ("taxiway.toml", '[flyway]\ntarget = "${placeholder:a}"\nplaceholders = {a = "${env:APP_PASSWORD}"}'),
        ("taxiway.toml", '[flyway]\nerrorOverrides = ["${env:APP_PASSWORD}"]'),
        ("flyway.toml", '[flyway]\nconnectRetries = "${env.APP_PASSWORD}"'),
        ("flyway.conf", "flyway.mixed=${APP_PASSWORD}"),
        ("flyway.conf", "flyway.${APP_PASSWORD}=1"),
        ("flyway.conf", "flyway.environment=${APP_PASSWORD}"),
        ("taxiway.toml", '[flyway]\nenvironment = "${env:APP_PASSWORD}"'),
    ],
)
def test_an_error_shows_no_variable_whose_name_speaks_of_a_secret(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigError) as caught:
        loaded(name, text, tmp_path)
    assert PASSWORD not in f"{caught.value} {caught.value.hint}"


def test_an_error_still_shows_what_other_variables_hold(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidOption, match="'maybe' is neither true nor false"):
        loaded("taxiway.toml", '[flyway]\nmixed = "${env:MODE}"', tmp_path)


def test_a_placeholder_with_a_secret_in_another_one_is_a_secret(tmp_path: Path) -> None:
    placeholders = 'a = "${placeholder:b}"\nb = "${env:APP_PASSWORD}"\nc = "${placeholder:b}${placeholder:b}"'
    result = loaded("taxiway.toml", f"[flyway.placeholders]\n{placeholders}", tmp_path)
    redact = Redactor(result.secrets)
    assert {reveal(value) for value in result.settings.migrations.placeholders.values.values()} == {
        PASSWORD,
        PASSWORD * 2,
    }
    assert PASSWORD not in redact(" ".join(one.value for one in result.effective))


def chain(length: int) -> list[str]:
    return ['k0 = "x"', *(f'k{number} = "${{placeholder:k{number - 1}}}"' for number in range(1, length + 1))]


@pytest.mark.parametrize("order", [1, -1])
def test_placeholders_may_refer_to_one_another_and_not_without_end(order: int, tmp_path: Path) -> None:
    def load_chain(length: int) -> Loaded:
        return loaded("taxiway.toml", "\n".join(["[flyway.placeholders]", *chain(length)[::order]]), tmp_path)

    assert load_chain(50).settings.migrations.placeholders.values["k50"] == "x"
    with pytest.raises(errors.InvalidOption, match="leads to more than 50 others"):
        load_chain(51)


def test_a_value_cannot_become_longer_than_a_million_characters_or_so(tmp_path: Path) -> None:
    lines = [f'k{number} = "{f"${{placeholder:k{number - 1}}}" * 10}"' for number in range(1, 8)]
    with pytest.raises(errors.InvalidOption, match="is longer than 1048576 characters"):
        loaded("taxiway.toml", "\n".join(["[flyway.placeholders]", 'k0 = "ha"', *lines]), tmp_path)


def test_a_key_of_hundreds_of_parts_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigFileUnreadable, match="has a key of more than 64 parts"):
        loaded("taxiway.toml", "[flyway]\n" + "a." * 200_000 + "a = 1", tmp_path)


def test_a_text_of_hundreds_of_parts_is_a_text(tmp_path: Path) -> None:
    result = loaded("taxiway.toml", '[flyway.placeholders]\nx = "' + "a." * 200 + '"', tmp_path)
    assert result.settings.migrations.placeholders.values["x"] == "a." * 200


def test_thousands_of_unknown_keys_are_told_at_once_and_the_first_with_the_nearest_name(tmp_path: Path) -> None:
    keys = "\n".join(f"outOfOrder{number} = true" for number in range(10_000))
    with pytest.raises(errors.UnknownOption) as caught:
        loaded("taxiway.toml", f"[flyway]\n{keys}", tmp_path)
    assert len(caught.value.unknown) == 10_000
    assert [key for key, near in caught.value.unknown if near] == [f"flyway.outOfOrder{n}" for n in range(50)]


def test_no_parameter_of_a_url_hides_an_option_that_is_called_the_same(tmp_path: Path) -> None:
    result = loaded("taxiway.toml", '[database]\nurl = "batch=1 target=2"\n[flyway]\ntarget = "3"', tmp_path)
    assert str(result.settings.migrations.policy.target.version) == "3"


@pytest.mark.parametrize("blank", ["\x1c", "\x85", "\xa0", "\u2003"])
def test_only_blanks_of_ascii_end_a_password_as_in_libpq(blank: str) -> None:
    conninfo = f"host=h password=pass{blank}word user=u"
    assert parse_conninfo(conninfo)["password"] == f"pass{blank}word"
    assert [one.reveal() for one in passwords_in(conninfo)] == [f"pass{blank}word"]
    assert mask_passwords(conninfo, "*") == "host=h password=* user=u"


def test_a_user_may_have_a_question_mark_in_front_of_a_password() -> None:
    url = "postgresql://u?:pass@h/db?a=b"
    assert parse_conninfo("postgresql://u?:pass@h/db")["password"] == "pass"
    assert mask_passwords(url, "*") == "postgresql://u?:*@h/db?a=b"


def test_a_password_is_known_as_java_reads_a_plus_sign() -> None:
    url = "jdbc:postgresql://h/db?user=u&password=a+b"
    assert {one.reveal() for one in passwords_in(url)} == {"a+b", "a b"}


def test_what_is_known_to_be_a_password_is_masked() -> None:
    url = "//u:p?passwd@h?password=x?y"
    assert mask_passwords(url, "*") == "//u:*@h?password=*"
    assert "x?y" in {one.reveal() for one in passwords_in(url)}


@pytest.mark.parametrize("host", ["::%251", "a%20b", "%5B"])
def test_the_host_in_a_url_for_programs_is_percent_encoded(host: str) -> None:
    given = DatabaseSettings(url=f"postgresql://u@[{host}]/db" if ":" in host else f"postgresql://u@{host}/db")
    parsed = parse_url(given)
    assert parse_conninfo(reveal(url_for_programs(given, parsed)))["host"] == parsed.parameters["host"]


@pytest.mark.parametrize(
    "address",
    [
        f"]u:{PASSWORD}@h",
        f"ssh//u:{PASSWORD}@h/p",
        f"ssh:1//u:{PASSWORD}@:/p",
        f"ssh//u:{PASSWORD}@h/p\x7f",
        f"x:/u:{PASSWORD}@h/p\x7f",
    ],
)
def test_an_address_with_a_misspelt_scheme_is_shown_without_its_password(address: str) -> None:
    with pytest.raises(errors.InvalidOption) as caught:
        Remote.parse(address)
    assert PASSWORD not in str(caught.value)


def test_a_private_key_may_have_a_beginning_without_an_end_before_it() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n"
    assert normalise_private_key(Secret(f"-----BEGIN RSA PRIVATE KEY-----\n{key}")) == Secret(key)
    with pytest.raises(errors.SecretMalformed):
        normalise_private_key(Secret("-----BEGIN PRIVATE KEY-----" * 100_000))


def test_names_of_files_may_be_any_bytes(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_text("", "utf-8")
    loaded_settings = load(
        {},
        environ={"FLYWAY_LOCATIONS": "filesystem:a\udcff"},
        directory=tmp_path,
        secret=lambda _name, _key: Secret(PASSWORD),
    ).settings
    assert [location.path for location in loaded_settings.migrations.locations] == ["a\udcff"]
