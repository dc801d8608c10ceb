"""References in values of taxiway.toml and of flyway.toml."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway import errors
from taxiway.config.resolvers import parse_flyway_template, parse_template
from taxiway.config.template import Reference, Template
from taxiway.secret import Secret, reveal

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:postgresql@auroradb@master-AbCdEf"
ORIGIN = "taxiway.toml: database.host"
ENVIRONMENT = {"STAGE": "prod", "DB_NAME": "sample", "EMPTY": "", "DOLLARS": "${env:STAGE}"}


def read_secret(secret_id: str, key: str | None) -> str | Secret:
    if key == "username":
        return "sqladmin"
    return Secret(f"value of {secret_id} {key}")


def read(reference: Reference, _origin: str) -> str | Secret:
    if reference.resolver == "env":
        return ENVIRONMENT.get(reference.name, "")
    return read_secret(reference.name, reference.key)


def parsed(text: str) -> Template:
    return parse_template(text, origin=ORIGIN)


def resolved(text: str) -> str | Secret:
    return parsed(text).fill(read, ORIGIN)


def resolved_by_flyway(text: str) -> str | Secret:
    return parse_flyway_template(text, origin=ORIGIN).fill(read, ORIGIN)


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
    assert parsed(text).references == expected


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
        parsed(f"hunter2{text}")
    assert str(caught.value).startswith(f"{ORIGIN}: the reference at character ")
    assert "hunter2" not in str(caught.value)
    assert "${env:NAME}" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "name", "hint"),
    [
        ("${evn:A}", "evn", "Did you mean 'env'?"),
        ("${secrets:A}", "secrets", "Did you mean 'secret'?"),
        ("${consul.key}", "consul", "Write $${ if the characters ${ are meant themselves."),
    ],
)
def test_an_unknown_resolver_is_an_error_that_names_the_known_ones(text: str, name: str, hint: str) -> None:
    with pytest.raises(errors.UnknownResolver) as caught:
        parsed(text)
    assert str(caught.value) == f"{ORIGIN}: unknown resolver '{name}'. There are env, placeholder and secret."
    assert caught.value.hint == hint


@pytest.mark.parametrize("text", ["${vault.key}", "${googlesecrets.key}", "${localSecret.key}", "${GIT.branch}"])
def test_resolvers_of_paid_editions_are_refused_with_what_to_do_instead(text: str) -> None:
    for parse in (parse_template, parse_flyway_template):
        with pytest.raises(errors.UnsupportedOption) as caught:
            parse(text, origin=ORIGIN)
        assert "${secret:ID#KEY}" in (caught.value.hint or "")


def test_the_form_of_a_value_has_an_x_for_each_reference() -> None:
    form = parsed("a:${secret:b@c#d}@$${e}${env:F}").form
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


# --- flyway.toml


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("  plain  ", "plain"),
        ("${env.STAGE}", "prod"),
        ("${ENV.STAGE}", "prod"),
        ("${ env . STAGE }", "prod"),
        ("db-${env.STAGE}-${env.DB_NAME}", "db-prod-sample"),
        ("${env:STAGE}", "prod"),
        ("${secret:any.name#username}", "sqladmin"),
        ("${", "${"),
        ("${name}", "${name}"),
        ("$${env.STAGE}", "${env.STAGE}"),
        ("$${name}", "$${name}"),
        ("!{${env.STAGE}}", "${env.STAGE}"),
        (" !{ x } ", " x "),
        ("!{}", ""),
        ("${env.DOLLARS}", "${env:STAGE}"),
    ],
)
def test_references_of_flyway_have_a_dot(text: str, expected: str) -> None:
    assert resolved_by_flyway(text) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [("A", "Straße"), ("a", "Strae"), ("D", "12٣"), ("d", "12"), ("aD", "Strae12٣"), ("Ad", "Straße12"), ("", "")],
)
def test_filters_keep_letters_and_digits(filters: str, expected: str) -> None:
    template = parse_flyway_template(f"${{env.X:{filters}}}", origin=ORIGIN)
    assert template.fill(lambda _reference, _origin: "Straße 12-٣!", ORIGIN) == expected


def test_a_filtered_secret_stays_one() -> None:
    template = Template((Reference("secret", "x", kept="a"),))
    assert template.fill(lambda _reference, _origin: Secret("a1"), ORIGIN) == Secret("a")


@pytest.mark.parametrize("text", ["${env.A${env.B}}", "${env.${env.B}}", "${a${env:B}}"])
def test_nested_references_are_errors(text: str) -> None:
    with pytest.raises(errors.InvalidOption, match="another one in it"):
        parse_flyway_template(text, origin=ORIGIN)


def test_an_unknown_resolver_in_flyways_file_is_an_error() -> None:
    with pytest.raises(errors.UnknownResolver, match="unknown resolver 'evn'"):
        parse_flyway_template("${evn.STAGE}", origin=ORIGIN)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_text_of_flyways_file_gives_a_value_or_our_error(text: str) -> None:
    try:
        value = resolved_by_flyway(text)
    except errors.ConfigError:
        return
    assert isinstance(value, str | Secret)
