"""What people and programs are told of an object."""

from dataclasses import replace

from taxiway.model.why import (
    Applied,
    Certainty,
    Change,
    FoundObject,
    Mention,
    ObjectName,
    Origin,
    Run,
    WhyResult,
)
from taxiway.reports.why import render_why, why_json

RUN = Run("r1", 1, 9, False, "2026-03-01 12:00:00+00", "run", "host:repo", "main", "abc", "ann", "app")
V1 = Applied("1", "first", "V1__first.sql", 5, True, "r1")
CHANGE = Change(what=("column price",), certainty=Certainty.EXACT, migrations=(V1,), run=RUN, age=3)
COLUMN = FoundObject(1, "public", "Orders", "table", "relation", 2, "price")


def result(*changes: Change, found: FoundObject = COLUMN, mentions: tuple[Mention, ...] = ()) -> WhyResult:
    origin = Origin(found=found, changes=changes)
    return WhyResult(name=ObjectName(("Orders", "price")), database="app", origins=(origin,), mentions=mentions)


def test_a_change_is_told_with_migration_commit_and_run() -> None:
    assert render_why(result(CHANGE)) == (
        'public."Orders".price (column)\n'
        "  column price\n"
        "    by V1__first.sql (version 1)\n"
        "    commit abc on main of host:repo\n"
        "    run r1 of 2026-03-01 12:00:00+00, by ann"
    )


def test_without_a_run_the_row_of_the_history_tells() -> None:
    row = V1._replace(run_id=None, when="2026-03-01 12:00:00", user="app")
    text = render_why(result(replace(CHANGE, migrations=(row,), run=None)))
    assert text.endswith("by V1__first.sql (version 1)\n    on 2026-03-01 12:00:00 as app, in no ledger")


def test_how_it_is_known_is_in_the_sentence() -> None:
    other = V1._replace(version=None, script="R__view.sql")
    sentences = {
        Certainty.GROUP: "by one of a group: V1__first.sql (version 1) or R__view.sql (repeatable)",
        Certainty.DURING: "while V1__first.sql (version 1) or R__view.sql (repeatable) ran, in a transaction of its own",
        Certainty.RUN: "during a run, by a callback or by somebody else at that time",
    }
    for certainty, sentence in sentences.items():
        change = replace(CHANGE, certainty=certainty, migrations=(V1, other))
        assert f"\n    {sentence}\n" in render_why(result(change))


def test_what_only_a_grant_may_have_written_is_not_said_to_be_a_definition() -> None:
    table = FoundObject(1, "public", "orders", "table", "relation")
    grant = replace(CHANGE, what=("definition",), certainty=Certainty.UNKNOWN, migrations=(), run=None)
    text = render_why(result(CHANGE, grant, found=table))
    assert "by V1__first.sql" in text
    assert text.endswith("or by hand, or only a GRANT or TRUNCATE, which write the same row of the catalog")
    assert "GRANT" not in render_why(result(CHANGE, replace(grant, what=("created", "definition")), found=table))
    assert "GRANT" not in render_why(result(CHANGE, grant, found=table._replace(sort="index")))
    assert "or only a GRANT, which writes" in render_why(result(CHANGE, grant, found=table._replace(sort="view")))
    during = replace(grant, certainty=Certainty.DURING, migrations=(V1,), run=RUN)
    assert "ran, in a transaction of its own, or only a GRANT" in render_why(result(during, found=table))


def test_a_run_that_has_only_looked_after_roles_is_named() -> None:
    change = replace(
        CHANGE,
        certainty=Certainty.RUN,
        migrations=(),
        run=RUN._replace(command="roles apply"),
        what=("definition",),
    )
    assert "during 'taxiway roles apply', by its GRANT or by somebody else" in render_why(result(change))


def test_what_is_not_known_is_said_so_and_mentions_are_no_proof() -> None:
    unknown = replace(CHANGE, certainty=Certainty.UNKNOWN, migrations=(), run=None)
    mentions = tuple(Mention(f"V{number}__x.sql", 2) for number in range(12))
    assert render_why(result(unknown, mentions=mentions)).splitlines()[1:6] == [
        "  Not known: nobody on record has written it.",
        "",
        "Scripts that mention the name, which proves nothing:",
        "  V0__x.sql, line 2",
        "  V1__x.sql, line 2",
    ]
    assert render_why(result(unknown, mentions=mentions)).endswith("  and 2 more")


def test_what_is_gone_and_what_was_restored_is_told() -> None:
    text = render_why(result(replace(CHANGE, is_of_copy=True), found=COLUMN._replace(is_gone=True)))
    assert text.startswith('public."Orders".price (column, which is not there any more)')
    assert text.endswith("before that, the ledger tells by the name.")


def test_programs_get_the_same() -> None:
    value = why_json(result(CHANGE))
    assert (value["operation"], value["name"], value["known"]) == ("why", "Orders.price", True)
    [found] = value["objects"]
    assert (found["kind"], found["schema"], found["name"], found["column"]) == (
        "column",
        "public",
        "Orders",
        "price",
    )
    [change] = found["changes"]
    assert change["migrations"] == [{"version": "1", "description": "first", "script": "V1__first.sql"}]
    assert change["run"]["commit"] == "abc"
