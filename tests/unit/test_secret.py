"""A secret does not show, and a redactor finds it in every notation."""

import json
import pickle
import re
import shlex
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.secret import MASK, Redactor, Secret, redact_strings

AWKWARD = "P'a\"S\\s w/o@r%d$é\t!"
TOKEN = "Tk0123" + "aBcDeF" * 15 + "Zz"


def in_small_hex(quoted: str) -> str:
    """As many programs write it: ``%2f``."""
    return re.sub("%..", lambda escape: escape[0].lower(), quoted)


def test_a_secret_shows_stars() -> None:
    secret = Secret("hunter2")
    assert [str(secret), repr(secret), f"{secret}", f"{secret!r:>20}"] == [
        MASK,
        "Secret('****')",
        MASK,
        "      Secret('****')",
    ]
    assert secret.reveal() == "hunter2"


def test_a_secret_cannot_be_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("hunter2"))


def test_a_secret_is_not_json() -> None:
    with pytest.raises(TypeError):
        json.dumps({"password": Secret("hunter2")})


@pytest.mark.parametrize(
    "notation",
    [
        lambda text: text,
        lambda text: "'" + text.replace("'", "''") + "'",
        quote,
        lambda text: quote(text, safe=""),
        quote_plus,
        lambda text: in_small_hex(quote(text)),
        lambda text: in_small_hex(quote(text, safe="")),
        lambda text: in_small_hex(quote_plus(text)),
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        repr,
        shlex.quote,
        lambda text: "password='" + text.replace("\\", "\\\\").replace("'", "\\'") + "'",
    ],
)
def test_a_secret_is_masked_in_every_notation(notation: Callable[[str], str]) -> None:
    redacted = Redactor([Secret(AWKWARD)])(f"before {notation(AWKWARD)} after")
    assert MASK in redacted
    assert AWKWARD[:3] not in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


def test_each_line_of_a_key_is_masked() -> None:
    key = "-----BEGIN KEY-----\nAAAAB3NzaC1yc2EAAAADAQABAAAB\nMIIEvQIBADANBgkqhkiG9w0B\n-----END KEY-----\n"
    redactor = Redactor([Secret(key)])
    assert redactor("log: MIIEvQIBADANBgkqhkiG9w0B") == f"log: {MASK}"


def test_a_secret_that_contains_another_is_masked_whole() -> None:
    assert Redactor([Secret("abc"), Secret("abcdef")])("xabcdefx abc") == f"x{MASK}x {MASK}"


def test_a_secret_that_is_no_text_is_masked_too() -> None:
    """As ``os.environ`` has bytes that are not UTF-8."""
    assert Redactor([Secret("hunter\udcff2")])("a hunter\udcff2 b") == f"a {MASK} b"


def test_nothing_known_changes_nothing() -> None:
    assert Redactor()("abc") == "abc"
    assert Redactor([Secret("")])("abc") == "abc"


@given(st.text(st.characters(exclude_characters="*"), min_size=1).filter(str.strip), st.text(), st.text())
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor([Secret(secret)])(before + secret + after)


@pytest.mark.parametrize(
    "text",
    [
        f"Failing row contains (null, {TOKEN[:64]}...).",
        f"Failing row contains (null, before-{TOKEN[:57]}...).",
        f'COPY t, line 1, column a: "{TOKEN[:90]}..."',
        f'identifier "{TOKEN}" will be truncated to "{TOKEN[:63]}"',
        f'identifier "u_{TOKEN.lower()}" will be truncated to "u_{TOKEN[:61].lower()}"',
        f'role "{TOKEN.lower()}" does not exist',
        f'syntax error at or near "{TOKEN[30:34]}"',
    ],
)
def test_a_piece_that_the_server_shows_is_masked(text: str) -> None:
    redacted = Redactor([Secret(TOKEN)])(text)
    assert MASK in redacted
    assert "tk01" not in redacted.lower()
    assert "abcdef" not in redacted.lower()


@pytest.mark.parametrize("token", ["supersecrettail9", "SuperSecretTail9", "tail"])
def test_a_token_that_a_quote_has_cut_out_of_a_password_is_masked(token: str) -> None:
    redact = Redactor([Secret("a'SuperSecretTail9'b")])
    assert redact(f'unrecognized role option "{token}"') == f'unrecognized role option "{MASK}"'


def test_the_beginning_of_a_key_is_masked_in_its_second_line() -> None:
    key = "-----BEGIN KEY-----\nAAAAB3NzaC1yc2EAAAADAQABAAAB\n-----END KEY-----\n"
    redacted = Redactor([Secret(key)])("row (null, -----BEGIN KEY-----\nAAAAB3NzaC1y...)")
    assert redacted == f"row (null, {MASK}\n{MASK}...)"


@given(
    st.text("abcABC1é'\"", min_size=4, max_size=80).filter(lambda text: text == text.strip()), st.data(), st.text()
)
def test_no_beginning_survives_before_an_ellipsis(secret: str, data: st.DataObject, before: str) -> None:
    piece = secret[: data.draw(st.integers(4, len(secret)))]
    assert not Redactor([Secret(secret)])(f"{before}{piece}...").endswith(f"{piece}...")


@pytest.mark.parametrize(
    "text",
    [
        'database "sample" does not exist',
        'role "reader" of the cluster',
        "in hunter and Hunter",
        'V1__a.sql:1:1: "hunt2"',
        "hunting...",
        'the "hun"',
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    composites = [
        '{"username": "reader", "password": "hunter2hunter2", "dbname": "sample"}',
        "postgresql://reader:hunter2hunter2@db.example/sample",
        "host=db.example dbname=sample user=reader",
        "arn:aws:rds:eu-central-1:1:cluster:sample",
    ]
    redact = Redactor(map(Secret, [*composites, "hunter2hunter2"]))
    assert redact(text) == text


@pytest.mark.timeout(20)
def test_hostile_text_takes_no_more_time_than_its_length() -> None:
    redact = Redactor([Secret("a" * 40), Secret("ab" * 20)])
    assert redact("a" * 39 + "b") == "a" * 39 + "b"
    redact(("a" * 39 + "b") * 10_000 + '"aaaa' * 10_000)


@pytest.mark.parametrize("secret", ["1", "success", "true", '"'])
def test_json_keeps_its_names_and_numbers(secret: str) -> None:
    value = {"success": True, "count": 1, "none": None, "texts": ["a 1", ("success",)], "quote": 'say "x"'}
    redacted = redact_strings(value, Redactor([Secret(secret)]))
    assert isinstance(redacted, dict)
    assert list(redacted) == list(value)
    assert (redacted["success"], redacted["count"], redacted["none"]) == (True, 1, None)
    assert secret not in f"{redacted['texts']} {redacted['quote']}"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_secret_is_masked_whatever_a_url_makes_of_its_characters(text: str) -> None:
    redactor = Redactor([Secret(text)])
    forms = [quote(text, safe=""), quote(text), quote_plus(text)]
    assert [form for form in forms if form.strip("*") and redactor(form) != MASK] == []
