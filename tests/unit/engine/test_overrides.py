"""What error overrides make of the server's messages."""

import pytest

from taxiway.engine.overrides import Overrides
from taxiway.errors import StatementFailed
from taxiway.model.event import NoticeReceived, Warned
from taxiway.model.rules import ErrorAction, ErrorOverride

NOTICE = NoticeReceived(severity="NOTICE", message="skipping", sqlstate="42P07")


def overrides(*texts: str) -> Overrides:
    return Overrides([ErrorOverride.parse(text) for text in texts])


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([], NOTICE),
        (["42P06:0:E"], NOTICE),
        (["*:1:E"], NOTICE),
        (["42P07:0:D"], None),
        (
            ["42P07:*:I"],
            NoticeReceived(
                severity="INFO", message="skipping (SQL State: 42P07 - Error Code: 0)", sqlstate="00000"
            ),
        ),
        (["42P07:0:I-"], NoticeReceived(severity="INFO", message="skipping", sqlstate="00000")),
        (["*:*:W"], Warned(message="DB: skipping (SQL State: 42P07 - Error Code: 0)")),
        (["*:*:W-"], Warned(message="DB: skipping")),
        (["42P07:0:D", "*:*:W"], None),
    ],
)
def test_what_is_told_of_a_notice(rules: list[str], told: object) -> None:
    assert overrides(*rules).of_notice(NOTICE) == told


def test_a_notice_may_become_an_error_of_the_statement_that_it_came_with() -> None:
    rules = overrides("42P07:0:E")
    assert rules.of_notice(NOTICE) is None
    assert rules.failure
    assert (rules.failure.message, rules.failure.sqlstate) == ("skipping", "42P07")
    rules.forget()
    assert rules.failure is None


@pytest.mark.parametrize(
    ("rules", "action", "sqlstate"),
    [
        ([], ErrorAction.ERROR, "42P07"),
        (["42P07:0:E-"], ErrorAction.ERROR, None),
        (["42P07:0:W"], ErrorAction.WARNING, "42P07"),
        (["*:*:D-"], ErrorAction.DEBUG, "42P07"),
    ],
)
def test_what_an_error_counts_as(rules: list[str], action: ErrorAction, sqlstate: str | None) -> None:
    error = StatementFailed("exists", sqlstate="42P07")
    assert overrides(*rules).of_error(error) is action
    assert error.sqlstate == sqlstate


@pytest.mark.parametrize(
    ("rules", "told"),
    [(["*:*:D"], None), (["*:*:W"], Warned(message="DB: exists (SQL State: 42P07 - Error Code: 0)"))],
)
def test_what_is_told_of_an_error_that_is_none(rules: list[str], told: object) -> None:
    assert overrides(*rules).of_forgiven(StatementFailed("exists", sqlstate="42P07")) == told


@pytest.mark.parametrize(("rules", "may"), [([], False), (["*:*:E"], False), (["*:*:E", "*:*:D"], True)])
def test_only_rules_that_make_less_of_an_error_can_forgive_one(rules: list[str], *, may: bool) -> None:
    assert overrides(*rules).may_forgive is may
