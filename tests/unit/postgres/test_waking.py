"""Which failures are those of a database that wakes up, and how long such a one is waited for."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from taxiway import errors
from taxiway.model.event import WakingDatabase
from taxiway.postgres.errors import translate_connect_error
from taxiway.postgres.login import Login
from taxiway.postgres.waking import Waking, may_be_waking

NAME = "shop.cluster-abc123.eu-west-1.rds.amazonaws.com"
TO_SERVER = f'connection to server at "{NAME}" (10.0.0.7), port 5432 failed: '


@dataclass
class FakeClock:
    seconds: float = 100.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


def failure(words: str) -> errors.DatabaseError:
    return translate_connect_error(words, target=f"{NAME}:5432/shop", login=Login(user="u"))


@pytest.mark.parametrize(
    "words",
    [
        f"{TO_SERVER}Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
        f"{TO_SERVER}timeout expired",
        f"{TO_SERVER}Connection timed out",
        f"{TO_SERVER}FATAL:  the database system is starting up",
        f"{TO_SERVER}server closed the connection unexpectedly\n\tThis probably means the server terminated",
        f'could not translate host name "{NAME}" to address: Temporary failure in name resolution',
        f'{TO_SERVER}FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "u", database "shop", SSL encryption',
    ],
)
def test_what_may_pass_by_itself(words: str) -> None:
    assert may_be_waking(failure(words), NAME)


@pytest.mark.parametrize(
    "words",
    [
        f'{TO_SERVER}FATAL:  password authentication failed for user "u"',
        f'{TO_SERVER}FATAL:  database "shop" does not exist',
        f"{TO_SERVER}SSL error: certificate verify failed",
        f"{TO_SERVER}server does not support SSL, but SSL was required",
        f'could not translate host name "{NAME}" to address: Name or service not known',
        f'could not translate host name "{NAME}" to address: No address associated with hostname',
        f"{TO_SERVER}No route to host",
        f"{TO_SERVER}FATAL:  sorry, too many clients already",
        f'{TO_SERVER}FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "u", database "shop", no encryption',
    ],
)
def test_what_does_not(words: str) -> None:
    assert not may_be_waking(failure(words), NAME)


def test_elsewhere_a_missing_rule_is_no_sign_of_sleep() -> None:
    words = (
        f'{TO_SERVER}FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "u", database "shop", SSL encryption'
    )
    assert not may_be_waking(failure(words), "db.example.com")


def test_it_is_told_once_and_then_every_ten_seconds_until_time_is_up() -> None:
    clock, told = FakeClock(), list[WakingDatabase]()
    waking = Waking(NAME, 25, clock, told.append)
    refused = failure(f"{TO_SERVER}Connection refused")
    attempts = 0
    while waking.takes_in(refused):
        attempts += 1
        waking.wait(refused.message)
    assert [event.waited_seconds for event in told] == [0, 10, 20]
    assert {event.budget_seconds for event in told} == {25}
    assert (attempts, sum(clock.slept)) == (13, 25)
    assert refused.message.endswith("It was waited for 25 s (wakeTimeout).")


def test_no_time_is_waited_for_what_does_not_pass() -> None:
    clock, told = FakeClock(), list[WakingDatabase]()
    waking = Waking(NAME, 25, clock, told.append)
    assert not waking.takes_in(failure(f'{TO_SERVER}FATAL:  password authentication failed for user "u"'))
    assert (clock.slept, told) == ([], [])
