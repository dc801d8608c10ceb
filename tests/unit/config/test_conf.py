"""The syntax of flyway.conf: Java's properties with Flyway's changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway import errors
from taxiway.config.conf import parse_conf
from taxiway.config.options import BY_KEY, OPTIONS
from taxiway.secret import Secret


def given_by(text: str, **environ: str) -> dict[str, object]:
    return {one.key: one.value for one in parse_conf(text, environ=environ).given}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("flyway.target=2", {"target": "2"}),
        ("flyway.placeholders.A.b=c", {"placeholders.A.b": "c"}),
        ("flyway.jdbcProperties.sslmode=require", {"jdbcProperties.sslmode": "require"}),
        ("flyway.postgresql.transactional.lock=false", {"postgresql.transactional.lock": "false"}),
        ("flyway.url=jdbc:postgresql://h:1/d?a=b", {"url": "jdbc:postgresql://h:1/d?a=b"}),
        ("flyway.target=", {}),
        ("flyway.placeholders.A=", {"placeholders.A": ""}),
        ("flyway.table=${A}_${B}${NOT_SET}", {"table": "1_2"}),
        ("flyway.placeholders.${A}=x", {"placeholders.1": "x"}),
        ("flyway.table=${A-B}${a b}", {"table": "${A-B}${a b}"}),
        ("flyway.password=${P}", {"password": "a\\b=c\n#d"}),
        ("flyway.driver=org.postgresql.Driver", {}),
    ],
)
def test_keys_are_those_of_flyway(text: str, expected: dict[str, str]) -> None:
    assert given_by(text, A="1", B="2", P="a\\b=c\n#d") == expected


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.in_files], ids=lambda o: o.key)
def test_every_option_of_files_has_its_key(option: object) -> None:
    key = getattr(option, "key", "")
    entry = ".x" if BY_KEY[key].kind.name == "MAP" else ""
    assert list(given_by(f"flyway.{key}{entry}=v")) == [f"{key}{entry}"]


def test_origins_name_the_file_and_the_key() -> None:
    [one] = parse_conf("flyway.target=2", name="~/flyway.conf", environ={}).given
    assert one.origin == "~/flyway.conf: flyway.target"


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("flyway.outOfOrdr", "flyway.outOfOrder"),
        ("flyway.placeholders", "flyway.placeholders.NAME"),
        ("flyway.infoOfState", None),
        ("flyway.zzz", None),
    ],
)
def test_unknown_keys_are_errors(key: str, nearest: str | None) -> None:
    with pytest.raises(errors.UnknownOption) as caught:
        given_by(f"{key}=x")
    assert (caught.value.key, caught.value.nearest) == (key, nearest)


def test_keys_that_flyway_has_no_more_are_errors() -> None:
    with pytest.raises(errors.ObsoleteOption):
        given_by("flyway.cleanOnValidationError=true")


def test_keys_without_the_prefix_are_warned_of() -> None:
    place = parse_conf("target=2", environ={})
    assert place.given == ()
    assert place.warnings == ("flyway.conf: target is ignored: it does not begin with 'flyway.'.",)


PIECES = st.sampled_from(
    ["flyway.", "target", "placeholders.", "=", ":", " ", "\\", "\n", "\r", "#", "${A}", "${", "é", "\0", "x"]
)


@given(st.lists(PIECES, max_size=20).map("".join))
def test_any_text_gives_a_place_or_our_error(text: str) -> None:
    try:
        parse_conf(text, environ={"A": "=\n"})
    except errors.ConfigError:
        return


def test_what_a_confidential_variable_gave_is_remembered() -> None:
    [one] = parse_conf("flyway.table=${A}_${MY_TOKEN}", environ={"A": "1", "MY_TOKEN": "hunter2"}).given
    assert one.confidential == (Secret("hunter2"),)
