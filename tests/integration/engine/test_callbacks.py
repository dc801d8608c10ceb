"""Callbacks: when they run, in what order, in which transaction, and what their failure means."""

import pytest

import taxiway
from taxiway import errors
from taxiway.model.callback import CallbackEvent
from taxiway.model.event import CallbackStarted, Event, MigrationStarted, NoticeReceived, ProgramPrinted, Warned
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

TABLE = {"V1__a.sql": "CREATE TABLE a (i int);"}
BOTH = TABLE | {"R__r.sql": "INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);"}
FAILING = {"V2__b.sql": "INSERT INTO a VALUES (3);\nSELECT nonsense;"}
KILL = "SELECT pg_terminate_backend(pg_backend_pid());"


def log(word: str) -> str:
    return f"INSERT INTO audit.log (word) VALUES ('{word}');"


# Those of undo, clean and the like are not told during migrate.
EVERY = {f"{event.value}.sql": log(event.value) for event in CallbackEvent}


@pytest.fixture
def audited(workspace: Workspace) -> Workspace:
    """With a table outside of the managed schema, which callbacks write to."""
    workspace.query("CREATE SCHEMA audit")
    workspace.query("CREATE TABLE audit.log (n int GENERATED ALWAYS AS IDENTITY, word text)")
    return workspace


def logged(workspace: Workspace) -> list[str]:
    return [word for (word,) in workspace.query("SELECT word FROM audit.log ORDER BY n")]


class Recorder:
    """Names of callbacks and scripts, in the order in which they began."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.warnings: list[str] = []

    def __call__(self, event: Event) -> None:
        match event:
            case CallbackStarted(callback=callback):
                self.names.append(callback.script.removesuffix(".sql"))
            case MigrationStarted(migration=migration):
                self.names.append(migration.script)
            case Warned(message=message):
                self.warnings.append(message)


def run(workspace: Workspace, **options: bool) -> list[str]:
    recorder = Recorder()
    workspace.migrate(on_event=recorder, **options)  # type: ignore[arg-type]  # one of the flags of the options
    return recorder.names


def fail[E: errors.TaxiwayError](
    workspace: Workspace, kind: type[E], recorder: Recorder | None = None, **options: bool
) -> E:
    with pytest.raises(kind) as caught:
        workspace.migrate(on_event=recorder or Recorder(), **options)  # type: ignore[arg-type]  # as above
    assert type(caught.value) is kind
    assert caught.value.__context__ is None
    return caught.value


# --- order ---

BEGINNING = [
    "afterConnect",
    "beforeValidate",
    "afterValidate",
    "createSchema",
    "beforeCreateSchema",
    "beforeMigrate",
]
END = ["afterMigrate", "afterMigrateOperationFinish"]
STATEMENT = ["beforeEachMigrateStatement", "afterEachMigrateStatement"]


def each(script: str, statements: int) -> list[str]:
    return [script, "beforeEachMigrate", *STATEMENT * statements, "afterEachMigrate"]


def test_the_order_of_a_run_with_a_versioned_and_a_repeatable_migration(audited: Workspace) -> None:
    audited.write(BOTH | EVERY)
    names = run(audited)
    assert names == [
        *BEGINNING,
        *each("V1__a.sql", 1),
        "afterVersioned",
        "beforeRepeatables",
        *each("R__r.sql", 2),
        "afterMigrateApplied",
        *END,
    ]
    assert logged(audited) == [name for name in names if not name.endswith(".sql")]


def test_when_there_is_nothing_to_do_the_callbacks_around_it_run_all_the_same(audited: Workspace) -> None:
    audited.write(BOTH)
    audited.migrate()
    audited.write(EVERY)
    assert run(audited) == [*BEGINNING, "afterVersioned", *END]


def test_after_the_last_versioned_migration_comes_after_versioned(audited: Workspace) -> None:
    audited.write(TABLE | EVERY)
    assert run(audited)[-5:] == ["afterEachMigrate", "afterVersioned", "afterMigrateApplied", *END]


def test_nothing_is_validated_before_the_schema_exists(audited: Workspace) -> None:
    audited.write(TABLE | EVERY)
    recorder = Recorder()
    audited.migrate(on_event=recorder, default_schema="app")
    assert recorder.names[:4] == ["afterConnect", "createSchema", "beforeCreateSchema", "beforeMigrate"]


def test_callbacks_that_belong_to_a_setting_run_only_with_it(audited: Workspace) -> None:
    audited.write(TABLE | EVERY)
    names = run(audited, validate_on_migrate=False, create_schemas=False)
    assert names[:3] == ["afterConnect", "beforeMigrate", "V1__a.sql"]


def test_callbacks_of_one_event_run_by_description_and_none_comes_first(audited: Workspace) -> None:
    names = ["beforeMigrate__b", "beforeMigrate", "beforeMigrate__B", "sub/beforeMigrate__a"]
    audited.write(TABLE | {f"{name}.sql": log(name) for name in names})
    run(audited)
    assert logged(audited) == ["beforeMigrate", "beforeMigrate__B", "sub/beforeMigrate__a", "beforeMigrate__b"]


def test_a_baseline_has_its_callbacks_within_the_run(audited: Workspace) -> None:
    audited.query("CREATE TABLE old (i int)")
    audited.write({"V1__a.sql": "SELECT nonsense", "V2__b.sql": "SELECT 1;"} | EVERY)
    names = run(audited, baseline_on_migrate=True)
    assert names[:10] == [
        *BEGINNING[:-1],
        "beforeBaseline",
        "afterBaseline",
        "beforeMigrate",
        "V2__b.sql",
        "beforeEachMigrate",
    ]
    assert [(row["version"], row["type"]) for row in audited.history()] == [("1", "BASELINE"), ("2", "SQL")]


# --- what they see and what they leave ---


def test_placeholders_are_replaced_and_the_file_name_is_that_of_the_callback(audited: Workspace) -> None:
    audited.write(TABLE | {"afterMigrate__x.sql": log("${flyway:filename} ${flyway:table} ${word}")})
    audited.migrate(placeholders={"word": "w"})
    assert logged(audited) == ["afterMigrate__x.sql flyway_schema_history w"]


def test_callbacks_are_not_in_the_history(audited: Workspace) -> None:
    audited.write(TABLE | EVERY)
    audited.migrate()
    assert audited.applied() == ["1"]


def test_each_begins_with_the_role_and_the_search_path_of_a_migration(audited: Workspace) -> None:
    state = "INSERT INTO audit.log (word) SELECT current_user || ' ' || current_setting('search_path')"
    audited.write(
        TABLE
        | {
            "beforeMigrate__1.sql": "SET search_path = audit; CREATE ROLE aide; GRANT aide TO CURRENT_USER; SET ROLE aide; SET work_mem = '5MB';",
            "beforeMigrate__2.sql": state,
            "afterMigrate.sql": "INSERT INTO audit.log (word) SELECT current_setting('work_mem')",
        }
    )
    audited.migrate()
    path = audited.value("SELECT '\"public\",' || setting FROM pg_settings WHERE name = 'search_path'")
    assert logged(audited) == [f"{audited.database.user} {path}", "5MB"]


def test_what_before_each_migrate_sets_holds_for_the_migration(audited: Workspace) -> None:
    audited.query("CREATE TABLE audit.b (i int)")
    audited.write({"V1__a.sql": "INSERT INTO b VALUES (1);", "beforeEachMigrate.sql": "SET search_path = audit;"})
    audited.migrate()
    assert audited.value("SELECT i FROM audit.b") == 1


def test_what_a_callback_changes_in_the_history_before_migrate_counts(audited: Workspace) -> None:
    audited.write(TABLE | {"V2__b.sql": "SELECT 1;"})
    audited.migrate()
    audited.write({"beforeMigrate.sql": "DELETE FROM flyway_schema_history WHERE version = '2';"})
    assert audited.migrate().count == 1


def test_before_validate_may_mend_the_history(audited: Workspace) -> None:
    audited.write(TABLE)
    audited.migrate()
    audited.query("UPDATE flyway_schema_history SET checksum = 1")
    audited.write({"beforeValidate.sql": "DELETE FROM flyway_schema_history; DROP TABLE a;"})
    assert audited.migrate().count == 1


def test_a_callback_without_a_transaction_runs_without_one(audited: Workspace) -> None:
    audited.write(TABLE | {"afterMigrate.sql": "VACUUM a;"})
    audited.migrate()


def test_a_callback_that_mixes_kinds_is_refused_before_anything_runs(audited: Workspace) -> None:
    audited.write(TABLE | {"afterMigrate.sql": "SELECT 1; VACUUM;"})
    before = fingerprint(audited.database)
    assert "script of its own" in (fail(audited, errors.MixedTransactions).hint or "")
    assert fingerprint(audited.database) == before
    audited.migrate(mixed=True)


@pytest.mark.parametrize("name", ["beforeValidate", "afterMigrateError", "beforeEachMigrateStatement__x"])
def test_a_callback_that_cannot_be_read_stops_the_run_before_anything_changes(
    audited: Workspace, name: str
) -> None:
    audited.write(TABLE | {"afterConnect.sql": log("afterConnect"), f"{name}.sql": "SELECT '${unknown}';"})
    before = fingerprint(audited.database)
    error = fail(audited, errors.UnknownPlaceholder)
    assert (error.path or "").endswith(f"{name}.sql")
    assert fingerprint(audited.database) != before
    assert logged(audited) == ["afterConnect"]
    assert not audited.query("SELECT FROM pg_tables WHERE tablename = 'flyway_schema_history'")


def test_a_script_configuration_rules_a_callback_too(audited: Workspace) -> None:
    audited.write(
        TABLE
        | {
            "afterMigrate.sql": "INSERT INTO audit.log (word) VALUES ('${x}'); SELECT 1 / 0;",
            "afterMigrate.sql.conf": "executeInTransaction=false\nplaceholderReplacement=false",
        }
    )
    fail(audited, errors.CallbackFailed)
    assert logged(audited) == ["${x}"]


def test_notices_and_secrets_of_callbacks_are_masked(audited: Workspace) -> None:
    audited.write(TABLE | {"afterMigrate.sql": "DO $$ BEGIN RAISE NOTICE '${pw}'; END $$;"})
    events: list[Event] = []
    audited.migrate(on_event=events.append, placeholders={"pw": taxiway.Secret("Geheim4711x")})
    assert [event.message for event in events if isinstance(event, NoticeReceived)] == ["****"]


# --- failures ---

OWN_TRANSACTION = [*BEGINNING, "afterVersioned", "beforeRepeatables", "afterMigrateApplied", *END]


@pytest.mark.parametrize("name", OWN_TRANSACTION)
def test_a_failing_callback_stops_the_run_and_leaves_nothing_of_itself(audited: Workspace, name: str) -> None:
    audited.write(BOTH | {f"{name}__x.sql": f"{log(name)}\n  SELECT nonsense;"})

    error = fail(audited, errors.CallbackFailed)

    assert (error.event, error.script, error.line, error.column) == (name, f"{name}__x.sql", 2, 10)
    assert error.sqlstate == "42703"
    assert error.excerpt.endswith("2 |   SELECT nonsense;\n  |          ^")
    assert f"Callback {name}__x.sql failed" in error.message
    assert "Nothing of this callback was kept" in (error.hint or "")
    assert logged(audited) == []


@pytest.mark.parametrize(
    ("name", "applied"),
    [
        ("beforeMigrate", None),
        ("beforeEachMigrate", []),
        ("afterVersioned", ["1"]),
        ("beforeRepeatables", ["1"]),
        ("afterMigrateApplied", ["1", "None"]),
        ("afterMigrate", ["1", "None"]),
    ],
)
def test_a_failing_callback_tells_what_was_applied_before_it(
    audited: Workspace, name: str, applied: list[str] | None
) -> None:
    audited.write(BOTH | {f"{name}.sql": "SELECT nonsense;"})
    result = fail(audited, errors.CallbackFailed).result
    assert (result and [str(one.version) for one in result.migrations]) == applied


EACH = ["beforeEachMigrate", "beforeEachMigrateStatement", "afterEachMigrateStatement", "afterEachMigrate"]


@pytest.mark.parametrize("name", EACH)
def test_a_callback_that_fails_inside_takes_the_migration_along(audited: Workspace, name: str) -> None:
    audited.write(TABLE)
    audited.migrate()
    before = fingerprint(audited.database)
    audited.write({"V2__b.sql": "CREATE TABLE b ();", f"{name}.sql": "INSERT INTO a VALUES (1); SELECT nonsense;"})
    error = fail(audited, errors.CallbackFailed)
    assert (error.event, error.line) == (name, 1)
    assert fingerprint(audited.database) == before


@pytest.mark.parametrize(("name", "failed_row"), list(zip(EACH, [False, False, True, True], strict=True)))
def test_a_callback_that_fails_beside_a_script_without_a_transaction_leaves_a_failed_row_if_that_had_begun(
    audited: Workspace, name: str, *, failed_row: bool
) -> None:
    audited.write(TABLE)
    audited.migrate()
    audited.write({"V2__b.sql": "VACUUM a;", f"{name}.sql": "SELECT nonsense;"})
    fail(audited, errors.CallbackFailed)
    assert [row["success"] for row in audited.history()] == [True, *([False] if failed_row else [])]


ERROR_CALLBACKS = {
    f"{name}.sql": log(name)
    for name in ("afterEachMigrateStatementError", "afterEachMigrateError", "afterMigrateError", "afterMigrate")
}


@pytest.mark.parametrize("statement", ["SELECT nonsense;", "VACUUM; SELECT nonsense;"])
def test_error_callbacks_run_after_the_rollback_and_their_work_stays(audited: Workspace, statement: str) -> None:
    audited.write(TABLE | {"V2__b.sql": statement} | ERROR_CALLBACKS)
    error = fail(audited, taxiway.MigrationFailed, mixed=True)
    assert error.sqlstate == "42703"
    assert logged(audited) == ["afterEachMigrateStatementError", "afterEachMigrateError", "afterMigrateError"]
    assert audited.applied()[:1] == ["1"]


def test_a_failing_error_callback_is_a_warning_and_the_first_error_is_the_one_that_is_told(
    audited: Workspace,
) -> None:
    failing = {name: text + "SELECT '${pw}'::int;" for name, text in ERROR_CALLBACKS.items()}
    audited.write(TABLE | FAILING | failing)
    recorder = Recorder()
    with pytest.raises(taxiway.MigrationFailed, match="nonsense") as caught:
        audited.migrate(on_event=recorder, placeholders={"pw": taxiway.Secret("Geheim4711x")})
    assert len(recorder.warnings) == 3
    assert all("22P02" in warning and "Geheim" not in warning for warning in recorder.warnings)
    assert logged(audited) == []
    assert caught.value.rolled_back
    assert set(recorder.warnings) <= set(caught.value.result.warnings)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("beforeMigrate", []),
        ("beforeEachMigrate", ["afterMigrateError"]),
        ("beforeEachMigrateStatement", ["afterEachMigrateError", "afterMigrateError"]),
        ("afterEachMigrate", ["afterMigrateError"]),
        ("afterVersioned", ["afterMigrateError"]),
    ],
)
def test_which_error_callbacks_follow_the_failure_of_a_callback(
    audited: Workspace, name: str, expected: list[str]
) -> None:
    audited.write(TABLE | ERROR_CALLBACKS | {f"{name}__x.sql": "SELECT nonsense;"})
    fail(audited, errors.CallbackFailed)
    assert logged(audited) == expected


def test_a_constraint_that_fails_at_commit_is_a_failure_of_the_migration(audited: Workspace) -> None:
    deferred = "CREATE TABLE d (i int UNIQUE DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO d VALUES (1), (1);"
    audited.write({"V1__a.sql": deferred} | ERROR_CALLBACKS)
    fail(audited, taxiway.MigrationFailed)
    assert logged(audited) == ["afterEachMigrateError", "afterMigrateError"]


def test_a_constraint_that_fails_at_commit_is_a_failure_of_the_callback(audited: Workspace) -> None:
    deferred = "CREATE TABLE d (i int UNIQUE DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO d VALUES (1), (1);"
    audited.write(TABLE | {"afterMigrate.sql": deferred})
    error = fail(audited, errors.CallbackFailed)
    assert "afterMigrate.sql failed while it was committed" in error.message
    assert (error.line, error.sqlstate) == (None, "23505")


def test_a_validation_that_fails_has_its_callback_and_stays_the_error(audited: Workspace) -> None:
    audited.write(TABLE)
    audited.migrate()
    audited.write({"V1__a.sql": "SELECT 2;"} | EVERY)
    recorder = Recorder()
    fail(audited, errors.ValidationFailed, recorder)
    assert recorder.names == ["afterConnect", "beforeValidate", "afterValidateError"]


def test_a_callback_that_ends_its_own_transaction_is_warned_about(audited: Workspace) -> None:
    audited.write(TABLE | {"beforeMigrate.sql": f"{log('kept')} COMMIT; {log('lost')} SELECT nonsense;"})
    recorder = Recorder()
    error = fail(audited, errors.CallbackFailed, recorder)
    assert logged(audited) == ["kept"]
    assert "has stayed" in (error.hint or "")
    assert any("beforeMigrate.sql ended its own transaction" in warning for warning in recorder.warnings)


@pytest.mark.parametrize("script", ["SELECT pg_advisory_unlock_all();", "DISCARD ALL;"])
def test_the_lock_is_taken_again_when_a_callback_gives_it_back(audited: Workspace, script: str) -> None:
    holds = "INSERT INTO audit.log (word) SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'"
    audited.write(TABLE | {"beforeMigrate__1.sql": script, "beforeMigrate__2.sql": holds})
    audited.migrate()
    assert logged(audited) == ["1"]
    assert audited.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0


# --- lost connections ---


@pytest.mark.parametrize("name", OWN_TRANSACTION)
def test_a_connection_lost_in_a_callback_rolls_it_back(audited: Workspace, name: str) -> None:
    audited.write(BOTH | {f"{name}.sql": log(name) + KILL})
    error = fail(audited, errors.ConnectionLost)
    assert f"Callback {name}.sql was running. The server rolls back" in error.message
    assert logged(audited) == []


@pytest.mark.parametrize("name", EACH)
def test_a_connection_lost_in_a_callback_inside_rolls_back_the_migration(audited: Workspace, name: str) -> None:
    audited.write(TABLE | {f"{name}.sql": log(name) + KILL})
    error = fail(audited, errors.ConnectionLost)
    assert "V1__a.sql was running. The server rolls back" in error.message
    assert audited.applied() == []


def test_a_connection_lost_in_a_callback_without_a_transaction_leaves_the_outcome_open(
    audited: Workspace,
) -> None:
    audited.write(TABLE | {"beforeMigrate.sql": f"VACUUM; {log('kept')} {KILL}"})
    fail(audited, errors.OutcomeUnknown, mixed=True)
    assert logged(audited) == ["kept"]


def test_error_callbacks_run_after_a_lost_connection_with_a_new_one(audited: Workspace) -> None:
    programs = {"afterMigrateError__1.sql": log("x"), "afterMigrateError__2.sh": "echo told"}
    audited.write({"V1__a.sql": KILL} | programs)
    events: list[Event] = []
    with pytest.raises(errors.ConnectionLost, match=r"V1__a\.sql was running"):
        audited.migrate(on_event=events.append, script_migrations=True)
    assert [event.line for event in events if isinstance(event, ProgramPrinted)] == ["told"]
    assert logged(audited) == ["x"]


def test_a_signal_in_a_callback_rolls_it_back_and_frees_the_lock(audited: Workspace) -> None:
    audited.write(TABLE | {"beforeMigrate.sql": f"{log('x')} SELECT pg_sleep(60);"} | ERROR_CALLBACKS)
    with audited.running("migrate") as child:
        audited.wait_for(
            "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
        )
        child.terminate()
        output, error = child.communicate(timeout=30)
    assert child.returncode == 143, (output, error)
    assert logged(audited) == []
    audited.wait_for("SELECT WHERE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')")


# --- programs ---


def test_a_program_is_a_callback_too_and_sees_the_placeholders(audited: Workspace) -> None:
    audited.write(TABLE | {"beforeMigrate__b.sh": 'echo "$FP__flyway_filename__ $FP__word__ $FLYWAY_USER"'})
    events: list[Event] = []
    audited.migrate(
        on_event=events.append,
        script_migrations=True,
        placeholders={"word": taxiway.Secret("Geheim4711x")},
        user=audited.database.user,
    )
    assert [event.line for event in events if isinstance(event, ProgramPrinted)] == [
        f"beforeMigrate__b.sh **** {audited.database.user}"
    ]


def test_a_program_that_fails_is_a_callback_that_failed(audited: Workspace) -> None:
    audited.write(TABLE | {"beforeConnect.sh": "exit 3"})
    error = fail(audited, errors.CallbackFailed, script_migrations=True)
    assert (error.event, error.line, error.excerpt) == ("beforeConnect", None, "")
    assert "the program ended with status 3" in error.message
    audited.write({"beforeConnect.sh": "exit 0", "afterMigrate.sh": "kill -9 $$"})
    assert "ended by signal 9" in fail(audited, errors.CallbackFailed, script_migrations=True).message
