"""The schema history is Flyway's: its table, its rows, its place."""

from typing import Any

import pytest

from taxiway import errors
from tests.support.workspace import Workspace

TABLE_V1 = {"V1__a.sql": "CREATE TABLE a (i int);"}

_COLUMNS = """
SELECT column_name, data_type, character_maximum_length, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
_INDEXES = """
SELECT i.relname, x.indisprimary, x.indisunique, pg_get_indexdef(x.indexrelid, 1, false), x.indnatts::int, am.amname
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am am ON am.oid = i.relam
WHERE x.indrelid = %s::regclass ORDER BY i.relname
"""
_CONSTRAINTS = """
SELECT conname, contype::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype <> 'n'
"""


@pytest.mark.parametrize(
    ("schema", "table"), [("public", "flyway_schema_history"), ('Oddly "named" schéma', 'it"s; history')]
)
def test_the_table_has_the_columns_keys_and_indexes_of_flyway(
    workspace: Workspace, schema: str, table: str
) -> None:
    workspace.write(TABLE_V1)

    workspace.migrate(default_schema=schema, table=table)

    assert workspace.query(_COLUMNS, [schema, table]) == [
        ("installed_rank", "integer", None, "NO", None),
        ("version", "character varying", 50, "YES", None),
        ("description", "character varying", 200, "NO", None),
        ("type", "character varying", 20, "NO", None),
        ("script", "character varying", 1000, "NO", None),
        ("checksum", "integer", None, "YES", None),
        ("installed_by", "character varying", 100, "NO", None),
        ("installed_on", "timestamp without time zone", None, "NO", "now()"),
        ("execution_time", "integer", None, "NO", None),
        ("success", "boolean", None, "NO", None),
    ]
    name = workspace.query("SELECT format('%%I.%%I', %s::text, %s::text)", [schema, table])[0]
    assert workspace.query(_CONSTRAINTS, name) == [(f"{table}_pk", "p", "PRIMARY KEY (installed_rank)")]
    assert workspace.query(_INDEXES, name) == [
        (f"{table}_pk", True, True, "installed_rank", 1, "btree"),
        (f"{table}_s_idx", False, False, "success", 1, "btree"),
    ]


def test_a_row_says_what_was_run_by_whom_and_how_it_went(workspace: Workspace) -> None:
    workspace.write(
        {
            "V1__First_table.sql": "SELECT 1;\r\nSELECT 2;\r\n",
            "sub/dir/V011_0__x_y__z.SQL": "SELECT '${x}';\n",
            "V6.sql": "",
            "R__sh ow.sql": "SELECT '${x}';\n",
        }
    )

    workspace.migrate(placeholders={"x": "v"})

    assert [_without_times(row) for row in workspace.history()] == [
        _row(workspace, 1, "1", "First table", "V1__First_table.sql", -1665099012),
        _row(workspace, 2, "6", "", "V6.sql", 0),
        _row(workspace, 3, "011.0", "x y  z", "sub/dir/V011_0__x_y__z.SQL", -1710649929),
        _row(workspace, 4, None, "sh ow", "R__sh ow.sql", -1896273774),
    ]
    assert all(row["execution_time"] >= 0 for row in workspace.history())


def _row(  # noqa: PLR0917 - the order of the columns
    workspace: Workspace, rank: int, version: str | None, description: str, script: str, checksum: int
) -> dict[str, Any]:
    return {
        "installed_rank": rank,
        "version": version,
        "description": description,
        "type": "SQL",
        "script": script,
        "checksum": checksum,
        "installed_by": workspace.database.user,
        "success": True,
    }


def _without_times(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"installed_on", "execution_time"}}


def test_the_execution_time_is_in_milliseconds(workspace: Workspace) -> None:
    workspace.write({"V1__sleep.sql": "SELECT pg_sleep(0.2);"})
    workspace.migrate()
    assert 200 <= workspace.history()[0]["execution_time"] < 2000


def test_installed_by_can_be_set(workspace: Workspace) -> None:
    workspace.write(TABLE_V1)
    workspace.migrate(installed_by="O'Brien \\ Co")
    assert workspace.history()[0]["installed_by"] == "O'Brien \\ Co"


def test_a_long_description_and_a_long_path_are_cut_as_flyway_cuts_them(workspace: Workspace) -> None:
    description = "d" * 201
    folders = "/".join(["p" * 200] * 5)
    workspace.write({f"V1__{description}.sql": "SELECT 1;", f"{folders}/V2__x.sql": "SELECT 1;"})

    workspace.migrate()

    first, second = workspace.history()
    assert first["description"] == "d" * 197 + "..."
    assert second["script"] == "..." + f"{folders}/V2__x.sql"[3:1000]
    assert workspace.migrate().count == 0


@pytest.mark.parametrize("zone", ["America/St_Johns", "JST-9", ":Asia/Tokyo"])
def test_installed_on_is_the_wall_time_of_the_client(workspace: Workspace, zone: str) -> None:
    workspace.write(TABLE_V1)

    result = workspace.run("migrate", environment={"TZ": zone})

    assert result.returncode == 0, result.stderr
    name = {"JST-9": "Asia/Tokyo", ":Asia/Tokyo": "Asia/Tokyo"}.get(zone, zone)
    age = workspace.value(
        "SELECT extract(epoch FROM (now() AT TIME ZONE %s) - installed_on) FROM flyway_schema_history", [name]
    )
    assert 0 <= age < 60


def test_a_script_that_sets_the_time_zone_does_not_move_installed_on(workspace: Workspace) -> None:
    """Flyway writes the row on another connection than the one that the script ran on."""
    workspace.write({"V1__zone.sql": "SET TIME ZONE 'Asia/Tokyo';", "V2__zone.sql": "SELECT 1;"})

    assert workspace.run("migrate", environment={"TZ": "UTC"}).returncode == 0

    ages = workspace.query(
        "SELECT extract(epoch FROM (now() AT TIME ZONE 'UTC') - installed_on) FROM flyway_schema_history"
    )
    assert all(0 <= age < 60 for (age,) in ages)


def test_the_schemas_that_were_made_are_on_record_with_rank_zero(workspace: Workspace) -> None:
    workspace.write(TABLE_V1)

    workspace.migrate(schemas=["s1", 'My"S'])

    marker, first = workspace.history("s1.flyway_schema_history")
    assert _without_times(marker) == _row(
        workspace, 0, None, "<< Flyway Schema Creation >>", '"s1","My""S"', 0
    ) | {
        "type": "SCHEMA",
        "checksum": None,
    }
    assert (marker["execution_time"], first["installed_rank"], first["version"]) == (0, 1, "1")
    assert workspace.value("SELECT 's1.a'::regclass::text") == "s1.a"


def test_a_schema_that_is_added_later_gets_a_marker_of_its_own(workspace: Workspace) -> None:
    workspace.write(TABLE_V1)
    workspace.migrate(schemas=["s1"])

    workspace.migrate(schemas=["s1", "s2"])

    rows = workspace.history("s1.flyway_schema_history")
    assert [(row["installed_rank"], row["type"], row["script"]) for row in rows] == [
        (0, "SCHEMA", '"s1"'),
        (1, "SQL", "V1__a.sql"),
        (2, "SCHEMA", '"s2"'),
    ]


def test_a_schema_that_is_added_to_an_empty_history_has_rank_zero(workspace: Workspace) -> None:
    workspace.write({"notes.txt": ""})
    workspace.migrate(fail_on_missing_locations=False)
    assert workspace.history() == []
    workspace.write(TABLE_V1)

    workspace.migrate(schemas=["public", "s2"])

    assert [(row["installed_rank"], row["type"]) for row in workspace.history()] == [(0, "SCHEMA"), (1, "SQL")]


@pytest.mark.parametrize(
    ("options", "schema"),
    [
        ({"default_schema": "d", "schemas": ["s1", "d"]}, "d"),
        ({"default_schema": "d", "schemas": ["s1"]}, "d"),
        ({"schemas": ["s1", "s2"]}, "s1"),
        ({}, "public"),
    ],
)
def test_the_table_lies_in_the_default_schema(workspace: Workspace, options: Any, schema: str) -> None:
    workspace.write(TABLE_V1)
    result = workspace.migrate(**options)
    assert result.schema == schema
    assert workspace.history(f"{schema}.flyway_schema_history")[-1]["version"] == "1"
    assert workspace.value("SELECT %s::regclass::oid > 0", [f"{schema}.a"])


def test_the_current_schema_of_the_connection_is_the_default_one(workspace: Workspace) -> None:
    workspace.query("CREATE SCHEMA mine")
    workspace.query(f"ALTER ROLE {workspace.database.user} SET search_path = mine, public")
    workspace.write(TABLE_V1)
    assert workspace.migrate().schema == "mine"


def test_a_search_path_without_a_schema_is_the_name_of_the_schema_to_make(workspace: Workspace) -> None:
    workspace.query(f"ALTER ROLE {workspace.database.user} SET search_path = mine")
    workspace.write(TABLE_V1)
    assert workspace.migrate().schema == "mine"
    assert [row["type"] for row in workspace.history("mine.flyway_schema_history")] == ["SCHEMA", "SQL"]


def test_a_missing_schema_that_must_not_be_created_is_a_clear_error(workspace: Workspace) -> None:
    workspace.write(TABLE_V1)
    with pytest.raises(errors.HistoryError, match="nowhere") as caught:
        workspace.migrate(schemas=["nowhere"], create_schemas=False)
    assert caught.value.hint
    assert workspace.migrate(schemas=["public", "nowhere"], create_schemas=False).count == 1


def test_a_table_of_that_name_that_is_no_history_is_left_alone(workspace: Workspace) -> None:
    workspace.query("CREATE TABLE flyway_schema_history (i int)")
    workspace.write(TABLE_V1)
    with pytest.raises(errors.HistoryUnreadable, match="flyway_schema_history") as caught:
        workspace.migrate()
    assert caught.value.hint


def test_a_row_of_an_unknown_type_is_an_error_that_names_it(workspace: Workspace) -> None:
    workspace.write(TABLE_V1)
    workspace.migrate()
    workspace.query("UPDATE flyway_schema_history SET type = 'FUTURE_KIND'")
    with pytest.raises(errors.HistoryUnreadable, match=r"rank 1.*FUTURE_KIND"):
        workspace.info()


def test_a_user_who_may_not_read_the_history_is_told_so(workspace: Workspace) -> None:
    workspace.write(TABLE_V1)
    workspace.migrate()
    with workspace.database.server.admin(workspace.database.name) as connection:
        connection.execute("ALTER TABLE flyway_schema_history OWNER TO postgres")
    with pytest.raises(errors.PermissionDenied, match="Reading the schema history") as caught:
        workspace.info()
    assert caught.value.hint


def test_a_user_who_may_not_create_in_public_is_told_what_to_grant(workspace: Workspace) -> None:
    workspace.write(TABLE_V1)
    with workspace.database.server.admin(workspace.database.name) as connection:
        connection.execute("ALTER SCHEMA public OWNER TO postgres; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    with pytest.raises(errors.PermissionDenied, match="Creating the schema history") as caught:
        workspace.migrate()
    assert f'GRANT CREATE ON SCHEMA "public" TO "{workspace.database.user}"' in (caught.value.hint or "")
