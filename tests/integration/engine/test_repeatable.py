"""Repeatable migrations run after the versioned ones, and again when what they say has changed."""

from taxiway.model.migration import MigrationKind
from tests.support.workspace import Workspace

VIEW = {"R__view.sql": "CREATE OR REPLACE VIEW v AS SELECT i, '${word}' AS word FROM a;"}
TABLE = {"V1__a.sql": "CREATE TABLE a (i int);"}


def names(workspace: Workspace, **placeholders: str) -> list[str]:
    """What a run applies, in order."""
    return [
        one.description if one.kind is MigrationKind.REPEATABLE else str(one.version)
        for one in workspace.migrate(placeholders={"word": "w"} | placeholders).migrations
    ]


def test_they_run_last_and_in_the_order_of_their_descriptions(workspace: Workspace) -> None:
    workspace.write(TABLE | {"R__b.sql": "SELECT 1;", "R__a.sql": "SELECT 1;", "R__B.sql": "SELECT 1;"} | VIEW)
    assert names(workspace) == ["1", "B", "a", "b", "view"]
    assert names(workspace) == []


def test_they_run_again_when_their_text_changes(workspace: Workspace) -> None:
    workspace.write(TABLE | VIEW)
    names(workspace)
    workspace.write({"V2__b.sql": "SELECT 1;", "R__view.sql": VIEW["R__view.sql"] + "\nSELECT 1;"})
    assert workspace.states(placeholders={"word": "w"}) == [
        "1 Success",
        "view Outdated",
        "2 Pending",
        "view Pending",
    ]

    assert names(workspace) == ["2", "view"]

    assert workspace.states(placeholders={"word": "w"}) == [
        "1 Success",
        "view Superseded",
        "2 Success",
        "view Success",
    ]
    assert [row["installed_rank"] for row in workspace.history()] == [1, 2, 3, 4]
    assert names(workspace) == []


def test_line_ends_are_no_change(workspace: Workspace) -> None:
    workspace.write({"R__x.sql": "SELECT 1;\nSELECT 2;\n"})
    names(workspace)
    workspace.write({"R__x.sql": "SELECT 1;\r\nSELECT 2;"})
    assert names(workspace) == []


def test_they_run_again_when_the_value_of_their_placeholder_changes(workspace: Workspace) -> None:
    workspace.write(TABLE | VIEW)
    names(workspace, word="one", other="x")
    assert names(workspace, word="one", other="y") == []
    assert names(workspace, word="two") == ["view"]
    workspace.query("INSERT INTO a VALUES (1)")
    assert workspace.query("SELECT word FROM v") == [("two",)]
    assert workspace.states(placeholders={"word": "three"}) == [
        "1 Success", "view Superseded", "view Outdated", "view Pending",
    ]  # fmt: skip


def test_a_history_written_without_replacement_is_up_to_date(workspace: Workspace) -> None:
    workspace.write(TABLE | {"R__x.sql": "SELECT 1; -- ${word}"})
    workspace.migrate(placeholder_replacement=False)
    assert names(workspace) == []


def test_a_renamed_one_is_a_new_one_and_the_old_one_is_missing(workspace: Workspace) -> None:
    workspace.write({"R__x.sql": "SELECT 1;"})
    names(workspace)
    (workspace.scripts / "R__x.sql").rename(workspace.scripts / "R__y.sql")
    assert workspace.states() == ["x Missing", "y Pending"]
    assert [problem.code for problem in workspace.validate().problems] == [
        "APPLIED_REPEATABLE_MIGRATION_NOT_RESOLVED",
        "RESOLVED_REPEATABLE_MIGRATION_NOT_APPLIED",
    ]


def test_a_failed_run_keeps_the_one_before_it_in_force(workspace: Workspace) -> None:
    workspace.write(TABLE | VIEW)
    names(workspace)
    workspace.write({"R__view.sql": "DROP VIEW v; SELECT nonsense;"})
    result = workspace.run("migrate")
    assert result.returncode == 1
    assert workspace.query("SELECT * FROM v") == []
    assert workspace.states() == ["1 Success", "view Outdated", "view Pending"]
