"""From numbers of transactions to an answer, and never further than they reach."""

import pytest

from taxiway.model.why import Applied, Certainty, Change, FoundObject, ObjectName, Run, Trace
from taxiway.planning.why import explain, parse_object_name

TABLE = FoundObject(1, "public", "orders", "table", "relation")
RUN = Run("r1", 100, 200, False, "now", "run", None, "main", "abc", "ann", "app")


def applied(script: str, xid: int, *, transactional: bool = True, run_id: str | None = "r1") -> Applied:
    return Applied("1", "", script, xid, transactional, run_id)


def only(*traces: Trace, migrations: tuple[Applied, ...], runs: tuple[Run, ...] = (RUN,)) -> Change:
    [change] = explain(TABLE, traces, migrations, runs).changes
    return change


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("orders", ("orders",)),
        ("Orders.Price", ("orders", "price")),
        ('"Orders"."a.b"', ("Orders", "a.b")),
        ('"say ""hi"""', ('say "hi"',)),
        ("app.orders.price", ("app", "orders", "price")),
        ("total(int, text)", ("total",)),
    ],
)
def test_a_name_is_read_as_sql_has_it(text: str, parts: tuple[str, ...]) -> None:
    assert parse_object_name(text) == ObjectName(parts)


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a.b.c.d", '"a', '""', 'a"b'])
def test_what_is_no_name_is_none(text: str) -> None:
    assert parse_object_name(text) is None


def test_the_transaction_of_a_migration_is_exact_with_its_run() -> None:
    change = only(Trace("column", "id", 120, 9), migrations=(applied("V1", 110), applied("V2", 120)))
    assert (change.certainty, [one.script for one in change.migrations], change.run) == (
        Certainty.EXACT,
        ["V2"],
        RUN,
    )


def test_the_history_alone_is_exact_without_a_run() -> None:
    change = only(Trace("column", "id", 50, 9), migrations=(applied("V1", 50, run_id=None),), runs=())
    assert (change.certainty, change.run) == (Certainty.EXACT, None)


def test_migrations_of_one_transaction_are_a_group() -> None:
    change = only(Trace("column", "id", 120, 9), migrations=(applied("V1", 120), applied("V2", 120)))
    assert change.certainty is Certainty.GROUP


@pytest.mark.parametrize(
    ("migrations", "certainty", "scripts"),
    [
        # A savepoint is numbered after its transaction
        ((applied("V1", 120), applied("V2", 130)), Certainty.DURING, ["V1"]),
        # Without a transaction, statements are numbered before the row
        (
            (applied("V1", 120, transactional=False), applied("V2", 130, transactional=False)),
            Certainty.DURING,
            ["V2"],
        ),
        ((applied("V1", 120), applied("V2", 130, transactional=False)), Certainty.DURING, ["V1", "V2"]),
        ((applied("V1", 120, transactional=False), applied("V2", 130)), Certainty.RUN, []),
        ((applied("V1", 130),), Certainty.RUN, []),
        ((), Certainty.RUN, []),
    ],
)
def test_between_two_migrations_it_is_those_that_can_have_been_running(
    migrations: tuple[Applied, ...], certainty: Certainty, scripts: list[str]
) -> None:
    change = only(Trace("column", "id", 125, 9), migrations=migrations)
    assert (change.certainty, [one.script for one in change.migrations]) == (certainty, scripts)


@pytest.mark.parametrize("xid", [99, 201])
def test_outside_of_every_run_nobody_is_known(xid: int) -> None:
    change = only(Trace("column", "id", xid, 9), migrations=(applied("V1", 120),))
    assert (change.certainty, change.migrations, change.run) == (Certainty.UNKNOWN, (), None)


def test_a_run_that_has_no_end_has_no_bounds() -> None:
    change = only(Trace("column", "id", 120, 9), migrations=(), runs=(RUN._replace(last_xid=None),))
    assert change.certainty is Certainty.UNKNOWN


def test_a_run_may_go_over_the_end_of_the_numbers() -> None:
    run = RUN._replace(first_xid=(1 << 32) - 5, last_xid=20)
    change = only(
        Trace("column", "id", 4, 9), migrations=(applied("V1", (1 << 32) - 2), applied("V2", 9)), runs=(run,)
    )
    assert (change.certainty, [one.script for one in change.migrations]) == (Certainty.DURING, ["V1"])


def test_what_the_ledger_and_the_catalog_both_have_is_one_change() -> None:
    change = only(
        Trace("column", "id", 120, 9),
        Trace("column", "id", 120, 9, "r1"),
        Trace("creation", None, 120, 9),
        migrations=(applied("V1", 120),),
    )
    assert change.what == ("created", "column id")


def test_changes_come_in_their_order_and_one_by_hand_stays() -> None:
    traces = [Trace("column", "id", 300, 1), Trace("column", "id", 120, 90, "r1")]
    origin = explain(TABLE, traces, (applied("V1", 120),), (RUN,))
    assert [one.certainty for one in origin.changes] == [Certainty.EXACT, Certainty.UNKNOWN]
    assert origin.is_known


def test_after_a_restore_equal_numbers_mean_nothing_and_what_it_wrote_is_no_change() -> None:
    old = RUN._replace(run_id="r0", is_of_copy=True)
    traces = [
        Trace("column", "id", 120, 5, "r0", is_of_copy=True),
        Trace("column", "id", 120, 5),
        Trace("column", "id", 150, 3, "r1"),
    ]
    migrations = (applied("V1", 120, run_id="r0"), applied("V2", 150))
    origin = explain(TABLE, traces, migrations, (old, RUN._replace(first_xid=140)))
    assert [(one.certainty, one.is_of_copy, one.migrations[0].script) for one in origin.changes] == [
        (Certainty.EXACT, True, "V1"),
        (Certainty.EXACT, False, "V2"),
    ]
