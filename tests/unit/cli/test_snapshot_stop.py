"""What is said when a restore is stopped: what RDS is at, and only ways that lead somewhere."""

import pytest

from taxiway import errors
from taxiway.cli.commands.snapshot import _ways_on
from taxiway.ops.restore import RestoreWish
from tests.unit.ops.test_restore import GONE, SILENT, Operator, failing, shop, stopped

STEP = "restore the snapshot as shop-new"


def test_what_was_refused_is_not_said_to_go_on() -> None:
    rds = shop()
    rds.before = failing(10_000, GONE, "restore")
    text = _ways_on(stopped(Operator(rds)), STEP, "snapshot restore")
    assert text == (
        f"RDS has not taken what it was asked for last ({STEP}): {GONE.message}\n"
        "  Try again: taxiway snapshot restore\n"
        "  Look:      taxiway snapshot restore --dry-run"
    )


def test_what_may_go_on_has_a_way_back() -> None:
    rds = shop()
    rds.before = failing(10_000, SILENT, "restore")
    text = _ways_on(stopped(Operator(rds)), STEP, "snapshot restore")
    assert text.startswith(f"RDS goes on with what it was asked for last ({STEP}).\n  Go on:     taxiway")
    assert text.endswith("  Go back:   taxiway snapshot revert")


def test_before_the_first_step_nothing_was_asked_for() -> None:
    operator = Operator(shop())

    def interrupt() -> None:
        raise KeyboardInterrupt

    operator.clock.then = interrupt
    restorer = operator.restorer("1")
    found = restorer.look(RestoreWish(), operator.now())
    with pytest.raises(KeyboardInterrupt):
        restorer.restore(found)
    text = _ways_on(restorer, "", "snapshot restore")
    assert text.startswith("RDS was asked for nothing.\n")
    assert "revert" not in text
    with pytest.raises(errors.RestoreNotFound):
        restorer.get_begun()
