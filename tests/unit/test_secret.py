"""A secret does not show, and a redactor finds it in every notation."""

import json
import pickle
import shlex
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.secret import MASK, Redactor, Secret

AWKWARD = "p'a\"s\\s w/o@r%d$é\t!"


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


def test_nothing_known_changes_nothing() -> None:
    assert Redactor()("abc") == "abc"
    assert Redactor([Secret("")])("abc") == "abc"


@given(st.text(st.characters(exclude_characters="*"), min_size=1).filter(str.strip), st.text(), st.text())
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor([Secret(secret)])(before + secret + after)
