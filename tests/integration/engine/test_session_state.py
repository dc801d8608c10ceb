"""What a script does to its session harms neither its history row nor the next migration."""

import pytest

from taxiway import MigrationFailed
from taxiway.model.event import Event, NoticeReceived
from tests.support.workspace import Workspace

# The start of what pg_dump writes
PG_DUMP = """
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE TABLE public.dumped (i integer NOT NULL);
"""


def who_and_where(workspace: Workspace) -> list[tuple[object, ...]]:
    return workspace.query("SELECT who, path FROM public.seen")


SEE = "CREATE TABLE public.seen AS SELECT current_user::text AS who, current_setting('search_path') AS path;"


@pytest.mark.parametrize(
    "script",
    [
        PG_DUMP,
        "SET search_path = nowhere;",
        "CREATE ROLE other; GRANT other TO CURRENT_USER; GRANT CREATE ON SCHEMA public TO other; SET ROLE other;",
        "SET SESSION AUTHORIZATION DEFAULT;",
        "SET LOCAL search_path = ''; COMMIT;",
        "RESET ALL;",
    ],
)
def test_role_and_search_path_are_fresh_for_every_migration(workspace: Workspace, script: str) -> None:
    workspace.write({"V1__change.sql": script, "V2__look.sql": SEE})

    assert workspace.migrate().count == 2

    assert who_and_where(workspace) == [(workspace.database.user, '"public","$user", public')]
    assert [row["installed_by"] for row in workspace.history()] == [workspace.database.user] * 2


def test_another_session_user_is_given_up_too(workspace: Workspace) -> None:
    """Only a superuser can become somebody else for good."""
    server = workspace.database.server
    see = f"{SEE} GRANT SELECT ON public.seen TO PUBLIC;"
    workspace.write({"V1__change.sql": "CREATE ROLE other; SET SESSION AUTHORIZATION other;", "V2__look.sql": see})
    assert workspace.migrate(user="postgres", password=server.superuser_password).count == 2
    assert who_and_where(workspace)[0][0] == "postgres"


def test_the_role_is_the_one_of_the_connection(workspace: Workspace) -> None:
    workspace.query("CREATE ROLE deployer; GRANT CREATE ON SCHEMA public TO deployer")
    workspace.query(f"GRANT deployer TO {workspace.database.user}")
    workspace.query(f"ALTER ROLE {workspace.database.user} SET role = deployer")
    workspace.write(
        {"V1__look.sql": f"SET ROLE {workspace.database.user}; {SEE}", "V2__look.sql": "CREATE TABLE a ();"}
    )

    workspace.migrate()

    assert workspace.history()[0]["installed_by"] == "deployer"
    assert workspace.value("SELECT tableowner FROM pg_tables WHERE tablename = 'a'") == "deployer"


def test_the_schema_is_put_in_front_of_the_search_path(workspace: Workspace) -> None:
    workspace.write({"V1__look.sql": SEE, "V2__a.sql": "CREATE TABLE a ();"})
    workspace.migrate(default_schema='My "own"')
    assert who_and_where(workspace)[0][1] == '"My ""own""","$user", public'
    assert workspace.value("SELECT %s::regclass::oid > 0", ['"My ""own""".a'])


def test_other_settings_last_as_they_do_with_flyway(workspace: Workspace) -> None:
    workspace.write(
        {
            "V1__set.sql": "SET work_mem = '5MB';",
            "V2__look.sql": "CREATE TABLE seen AS SELECT current_setting('work_mem') AS memory;",
        }
    )
    workspace.migrate()
    assert workspace.value("SELECT memory FROM seen") == "5MB"


def test_a_script_may_choose_another_client_encoding(workspace: Workspace) -> None:
    workspace.write(
        {
            "V1__latin.sql": "SET client_encoding = 'LATIN1';\nCREATE TABLE a AS SELECT 'é' AS t;",
            "V2__é.sql": "INSERT INTO a VALUES ('ü');",
        }
    )
    workspace.migrate()
    assert workspace.query("SELECT t FROM a") == [("é",), ("ü",)]
    assert workspace.history()[1]["description"] == "é"


def test_a_character_that_the_chosen_encoding_lacks_is_an_error(workspace: Workspace) -> None:
    workspace.write({"V1__latin.sql": "SET client_encoding = 'LATIN1';\nSELECT '€';", "V2__a.sql": "SELECT 1;"})
    with pytest.raises(MigrationFailed, match="'€' does not exist") as caught:
        workspace.migrate()
    assert (caught.value.line, caught.value.rolled_back) == (2, True)


@pytest.mark.parametrize(
    "script", ["SET client_encoding = 'SQL_ASCII'; SELECT 'é';", "SET standard_conforming_strings = off;"]
)
def test_settings_of_the_text_do_not_reach_the_history(workspace: Workspace, script: str) -> None:
    workspace.write({"V1__日本 \\ 'x'.sql": script, "V2__a.sql": "SELECT 1;"})
    workspace.migrate()
    assert workspace.history()[0]["description"] == "日本 \\ 'x'"


@pytest.mark.parametrize(
    "script",
    [
        "DISCARD ALL;",
        "SELECT pg_advisory_unlock_all();",
        "SELECT pg_advisory_unlock_all();\nCOMMIT;\nSELECT 1;",
        "DO $$ BEGIN EXECUTE 'SELECT pg_advisory_' || 'unlock_all()'; END $$;",
    ],
)
def test_the_lock_is_taken_again_when_a_script_gives_it_back(workspace: Workspace, script: str) -> None:
    held = "CREATE TABLE held AS SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();"
    workspace.write({"V1__drop.sql": script, "V2__look.sql": held, "V3__drop.sql": script})
    events: list[Event] = []

    assert workspace.migrate(on_event=events.append).count == 3

    assert workspace.value("SELECT n FROM held") == 1
    assert not any(isinstance(event, NoticeReceived) for event in events)


def test_locks_of_the_scripts_own_are_left_alone(workspace: Workspace) -> None:
    workspace.write(
        {"V1__lock.sql": "SELECT pg_advisory_lock(7);", "V2__lock.sql": "SELECT pg_advisory_xact_lock(8);"}
    )
    assert workspace.migrate().count == 2


def test_notices_of_the_server_are_events(workspace: Workspace) -> None:
    script = "CREATE TABLE IF NOT EXISTS a ();\nCREATE TABLE IF NOT EXISTS a ();\nDO $$ BEGIN RAISE NOTICE 'hello'; END $$;"
    workspace.write({"V1__a.sql": script})
    events: list[Event] = []

    workspace.migrate(on_event=events.append)

    assert [event for event in events if isinstance(event, NoticeReceived)] == [
        NoticeReceived(severity="NOTICE", message='relation "a" already exists, skipping', sqlstate="42P07"),
        NoticeReceived(severity="NOTICE", message="hello", sqlstate="00000"),
    ]


def test_rows_that_a_script_selects_do_no_harm(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT generate_series(1, 10000); VALUES (1), (2); TABLE pg_class; SELECT;"})
    assert workspace.migrate().count == 1


def test_listening_and_cursors_do_no_harm(workspace: Workspace) -> None:
    workspace.write(
        {
            "V1__a.sql": "LISTEN x; NOTIFY x; DECLARE c CURSOR WITH HOLD FOR SELECT 1; FETCH c; PREPARE p AS SELECT 1; EXECUTE p;"
        }
    )
    assert workspace.migrate().count == 1


def test_percent_signs_and_parameters_are_text(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a AS SELECT '100%' AS t, 10 % 3 AS r, '%s' AS s, '?' AS q;"})
    workspace.migrate()
    assert workspace.query("SELECT * FROM a") == [("100%", 1, "%s", "?")]


def test_what_we_read_and_write_ourselves_does_not_depend_on_the_role_of_a_callback(workspace: Workspace) -> None:
    workspace.query("CREATE ROLE nobody_much; GRANT nobody_much TO CURRENT_USER")
    names = ("afterConnect", "beforeCreateSchema", "beforeRepair", "beforeClean", "beforeBaseline", "beforeUndo")
    workspace.write({f"{name}.sql": "SET ROLE nobody_much;" for name in names})
    workspace.write({"V1__a.sql": "CREATE TABLE app.a ();", "U1__a.sql": "DROP TABLE app.a;"})

    assert workspace.migrate(schemas=["app"]).count == 1
    assert workspace.states(schemas=["app"])[-1] == "1 Success"
    assert workspace.validate(schemas=["app"]).successful
    assert workspace.undo(schemas=["app"]).count == 1
    assert workspace.repair(schemas=["app"]).plan.is_empty
    assert workspace.clean(clean_disabled=False, schemas=["app"]).dropped == ("app",)
    assert workspace.baseline(schemas=["app"]).was_there is False


@pytest.mark.parametrize("callbacks", [{}, {"beforeEachMigrate.sql": "SELECT 1;"}], ids=["ahead", "one by one"])
def test_what_the_session_began_with_survives_a_reset(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, callbacks: dict[str, str]
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    see = (
        "CREATE TABLE seen AS SELECT current_setting('TimeZone') AS zone,"
        " current_setting('client_connection_check_interval') AS watch;"
    )
    workspace.write({"V1__reset.sql": "RESET ALL;", "V2__look.sql": see} | callbacks)
    assert workspace.migrate().count == 2
    assert workspace.query("SELECT zone, watch FROM seen") == [("Asia/Tokyo", "5s")]


def test_a_time_zone_that_a_script_has_set_stays_set(workspace: Workspace) -> None:
    """As with Flyway 13: only what we need is made fresh."""
    see = "CREATE TABLE seen AS SELECT current_setting('TimeZone') AS zone;"
    workspace.write({"V1__zone.sql": "SET TimeZone = 'America/Lima';", "V2__look.sql": see})
    workspace.migrate()
    assert workspace.query("SELECT zone FROM seen") == [("America/Lima",)]


CHANGES_ENCODING = """
CREATE TABLE t (word text);
CREATE FUNCTION change() RETURNS text LANGUAGE sql AS $$ SELECT set_config('client_encoding', 'LATIN1', false) $$;
"""


def test_an_encoding_that_was_changed_unseen_ends_the_migration(workspace: Workspace) -> None:
    """Its statements were on their way in another one. Flyway's driver gives up there, too."""
    workspace.write({"V1__a.sql": CHANGES_ENCODING, "V2__b.sql": "SELECT change(); INSERT INTO t VALUES ('é');"})
    with pytest.raises(MigrationFailed, match="has changed client_encoding"):
        workspace.migrate()
    assert workspace.applied() == ["1"]
    assert workspace.query("SELECT * FROM t") == []


def test_an_encoding_that_a_script_sets_itself_is_followed(workspace: Workspace) -> None:
    scripts = {
        "V1__a.sql": CHANGES_ENCODING,
        "V2__b.sql": "SET client_encoding = 'LATIN1'; INSERT INTO t VALUES ('é');",
        "V3__hé.sql": "INSERT INTO t VALUES ('ü');",
    }
    workspace.write(scripts)
    assert workspace.migrate().count == 3
    assert workspace.query("SELECT word FROM t") == [("é",), ("ü",)]
    assert workspace.history()[-1]["script"] == "V3__hé.sql"
