"""What an attempt to log in tells of a password."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from taxiway.model.role import PasswordState
from taxiway.postgres import password
from taxiway.postgres.libpq import attempt
from taxiway.secret import Secret

PREFIX = 'connection to server at "10.0.0.1", port 5432 failed: '


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (
            'FATAL:  28P01: password authentication failed for user "a"\nLOCATION:  auth_failed, auth.c:331',
            PasswordState.OTHER,
        ),
        # In other languages
        ("致命错误:  28P01: 密码\n位置:  auth_failed, auth.c:331\n", PasswordState.OTHER),
        (
            "FATAL:  53300: zu viele Verbindungen für Rolle »a«\nORT:  InitializeSessionUserId, miscinit.c:789",
            PasswordState.SAME,
        ),
        # The server is full: nobody has looked at the password.
        (
            "FATAL:  53300: sorry, too many clients already\nLOCATION:  InitProcess, proc.c:353",
            PasswordState.UNKNOWN,
        ),
        (
            "FATAL:  28000: no pg_hba.conf entry\nLOCATION:  ClientAuthentication, auth.c:519",
            PasswordState.UNKNOWN,
        ),
        ("Connection refused", PasswordState.UNKNOWN),
        ("", PasswordState.UNKNOWN),
    ],
)
def test_a_refusal_is_understood_in_any_language(words: str, state: PasswordState) -> None:
    assert password._judge(attempt._refusal(PREFIX + words)).state is state


def test_the_reason_has_nothing_that_is_for_developers() -> None:
    words = "FATAL:  28000: no pg_hba.conf entry\nLOCATION:  ClientAuthentication, auth.c:519\n"
    assert attempt._refusal(PREFIX + words).words == f"{PREFIX}FATAL: no pg_hba.conf entry"


def test_a_library_that_might_give_the_password_away_is_not_given_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "libpq", lambda: SimpleNamespace(PQlibVersion=lambda: 150009))
    monkeypatch.setattr(password, "attempt_login", lambda *_, **__: pytest.fail("logged in"))
    check = password.check_password(cast("Any", None), {}, "app", Secret("p"))
    assert (check.state, check.reason) == (PasswordState.UNKNOWN, "libpq is older than 16")
