"""The page shows how many trials there were, how they ended, and every problem."""

from dataclasses import replace
from datetime import date

from faults.page import Report, render_page
from faults.trial import Doubled, Lost, Part, Trial


def trial(outcome: str, *problems: str) -> Trial:
    return Trial(
        part=Part.CUT, group="mixed: reset (RST)", what="cut", outcome=outcome, then="finished", problems=problems
    )


def page(*trials: Trial, arguments: str = "") -> str:
    return render_page(
        Report(
            day=date(2026, 1, 2),
            machine="a machine",
            server="17.10",
            seconds=600,
            points={"mixed": 700},
            trials=trials,
            left_out=["nothing but this"],
            arguments=arguments,
        )
    )


def test_trials_that_came_to_the_same_are_counted_together() -> None:
    text = page(trial("exit 4"), trial("exit 4"), trial("exit 0"))
    assert "| The connection is cut | 3 | 0 | 0 | 0 |" in text
    assert "| mixed: reset (RST) | exit 4 | finished | 2 | 0 |\n|  | exit 0 | finished | 1 | 0 |" in text
    assert "\n## Problems" not in text


def test_problems_are_counted_and_shown_in_one_line() -> None:
    text = page(trial("exit 4", "first\nline <b>", "second"), trial("exit 4"))
    assert "| **All** | **2** | **0** | **0** | **1** |" in text
    assert "\n- cut: first line &lt;b>\n" in text


def test_what_was_lost_and_what_was_done_twice_is_counted() -> None:
    text = page(trial("exit 4", Lost("no row")), trial("exit 4", Doubled("two rows"), Doubled("two effects")))
    assert "| The connection is cut | 2 | 1 | 1 | 2 |" in text


def test_runs_at_once_are_counted() -> None:
    runners = (replace(trial("exit 0"), part=Part.RUNNERS, runs=count) for count in (5, 20))
    assert "| Several runs at once: 25 in all, at most 20 | 2 |" in page(*runners)


def test_what_was_left_out_and_how_it_was_called_is_said() -> None:
    assert "- **Left out:** nothing but this" in page()
    assert "`make faults`, 2026-01-02, 10 minutes" in page()
    assert "`python -m faults --share 0.1`" in page(arguments="--share 0.1")
