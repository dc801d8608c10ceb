"""What the campaign looks for is found where it is: a judge that finds nothing proves nothing."""

import json
from collections.abc import Mapping, Sequence

import pytest

from faults.case import GROUP, MIXED, Case
from faults.command import Ended
from faults.place import HistoryRow, State
from faults.truth import find_lies, find_unfinished, find_wrong_loss, find_wrong_refusal, find_wrong_state


def applied(*scripts: str, case: Case = MIXED, without: str = "", further: Mapping[str, int] = {}) -> State:
    """These are applied, with all that they leave; without one effect, or with further ones."""
    migrations = [case.migration(script) for script in scripts]
    effects = {name: 1 for one in migrations for name in one.effects if name != without}
    return State(
        rows=tuple(HistoryRow(script, success=True, execution_time=1) for script in scripts),
        effects={**effects, **further},
        indexes={one.index: True for one in migrations if one.index},
        has_history=True,
    )


def with_begun(state: State, script: str) -> State:
    """The same, and a row of one that was begun and not finished."""
    row = HistoryRow(script, success=False, execution_time=-1)
    return State(rows=(*state.rows, row), effects=state.effects, indexes=state.indexes, has_history=True)


def ended(exit_code: int, *, code: str = "", message: str = "", told: Sequence[str] = ()) -> Ended:
    answer = {
        "error": {"taxiwayCode": code, "message": message, "hint": None} if code else None,
        "migrations": [{"filepath": f"sql/{script}"} for script in told],
    }
    return Ended(exit_code=exit_code, stdout=json.dumps(answer), stderr="", ended_at=0)


FIRST, SECOND, THIRD, INDEX, FIFTH, STEPS, *_ = MIXED.scripts
FIRST_EFFECT, LAST_EFFECT = f"{FIRST} first", f"{FIRST} last"


@pytest.mark.parametrize(
    "state",
    [
        applied(),
        applied(FIRST),
        applied(FIRST, SECOND, THIRD, INDEX),
        with_begun(applied(FIRST, SECOND, THIRD), INDEX),
        applied(*MIXED.scripts),
    ],
)
def test_a_boundary_is_in_order(state: State) -> None:
    assert list(find_wrong_state(MIXED, state)) == []


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (applied(FIRST, without=LAST_EFFECT), "is missing"),
        (applied(FIRST, further={FIRST_EFFECT: 2}), "done more than once"),
        (applied(FIRST, FIRST), "2 rows"),
        (applied(further={FIRST_EFFECT: 1}), "has no row, and its effect"),
        (applied(SECOND), "with gaps"),
        (with_begun(applied(), FIRST), "success = false"),
    ],
)
def test_what_is_lost_or_doubled_is_found(state: State, words: str) -> None:
    assert words in "\n".join(find_wrong_state(MIXED, state))


def test_a_part_of_a_group_is_found() -> None:
    state = applied(GROUP.scripts[0], case=GROUP)
    assert "a part of the group" in "\n".join(find_wrong_state(GROUP, state))


def test_what_is_not_done_in_the_end_is_found() -> None:
    assert list(find_unfinished(MIXED, applied(*MIXED.scripts))) == []
    assert list(find_unfinished(MIXED, applied(*MIXED.scripts[:-1]))) != []
    assert list(find_unfinished(MIXED, with_begun(applied(*MIXED.scripts), INDEX))) != []


@pytest.mark.parametrize(
    ("run", "state", "words"),
    [
        (ended(0, told=[FIRST]), applied(FIRST), "exit 0, and applied are only"),
        (ended(4, code="connection-lost", message="Lost.", told=[FIRST]), applied(), "and are not"),
        (ended(4, code="connection-lost", message="Lost."), applied(FIRST), "and not told"),
        (
            ended(4, code="connection-lost", message=f"Migration {FIRST} was running. It was not applied: gone."),
            applied(FIRST),
            "and it is",
        ),
        (
            ended(143, code="terminated", message=f"Terminated while {FIRST} ran: it was rolled back; 0 were."),
            applied(FIRST),
            "it was rolled back, and it is applied",
        ),
        (
            ended(143, code="terminated", message="Terminated before anything was changed."),
            applied(),
            "nothing was changed",
        ),
        (
            ended(4, code="connection-lost", message=f"Migration {INDEX} was running.", told=[FIRST]),
            with_begun(applied(FIRST), INDEX),
            "so run again",
        ),
        (Ended(exit_code=70, stdout="", stderr="Traceback", ended_at=0), applied(), "exit 70"),
    ],
)
def test_what_is_not_true_is_found(run: Ended, state: State, words: str) -> None:
    assert words in "\n".join(find_lies(MIXED, run, state))


def test_what_is_said_to_be_in_doubt_may_be_applied() -> None:
    message = f"Terminated while asking whether {FIRST} and {SECOND} were applied: the connection was lost."
    run = ended(143, code="terminated", message=message)
    assert list(find_lies(MIXED, run, applied(FIRST, SECOND))) == []


@pytest.mark.parametrize(
    ("which", "untold", "is_found"),
    [
        (f"{FIRST} ran: whether it was", [], False),
        (f"{FIRST} ran: whether it was", [FIRST], False),
        (f"{FIRST} ran: whether it was", [FIRST, SECOND], True),
        (f"{SECOND} ran: whether it was", [FIRST], True),
        (f"{FIRST} ran: whether it and those behind it, up to {SECOND}, were", [FIRST, SECOND], False),
        (f"{FIRST} ran: whether it and those behind it, up to {SECOND}, were", [FIRST, SECOND, THIRD], True),
    ],
)
def test_only_what_is_said_to_be_unknown_may_be_applied(which: str, untold: list[str], is_found: bool) -> None:
    message = f"Terminated while {which} applied is not known ('taxiway info' tells)."
    run = ended(143, code="terminated", message=message)
    assert bool([*find_lies(MIXED, run, applied(*untold))]) is is_found


def test_an_outcome_that_could_have_been_looked_up_is_found() -> None:
    run = ended(1, code="outcome-unknown", message=f"Migration {FIRST} was running. Who knows.")
    assert list(find_wrong_loss(MIXED, run, can_ask=True)) != []
    assert list(find_wrong_loss(MIXED, run, can_ask=False)) == []
    of_an_index = ended(1, code="outcome-unknown", message=f"Migration {INDEX} was running. Some has stayed.")
    assert list(find_wrong_loss(MIXED, of_an_index, can_ask=True)) == []


def test_a_refusal_has_a_reason_a_name_and_a_way_on() -> None:
    begun = with_begun(applied(FIRST, SECOND, THIRD, INDEX, FIFTH), STEPS)
    good = f"{STEPS} was begun; drop what CREATE INDEX CONCURRENTLY has left, then 'taxiway repair'."
    refused = ended(1, code="failed-migration-recorded", message=good)
    assert list(find_wrong_refusal(MIXED, refused, begun)) == []
    assert list(find_wrong_refusal(MIXED, refused, applied(FIRST))) != []
    assert len(list(find_wrong_refusal(MIXED, ended(1, code="failed", message="No."), begun))) == 4
