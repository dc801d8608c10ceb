"""References in values of taxiway.toml."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway import errors
from taxiway.config.resolvers import Reference, references, resolve, without_references
from taxiway.secret import Secret, reveal

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:postgresql@auroradb@master-AbCdEf"
ORIGIN = "taxiway.toml: database.host"
ENVIRONMENT = {"STAGE": "prod", "DB_NAME": "sample", "EMPTY": "", "DOLLARS": "${env:STAGE}"}


def read_secret(secret_id: str, key: str | None) -> str | Secret:
    if key == "username":
        return "sqladmin"
    return Secret(f"value of {secret_id} {key}")


def resolved(text: str) -> str | Secret:
    return resolve(text, origin=ORIGIN, environment=ENVIRONMENT, secret=read_secret)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", ()),
        ("", ()),
        ("${env:DB_NAME}", (Reference("env", "DB_NAME"),)),
        ("${env.DB_NAME}", (Reference("env", "DB_NAME"),)),
        ("${ENV:_x1}", (Reference("env", "_x1"),)),
        ("${secret:a}", (Reference("secret", "a"),)),
        ("${secret:a#k}", (Reference("secret", "a", "k"),)),
        ("${secret:a#k with: blanks}", (Reference("secret", "a", "k with: blanks"),)),
        (f"${{secret:{ARN}#password}}", (Reference("secret", ARN, "password"),)),
        (
            "${secret:postgresql@auroradb@master@read_only#password}",
            (Reference("secret", "postgresql@auroradb@master@read_only", "password"),),
        ),
        ("a ${env:A} b ${secret:b} c", (Reference("env", "A"), Reference("secret", "b"))),
        ("$${env:A}", ()),
        ("$$${env:A}", ()),
        ("$${x ${env:A}", (Reference("env", "A"),)),
    ],
)
def test_references_are_found(text: str, expected: tuple[Reference, ...]) -> None:
    assert references(text, origin=ORIGIN) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain $ { } text", "plain $ { } text"),
        ("host-${env:STAGE}.example.com", "host-prod.example.com"),
        ("${env:STAGE}${env.DB_NAME}", "prodsample"),
        ("[${env:EMPTY}]", "[]"),
        ("${secret:any#username}@x", "sqladmin@x"),
        ("$${env:STAGE}", "${env:STAGE}"),
        ("a$${b", "a${b"),
        ("${env:DOLLARS}", "${env:STAGE}"),
    ],
)
def test_a_value_without_secrets_is_text(text: str, expected: str) -> None:
    assert resolved(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${secret:a#password}", "value of a password"),
        ("${secret:a}", "value of a None"),
        ("${env:STAGE}: ${secret:a#k}!", "prod: value of a k!"),
    ],
)
def test_a_value_with_one_secret_part_is_a_secret_as_a_whole(text: str, expected: str) -> None:
    value = resolved(text)
    assert isinstance(value, Secret)
    assert value.reveal() == expected


@pytest.mark.parametrize(
    "text",
    [
        "x${",
        "${",
        "${env:A",
        "${}",
        "${A}",
        "${ env:A}",
        "${1:A}",
        "${env:}",
        "${env:A B}",
        "${env.A:D}",
        "${env.A.B}",
        "${secret.a}",
        "${secret:}",
        "${secret:#k}",
        "${secret:a#}",
        "${secret:a#b#c}",
        "${secret:a b}",
        "${secret:${env:A}#k}",
        "${env:${env:A}}",
    ],
)
def test_a_malformed_reference_is_an_error_that_does_not_show_the_text(text: str) -> None:
    with pytest.raises(errors.InvalidOption) as caught:
        references(f"hunter2{text}", origin=ORIGIN)
    assert str(caught.value).startswith(f"{ORIGIN}: the reference at character ")
    assert "hunter2" not in str(caught.value)
    assert "${env:NAME}" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "name", "hint"),
    [
        ("${evn:A}", "evn", "Did you mean 'env'?"),
        ("${secrets:A}", "secrets", "Did you mean 'secret'?"),
        ("${vault.key}", "vault", "Write $${ if the characters ${ are meant themselves."),
    ],
)
def test_an_unknown_resolver_is_an_error_that_names_the_known_ones(text: str, name: str, hint: str) -> None:
    with pytest.raises(errors.UnknownResolver) as caught:
        references(text, origin=ORIGIN)
    assert str(caught.value) == f"{ORIGIN}: unknown resolver '{name}'. There are env and secret."
    assert caught.value.hint == hint


def test_a_variable_that_is_not_set_is_an_error_that_names_the_key_of_the_file() -> None:
    with pytest.raises(
        errors.VariableNotSet, match=r"database\.host: the environment variable DB_HOST is not set"
    ):
        resolved("${env:DB_HOST}")


def test_the_form_of_a_value_has_an_x_for_each_reference() -> None:
    form = without_references("a:${secret:b@c#d}@$${e}${env:F}", origin=ORIGIN)
    assert form == "a:x@${e}x"


PIECES = st.sampled_from(
    ["$", "{", "}", "${", "$${", "env", "secret", ":", ".", "#", "STAGE", "a@b/c", "é", " ", "${env:STAGE}"]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_text_gives_a_value_or_our_error(text: str) -> None:
    try:
        value = resolved(text)
    except errors.ConfigError:
        return
    assert isinstance(value, str | Secret)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_escaping_every_opening_gives_the_text_back(text: str) -> None:
    assert reveal(resolved(text.replace("${", "$${"))) == text
