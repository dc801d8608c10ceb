"""The value of a secret placeholder is in no error, however the server words it."""

from collections.abc import Iterator
from typing import Any

import pytest

import taxiway
from tests.support.workspace import Workspace

VALUE = "Geheim4711x"

SCRIPTS = {
    "lost while a statement with it runs": (
        "do $$ begin execute 'select pg_terminate_backend(pg_backend_pid()), ''${P}'''; end $$"
    ),
    "lost outside of a transaction": (
        "vacuum; do $$ begin execute 'select pg_terminate_backend(pg_backend_pid()), ''${P}'''; end $$"
    ),
    "lost at the commit": (
        "create table a ();\n"
        "create function die() returns trigger language plpgsql as\n"
        "$$ begin execute 'select pg_terminate_backend(pg_backend_pid()), ''${P}'''; return null; end $$;\n"
        "create constraint trigger die after insert on a deferrable initially deferred\n"
        "for each row execute function die();\ninsert into a default values;"
    ),
    "refused": "select ${P}",
    "refused in a function": "do $$ begin raise exception using message = 'pw is ${P}', detail = '${P}'; end $$",
    "refused outside of a transaction": "vacuum; do $$ begin raise exception 'pw is ${P}'; end $$",
    "refused at the commit": (
        'create table a (i int constraint "${P}" unique deferrable initially deferred);\n'
        "insert into a values (1), (1);"
    ),
    "refused with its history row": (
        "alter table flyway_schema_history add constraint \"${P}\" check (version <> '1')"
    ),
    "in a copy": "create table a (i int);\ncopy a from stdin;\n${P}\n\\.\n",
    "in another encoding": "set client_encoding = 'latin1';\nselect '${P}', '€'",
    "with a NUL": "select '${P}', '\0'",
}


def failure(workspace: Workspace, **options: Any) -> taxiway.TaxiwayError:
    with pytest.raises(taxiway.TaxiwayError) as caught:
        workspace.migrate(mixed=True, placeholders={"P": taxiway.Secret(VALUE)}, **options)
    return caught.value


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_no_error_of_a_script_shows_the_value(workspace: Workspace, script: str) -> None:
    workspace.write({"V1__a.sql": script})

    error = failure(workspace)

    assert [one for one in chain(error) if VALUE in f"{one!r} {one} {vars(one)}"] == []
    assert list(chain(error)) == [error]
    assert error.hint


def test_no_error_between_two_scripts_shows_the_value(workspace: Workspace) -> None:
    """What a script leaves behind in its session can make the next statement of ours fail."""
    workspace.write(
        {
            "V1__a.sql": f'create role "{VALUE}"; grant "{VALUE}" to current_user; set role "{VALUE}";',
            "V2__b.sql": "select 1;",
            "V3__c.sql": f"select pg_terminate_backend(pg_backend_pid()), '{VALUE}';",
        }
    )
    error = failure(workspace)
    assert [one for one in chain(error) if VALUE in f"{one!r} {one} {vars(one)}"] == []
    assert error.result
    assert error.result.count == 2
