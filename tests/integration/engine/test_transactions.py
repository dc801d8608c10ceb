"""A migration and its history row happen together or not at all, and a failure tells where and what."""

import pytest

import taxiway
from taxiway import errors
from taxiway.model.event import Event, StatementRun, Warned
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

A = {"V1__a.sql": "CREATE TABLE a (i int PRIMARY KEY);"}
THIRD_FAILS = (
    "CREATE TABLE b (i int);\nCREATE ROLE left_over;\n  SELECT  nonsense\n  FROM a;\nCREATE TABLE c (i int);\n"
)


def failure(workspace: Workspace, **placeholders: str | taxiway.Secret) -> taxiway.MigrationFailed:
    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate(placeholders=placeholders)
    return caught.value


def test_a_failing_statement_takes_the_ones_before_it_along(workspace: Workspace) -> None:
    workspace.write(A)
    workspace.migrate()
    before = fingerprint(workspace.database)
    workspace.write({"V2__b.sql": THIRD_FAILS, "V3__c.sql": "CREATE TABLE d ();"})

    error = failure(workspace)

    assert error.rolled_back
    assert fingerprint(workspace.database) == before


def test_migrations_before_the_failing_one_stay(workspace: Workspace) -> None:
    workspace.write(A | {"V2__b.sql": THIRD_FAILS})

    error = failure(workspace)

    assert workspace.applied() == ["1"]
    assert [str(one.version) for one in error.result.migrations] == ["1"]
    assert workspace.states() == ["1 Success", "2 Pending"]


def test_the_failure_tells_the_place_in_the_script_and_the_words_of_the_server(workspace: Workspace) -> None:
    workspace.write(A | {"dir/V2__b.sql": THIRD_FAILS})

    error = failure(workspace)

    assert (error.script, error.path) == ("dir/V2__b.sql", str(workspace.scripts / "dir/V2__b.sql"))
    assert (error.line, error.column, error.sqlstate) == (3, 11, "42703")
    assert error.excerpt == (
        "1 | CREATE TABLE b (i int);\n2 | CREATE ROLE left_over;\n3 |   SELECT  nonsense\n  |           ^"
    )
    assert 'column "nonsense" does not exist' in error.message
    assert f"{error.path}:3:11: " in error.message
    assert error.hint


def test_a_failed_migration_can_be_mended_and_run_again(workspace: Workspace) -> None:
    workspace.write(A | {"V2__b.sql": THIRD_FAILS})
    failure(workspace)
    workspace.write({"V2__b.sql": "CREATE TABLE b (i int);"})
    assert workspace.migrate().count == 1
    assert workspace.applied() == ["1", "2"]


def test_the_place_is_traced_back_through_values_of_several_lines(workspace: Workspace) -> None:
    script = "SELECT '${text}',\n       '${text}', ${PASSWORD_name}, oops;\n"
    workspace.write({"V1__a.sql": script})

    error = failure(workspace, text="one\ntwo\nthree", PASSWORD_name=taxiway.Secret("4711\n\n"))

    assert (error.line, error.column) == (2, script.index("oops") - script.index("\n"))
    assert "${PASSWORD_name}, oops" in error.excerpt
    assert "4711" not in f"{error} {error.excerpt} {error.details} {vars(error)}"


def test_an_error_in_a_value_points_to_its_placeholder_and_hides_the_value(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;\nSELECT ${column_password};\n"})

    error = failure(workspace, column_password=taxiway.Secret("hunter_two"))

    assert (error.line, error.column) == (2, 8)
    assert "hunter_two" not in f"{error} {error.excerpt} {error.details} {vars(error)}"
    assert 'column "****" does not exist' in error.message


def test_a_password_in_a_refused_statement_is_in_no_part_of_the_error(workspace: Workspace) -> None:
    workspace.write(
        {"V1__a.sql": "DO $do$ BEGIN\n EXECUTE 'CREATE ROLE x PASSWORD ''${password}'' nonsense';\nEND $do$;"}
    )

    error = failure(workspace, password=taxiway.Secret("hunter2's"))

    shown = f"{error!r} {error.args} {error.excerpt} {error.details} {vars(error)} {error.__cause__} {error.hint}"
    assert "hunter2" not in shown
    assert "****" in error.details["query"] if "query" in error.details else True
    assert error.__context__ is None


def test_an_error_without_a_position_points_to_its_statement(workspace: Workspace) -> None:
    workspace.write(A | {"V2__b.sql": "INSERT INTO a VALUES (1);\n\n-- again\n  INSERT INTO a VALUES (1);\n"})

    error = failure(workspace)

    assert (error.line, error.column, error.sqlstate) == (4, 3, "23505")
    assert error.details["detail"] == "Key (i)=(1) already exists."


def test_an_error_in_a_function_points_to_the_call_and_tells_the_line_in_the_function(
    workspace: Workspace,
) -> None:
    function = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n  PERFORM 1 / 0;\nEND $$;\n"
    workspace.write({"V1__f.sql": f"{function}SELECT f();\n"})

    error = failure(workspace)

    assert (error.line, error.column, error.sqlstate) == (5, 1, "22012")
    assert "function f() line 3" in error.details["context"]


def test_a_syntax_error_in_a_function_body_points_into_the_body(workspace: Workspace) -> None:
    function = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n  PERFORM (1;\nEND $$;\n"
    workspace.write({"V1__f.sql": function})
    error = failure(workspace)
    assert (error.line, error.column) == (3, 13)


def test_a_constraint_that_fails_at_commit_rolls_back_everything(workspace: Workspace) -> None:
    workspace.write(A)
    workspace.migrate()
    before = fingerprint(workspace.database)
    workspace.write(
        {
            "V2__b.sql": "CREATE TABLE b (i int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\n"
            "INSERT INTO b VALUES (7);\n"
        }
    )

    error = failure(workspace)

    assert (error.line, error.sqlstate, error.rolled_back) == (None, "23503", True)
    assert "committed" in error.message
    assert error.details["detail"] == 'Key (i)=(7) is not present in table "a".'
    assert fingerprint(workspace.database) == before


def test_a_row_that_does_not_fit_the_history_rolls_back_the_migration(workspace: Workspace) -> None:
    full = "ALTER TABLE flyway_schema_history ADD CHECK (version <> '2');"
    workspace.write(A | {"V2__b.sql": f"CREATE TABLE b (i int);\n{full}"})

    error = failure(workspace)

    assert (error.sqlstate, error.rolled_back) == ("23514", True)
    assert workspace.value("SELECT to_regclass('b') IS NULL")
    assert workspace.applied() == ["1"]


@pytest.mark.parametrize("ending", ["COMMIT", "COMMIT AND CHAIN", "END", "COMMIT; BEGIN"])
def test_a_script_that_commits_itself_is_warned_about_and_its_failure_tells_the_truth(
    workspace: Workspace, ending: str
) -> None:
    workspace.write(
        {"V1__a.sql": f"CREATE TABLE a (i int);\n{ending};\nCREATE TABLE b (i int);\nSELECT nonsense;\n"}
    )
    events: list[Event] = []

    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate(on_event=events.append)

    assert not caught.value.rolled_back
    assert any(isinstance(event, Warned) and "V1__a.sql" in event.message for event in events)
    assert workspace.query("SELECT to_regclass('a') IS NULL, to_regclass('b') IS NULL") == [(False, True)]
    assert workspace.applied() == []


def test_a_script_that_commits_itself_and_succeeds_is_recorded(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);COMMIT;CREATE TABLE b (i int);", "V2__b.sql": "COMMIT;"})
    assert workspace.migrate().count == 2
    assert workspace.applied() == ["1", "2"]


def test_a_script_that_rolls_back_loses_only_what_came_before(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int); ROLLBACK; CREATE TABLE b (i int);"})
    assert workspace.migrate().count == 1
    assert workspace.query("SELECT to_regclass('a') IS NULL, to_regclass('b') IS NULL") == [(True, False)]


def test_savepoints_are_the_scripts_own_business(workspace: Workspace) -> None:
    script = "CREATE TABLE a (i int);\nSAVEPOINT s;\nDROP TABLE a;\nROLLBACK TO s;\nSELECT nonsense;\n"
    workspace.write({"V1__a.sql": script})
    events: list[Event] = []

    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate(on_event=events.append)

    assert caught.value.rolled_back
    assert not any(isinstance(event, Warned) for event in events)


def test_a_prepared_transaction_is_not_supported_and_nothing_stays(workspace: Workspace) -> None:
    """The server has no room for prepared transactions by default, as on RDS."""
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);\nPREPARE TRANSACTION 'x';"})
    error = failure(workspace)
    assert (error.sqlstate, error.line) == ("55000", 2)
    assert workspace.value("SELECT to_regclass('a') IS NULL")


def test_a_statement_that_the_server_gives_up_on_is_an_ordinary_failure(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SET statement_timeout = '50ms';\nSELECT pg_sleep(30);"})
    error = failure(workspace)
    assert (error.sqlstate, error.line, error.rolled_back) == ("57014", 2, True)


def test_a_nul_character_is_an_error_with_its_place(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;\nSELECT 'a\0b';"})
    error = failure(workspace)
    assert (error.line, error.column, error.rolled_back) == (2, 10, True)


def test_a_first_run_that_fails_leaves_an_empty_history(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT nonsense;"})
    failure(workspace)
    assert workspace.history() == []
    assert workspace.states() == ["1 Pending"]


def test_a_user_without_the_right_to_create_gets_a_clear_error(workspace: Workspace) -> None:
    with workspace.database.server.admin(workspace.database.name) as connection:
        connection.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    workspace.write(A)
    with pytest.raises(errors.PermissionDenied, match="permission denied for schema public") as caught:
        workspace.migrate(user="weak", password="weak")
    assert caught.value.hint


HINTS = {
    "SET TRANSACTION READ ONLY;\nCREATE TABLE b ();": "Connect to the writer",
    "SET LOCAL lock_timeout = '10ms';\nSELECT * FROM held;": "Nothing is wrong with the scripts",
    "SET LOCAL statement_timeout = '10ms';\nSELECT pg_sleep(5);": "Nothing is wrong with the scripts",
    "SELECT * FROM forbidden;": "the privileges on table forbidden",
    "CREATE TABLE closed.b ();": 'GRANT USAGE, CREATE ON SCHEMA "closed" TO "owner_',
    "SELECT nonsense;": "Mend the script",
}


@pytest.mark.parametrize(("script", "words"), HINTS.items(), ids=HINTS.values())
def test_the_hint_fits_the_cause(workspace: Workspace, script: str, words: str) -> None:
    workspace.write(A)
    workspace.migrate()
    workspace.write({"V2__b.sql": script})
    with workspace.database.server.admin(workspace.database.name) as holder:
        holder.execute("CREATE SCHEMA closed; CREATE TABLE public.forbidden (); CREATE TABLE public.held ()")
        holder.execute("GRANT ALL ON public.held TO PUBLIC")
        with holder.transaction():
            holder.execute("LOCK TABLE public.held")
            error = failure(workspace)
    assert (error.hint or "").startswith("Nothing of this migration was kept. ")
    assert words in (error.hint or "")


def test_a_long_line_is_shown_around_the_place_of_the_error(workspace: Workspace) -> None:
    values = ", ".join(f"({number})" for number in range(100))
    script = f"CREATE TABLE a (i int);\nINSERT INTO a VALUES {values}, ('nope'), {values};\n"
    workspace.write({"V1__a.sql": script})
    *_, line, caret = failure(workspace).excerpt.splitlines()
    assert line[caret.index("^") :].startswith("'nope'")
    assert len(line) < 180


@pytest.mark.parametrize("end", ["ROLLBACK", "ROLLBACK AND CHAIN"])
def test_a_script_that_rolls_itself_back_is_warned_about_truthfully(workspace: Workspace, end: str) -> None:
    workspace.write({"V1__a.sql": f"CREATE TABLE a (); {end};"})
    [warning] = workspace.migrate().warnings
    assert warning == (
        "V1__a.sql ended its own transaction with ROLLBACK: what came before is gone, and that is not taken for a "
        "failure."
    )
    assert workspace.value("SELECT to_regclass('a')") is None


def test_a_script_that_fails_after_a_rollback_has_left_nothing(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (); ROLLBACK; CREATE TABLE b (); SELECT nonsense;"})
    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate()
    assert caught.value.rolled_back
    assert workspace.value("SELECT coalesce(to_regclass('a'), to_regclass('b'))") is None


def test_each_way_of_ending_the_transaction_is_warned_about(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "ROLLBACK; CREATE TABLE a (); COMMIT AND CHAIN; ROLLBACK; SELECT nonsense;"})
    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate()
    assert not caught.value.rolled_back
    assert workspace.value("SELECT to_regclass('a')::text") == "a"


def test_the_duration_of_a_statement_has_no_part_of_the_commit_before_it(workspace: Workspace) -> None:
    """What a deferred trigger does at the end of a migration is not the time of the next one's first statement."""
    workspace.write(
        {
            "V1__a.sql": "CREATE TABLE a (i int);\n"
            "CREATE FUNCTION rest() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';\n"
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION rest();\nINSERT INTO a VALUES (1);",
            "V2__b.sql": "SELECT 1;",
        }
    )
    events: list[Event] = []
    workspace.migrate(on_event=events.append)
    times = {(event.script, event.line): event.duration_ms for event in events if isinstance(event, StatementRun)}
    assert times["V2__b.sql", 1] < 500
    assert times["V1__a.sql", 4] < 500
