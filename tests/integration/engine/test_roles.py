"""Declared database users, on a real server that writes down every statement."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
import pytest

import taxiway.project
from sandbox.aws import AwsEndpoint
from sandbox.password import make_password
from sandbox.postgres import PostgresServer
from taxiway import errors
from taxiway.config.load import load
from taxiway.project import open_project
from taxiway.reports.log import describe
from taxiway.reports.roles import describe_change
from taxiway.secret import Redactor
from tests.support.pytest_sandbox import Database, fresh_database
from tests.support.servers import server_with_rules
from tests.support.workspace import Workspace

# Told apart by SASLprep: a soft hyphen is nothing, a wide space is a space, an ogonek may be written in two ways.
_PREPARED: Final = "pa\u00adss\u3000wo\u0328rd é 密码"
# Forbidden by SASLprep, so that it is taken as it is.
_UNPREPARED: Final = "bell\u0007 and \u0221 unassigned"


@pytest.fixture(scope="module")
def talkative_server() -> Iterator[PostgresServer]:
    """A server whose log has every statement, whatever becomes of it."""
    settings = {
        "log_statement": "all",
        "log_min_duration_statement": "0",
        "log_min_error_statement": "debug5",
        "log_error_verbosity": "verbose",
        "log_connections": "on",
        "shared_preload_libraries": "pg_stat_statements",
    }
    rules = (
        "hostssl all trusted 127.0.0.1/32 trust",
        "hostssl all refused 127.0.0.1/32 reject",
        "hostssl all all 127.0.0.1/32 scram-sha-256",
    )
    with server_with_rules(*rules, **settings) as server:
        yield server


@dataclass(frozen=True, slots=True)
class Project(Workspace):
    """A workspace whose ``taxiway.toml`` declares roles, which exist nowhere else."""

    def declare(self, roles: str, **passwords: str) -> dict[str, str]:
        """Write the file; returns the environment that has the passwords."""
        (self.directory / "taxiway.toml").write_text(roles, encoding="utf-8")
        return {f"{name.upper()}_PASSWORD": password for name, password in passwords.items()}

    def migrate_all(self, environment: Mapping[str, str]) -> list[str]:
        """Run ``migrate``, with the roles; returns the log."""
        with self.opened(environment) as (opened, log):
            opened.migrate()
        return log

    def apply(self, environment: Mapping[str, str]) -> list[str]:
        """Run ``roles apply``; returns the log."""
        with self.opened(environment) as (opened, log):
            opened.look_after_roles()
        return log

    def plan(self, environment: Mapping[str, str]) -> list[str]:
        """What ``roles plan`` says, one line for each change."""
        with self.opened(environment) as (opened, _):
            changes = opened.look_after_roles(carry_out=False).changes
        return [describe_change(change, is_done=False) for change in changes]

    @contextmanager
    def opened(self, environment: Mapping[str, str]) -> Iterator[tuple[taxiway.project.Project, list[str]]]:
        """The project as the command line opens it, and the lines of its log."""
        log: list[str] = []
        loaded = load(
            {},
            environ={**self.environment, **environment},
            directory=self.directory,
            secret=lambda _id, _key: "no secret here",
        )
        settings = replace(loaded.settings, roles=loaded.read_roles())
        with open_project(
            settings,
            base=self.directory,
            redact=Redactor(),
            on_event=lambda event: log.append(str(describe(event))),
        ) as opened:
            yield opened, log

    def succeed(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """What a command prints."""
        result = self.run(*arguments, environment=environment)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    def connect(self, role: str, password: str) -> psycopg.Connection:
        return self.database.server.connect(role, password, self.database.name, autocommit=True)

    def ask(self, role: str, password: str, statement: LiteralString) -> Any:
        with self.connect(role, password) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else None

    def superuser(self, statement: str) -> list[tuple[Any, ...]]:
        with self.database.server.admin(self.database.name) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def talkative_database(talkative_server: PostgresServer) -> Iterator[Database]:
    yield from fresh_database(talkative_server)


@pytest.fixture
def project(talkative_database: Database, tmp_path: Path) -> Project:
    made = Project(talkative_database, tmp_path)
    made.scripts.mkdir()
    made.write(
        {"V1__one.sql": "CREATE TABLE one (i serial PRIMARY KEY, t text); INSERT INTO one (t) VALUES ('a');"}
    )
    return made


READ_ONLY: Final = """
[roles.read_only]
password = "${env:READ_ONLY_PASSWORD}"
grants = "read"
"""


def test_migrate_creates_a_role_that_can_log_in_and_read_and_nothing_else(project: Project) -> None:
    password = make_password()
    environment = project.declare(READ_ONLY, read_only=password)
    output = "\n".join(project.migrate_all(environment))
    assert 'Created role "read_only": with a password' in output
    assert project.ask("read_only", password, "SELECT t FROM one") == [("a",)]
    assert project.ask("read_only", password, "SELECT count(*) FROM flyway_schema_history") == [(1,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        project.ask("read_only", password, "INSERT INTO one (t) VALUES ('b')")


@pytest.mark.parametrize("action", [("migrate",), ("roles", "apply"), ("roles", "plan")])
def test_a_second_time_nothing_is_changed(project: Project, action: tuple[str, ...]) -> None:
    environment = project.declare(READ_ONLY, read_only=make_password())
    project.migrate_all(environment)
    before = project.superuser("SELECT * FROM pg_authid ORDER BY oid")
    log = project.database.server.log.stat().st_size
    output = project.succeed(*action, environment=environment)
    assert "read_only" not in output
    assert project.superuser("SELECT * FROM pg_authid ORDER BY oid") == before
    written = project.database.server.log.read_bytes()[log:].decode()
    assert "read_only" in written, "somebody has logged in"
    assert not any(word in written for word in ("ALTER ROLE", "CREATE ROLE", "GRANT "))


def test_why_names_the_run_that_granted_and_a_plan_is_no_run(project: Project) -> None:
    on = {"TAXIWAY_LEDGER": "true"}
    project.succeed("migrate", environment=on)
    environment = project.declare(READ_ONLY, read_only=make_password()) | on
    project.succeed("roles", "plan", environment=environment)
    project.succeed("roles", "apply", environment=environment)
    assert project.superuser("SELECT command FROM taxiway.run ORDER BY started") == [
        ("migrate",),
        ("roles apply",),
    ]
    said = project.succeed("why", "one", environment=environment)
    assert "by V1__one.sql (version 1)" in said
    assert "during 'taxiway roles apply', by its GRANT" in said
    assert "no record" not in said


@pytest.mark.parametrize("early", ["false", "true"])
def test_what_another_project_has_granted_is_not_revoked_without_a_word(project: Project, early: str) -> None:
    """Two projects declare the same role on one database; each manages a schema of its own."""
    environment = project.declare(READ_ONLY, read_only=make_password())
    project.migrate_all(environment)
    (project.directory / "taxiway.toml").write_text(
        f'[flyway]\nschemas = ["mine"]\n{READ_ONLY}before_migrations = {early}\n', encoding="utf-8"
    )
    log = "\n".join(project.migrate_all(environment))
    assert log.count('Role "read_only" loses what it may do in schema "public", which this project does not') == 1
    assert log.index("loses") < log.index('Revoked SELECT on 2 tables ("public".')


def test_another_password_is_set_and_only_then(project: Project) -> None:
    first, second = make_password(), make_password()
    project.migrate_all(project.declare(READ_ONLY, read_only=first))
    environment = project.declare(READ_ONLY, read_only=second)
    assert project.plan(environment) == ['Set the password of role "read_only"']
    assert project.ask("read_only", first, "SELECT 1") == [(1,)], "a plan changes nothing"
    assert 'Set the password of role "read_only"' in project.apply(environment)
    assert project.ask("read_only", second, "SELECT 1") == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        project.connect("read_only", first)
    assert project.plan(environment) == []


@pytest.mark.parametrize("password", [_PREPARED, _UNPREPARED, "  two  ", "x" * 500, "'; DROP TABLE one; --"])
def test_a_password_may_be_any_text(project: Project, password: str) -> None:
    environment = project.declare(READ_ONLY, read_only=password)
    project.migrate_all(environment)
    [(verifier,)] = project.superuser("SELECT rolpassword FROM pg_authid WHERE rolname = 'read_only'")
    assert verifier.startswith("SCRAM-SHA-256$4096:")
    assert project.ask("read_only", password, "SELECT current_user") == [("read_only",)]
    assert project.plan(environment) == []


def test_a_password_is_never_shown_sent_or_logged(project: Project) -> None:
    """Not even when the server refuses the statement that has its verifier."""
    project.superuser("CREATE EXTENSION pg_stat_statements")
    canaries = [make_password() for _ in range(3)]
    outputs = [
        project.succeed("migrate", "--debug", environment=project.declare(READ_ONLY, read_only=canaries[0])),
        project.succeed(
            "roles", "apply", "--output", "json", environment=project.declare(READ_ONLY, read_only=canaries[1])
        ),
    ]
    refused = project.declare(READ_ONLY, read_only=canaries[2])
    project.superuser("ALTER ROLE read_only SUPERUSER")
    result = project.run("roles", "apply", environment=refused)
    assert result.returncode == 2
    outputs.append(result.stdout + result.stderr)
    project.superuser("ALTER ROLE read_only NOSUPERUSER")
    seen = {
        "output": "".join(outputs),
        "log": project.database.server.log.read_text(encoding="utf-8", errors="replace"),
        "statements": str(project.superuser("SELECT query FROM pg_stat_statements")),
        "history": str(project.history()),
    }
    assert "SCRAM-SHA-256$" in seen["log"]
    for place, text in seen.items():
        for canary in canaries:
            assert canary not in text, place
            assert canary[:9] not in text, place
            assert canary[-9:] not in text, place


# --- grants


def test_what_later_migrations_create_is_granted_too(project: Project) -> None:
    password = make_password()
    environment = project.declare(READ_ONLY, read_only=password)
    project.migrate_all(environment)
    project.write({"V2__two.sql": "CREATE TABLE two (i int); CREATE VIEW three AS SELECT * FROM two;"})
    output = "\n".join(project.migrate_all(environment))
    assert "Granted" not in output, "default privileges were enough"
    assert project.ask("read_only", password, "SELECT * FROM two, three") == []


def test_tables_that_a_migration_has_made_as_another_role_are_granted_too(project: Project) -> None:
    password = make_password()
    environment = project.declare(READ_ONLY, read_only=password)
    # Before PostgreSQL 16 every member inherits and may SET ROLE.
    options = " WITH INHERIT TRUE, SET TRUE" if project.database.server.major_version >= 16 else ""
    project.write(
        {
            "V2__two.sql": f"CREATE ROLE maker; GRANT maker TO CURRENT_USER{options};"
            "GRANT CREATE, USAGE ON SCHEMA public TO maker; SET ROLE maker; CREATE TABLE two (i int);"
        }
    )
    project.migrate_all(environment)
    assert project.ask("read_only", password, "SELECT * FROM two") == []


def test_write_may_change_rows_and_use_sequences_and_not_the_history(project: Project) -> None:
    password = make_password()
    environment = project.declare(READ_ONLY.replace('read"', 'write"'), read_only=password)
    project.migrate_all(environment)
    project.ask("read_only", password, "INSERT INTO one (t) VALUES ('b')")
    project.ask("read_only", password, "UPDATE one SET t = 'c'")
    project.ask("read_only", password, "DELETE FROM one")
    # Before PostgreSQL 15 everybody may create in the schema public.
    creating = ["CREATE TABLE mine (i int)"] if project.database.server.major_version >= 15 else []
    for forbidden in ("TRUNCATE one", "DELETE FROM flyway_schema_history", *creating):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            project.ask("read_only", password, forbidden)
    assert project.plan(environment) == []


def test_a_history_that_is_made_anew_is_taken_back_from_default_privileges(project: Project) -> None:
    password = make_password()
    environment = project.declare(READ_ONLY.replace('read"', 'all"'), read_only=password)
    project.migrate_all(environment)
    project.succeed("clean", "migrate", "--no-clean-disabled", environment=environment)
    project.ask("read_only", password, "TRUNCATE one")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        project.ask("read_only", password, "DELETE FROM flyway_schema_history")
    assert project.plan(environment) == []


def test_a_smaller_word_revokes_what_the_larger_one_had_granted(project: Project) -> None:
    password = make_password()
    project.migrate_all(project.declare(READ_ONLY.replace('read"', 'all"'), read_only=password))
    environment = project.declare(READ_ONLY, read_only=password)
    assert (
        'Revoke DELETE, INSERT, REFERENCES, TRIGGER, TRUNCATE, UPDATE on table "public"."one" from role "read_only"'
        in (project.plan(environment))
    )
    project.migrate_all(environment)
    assert project.ask("read_only", password, "SELECT t FROM one") == [("a",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        project.ask("read_only", password, "INSERT INTO one (t) VALUES ('b')")
    assert project.plan(environment) == []
    environment = project.declare(READ_ONLY.replace('read"', 'none"'), read_only=password)
    project.migrate_all(environment)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        project.ask("read_only", password, "SELECT t FROM one")
    assert project.plan(environment) == []
    assert project.superuser("SELECT count(*) FROM pg_default_acl") == [(0,)]


def test_what_a_script_has_granted_stays(project: Project) -> None:
    password = make_password()
    environment = project.declare(READ_ONLY, read_only=password)
    project.migrate_all(environment)
    project.write(
        {"V2__more.sql": "GRANT INSERT ON one TO read_only; GRANT USAGE ON SEQUENCE one_i_seq TO read_only;"}
    )
    project.migrate_all(environment)
    project.ask("read_only", password, "INSERT INTO one (t) VALUES ('b')")
    project.apply(environment)
    project.ask("read_only", password, "INSERT INTO one (t) VALUES ('b')")


def test_without_a_word_privileges_are_left_alone(project: Project) -> None:
    password = make_password()
    project.migrate_all(project.declare(READ_ONLY, read_only=password))
    environment = project.declare(READ_ONLY.replace('grants = "read"', ""), read_only=password)
    assert project.plan(environment) == []
    assert project.ask("read_only", password, "SELECT t FROM one") == [("a",)]


def test_a_declaration_that_is_gone_drops_nothing(project: Project) -> None:
    password = make_password()
    project.migrate_all(project.declare(READ_ONLY, read_only=password))
    project.declare("")
    project.migrate_all({})
    assert project.ask("read_only", password, "SELECT t FROM one") == [("a",)]
    assert "No role is declared" in project.succeed("roles", "plan")


def test_schemas_say_where(project: Project) -> None:
    password = make_password()
    declared = f'[flyway]\nschemas = ["public", "app"]\n{READ_ONLY}'
    project.write({"V2__app.sql": "CREATE TABLE app.two (i int);"})
    environment = project.declare(f'{declared}schemas = ["app"]', read_only=password)
    project.migrate_all(environment)
    assert project.ask("read_only", password, "SELECT * FROM app.two") == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        project.ask("read_only", password, "SELECT * FROM public.one")

    environment = project.declare(f'{declared}schemas = ["public", "nowhere"]', read_only=password)
    output = "\n".join(project.migrate_all(environment))
    assert 'Role "read_only" is not given anything in schema "nowhere": there is none.' in output
    assert project.ask("read_only", password, "SELECT t FROM public.one") == [("a",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        project.ask("read_only", password, "SELECT * FROM app.two")


def test_names_are_taken_as_they_are(project: Project) -> None:
    password = make_password()
    project.write(
        {
            "V2__odd.sql": 'CREATE SCHEMA "My ""app"""; CREATE TABLE "My ""app"""."A, b" (i serial);'
            'CREATE FUNCTION "My ""app"""."F, x"(a "My ""app"""."A, b", VARIADIC b text[]) RETURNS int LANGUAGE sql AS $$SELECT 1$$;'
            'CREATE AGGREGATE "My ""app""".agg(int) (sfunc = int4pl, stype = int);'
            'CREATE PROCEDURE "My ""app""".p(OUT x int) LANGUAGE sql AS $$SELECT 1$$;'
        }
    )
    toml = '[roles."Role \\"; DROP"]\npassword = "${env:X_PASSWORD}"\ngrants = "all"\nschemas = [\'My "app"\']\n'
    environment = project.declare(toml, x=password)
    project.migrate_all(environment)
    role = 'Role "; DROP'
    project.ask(role, password, 'INSERT INTO "My ""app"""."A, b" DEFAULT VALUES')
    assert project.plan(environment) == []
    project.declare(toml.replace('"all"', '"none"'))
    project.apply(environment)
    assert project.plan(environment) == []


# --- attributes and memberships


def test_attributes_and_memberships_are_changed_and_groups_come_first(project: Project) -> None:
    password = make_password()
    toml = """
[roles.app]
password = "${env:APP_PASSWORD}"
member_of = ["readers"]
connection_limit = 3
valid_until = 2199-01-31T12:00:00+02:00

[roles.readers]
login = false
grants = "read"
"""
    environment = project.declare(toml, app=password)
    project.migrate_all(environment)
    assert project.ask("app", password, "SELECT t FROM one") == [("a",)]
    assert project.superuser(
        "SELECT rolname, rolcanlogin, rolconnlimit, rolvaliduntil AT TIME ZONE 'UTC' = '2199-01-31 10:00' "
        "FROM pg_roles WHERE rolname IN ('app', 'readers') ORDER BY 1"
    ) == [("app", True, 3, True), ("readers", False, -1, None)]
    assert project.plan(environment) == []

    changed = project.declare(
        toml.replace("= 3", "= -1").replace("false", "true").replace("2199", "2198"), app=password
    )
    assert project.plan(changed) == [
        'Change role "app": any number of connections, password valid until 2198-01-31 12:00:00+02:00',
        'Change role "readers": may log in',
    ]
    project.apply(changed)
    assert project.plan(changed) == []


def test_a_role_without_a_free_connection_is_not_taken_for_one_with_another_password(project: Project) -> None:
    password = make_password()
    environment = project.declare(f"{READ_ONLY}connection_limit = 1\n", read_only=password)
    project.migrate_all(environment)
    with project.connect("read_only", password):
        assert project.plan(environment) == []
        other = project.declare(f"{READ_ONLY}connection_limit = 1\n", read_only=make_password())
        assert project.plan(other) == ['Set the password of role "read_only"']


def test_a_role_without_connect_or_login_is_not_taken_for_one_with_another_password(project: Project) -> None:
    toml = READ_ONLY.replace('grants = "read"', "")
    environment = project.declare(toml, read_only=make_password())
    project.migrate_all(environment)
    project.superuser(f"REVOKE CONNECT ON DATABASE {project.database.name} FROM PUBLIC")
    assert project.plan(environment) == []
    project.superuser("ALTER ROLE read_only NOLOGIN")
    assert project.plan(environment) == ['Change role "read_only": may log in']


def test_an_expired_password_is_left_alone_until_its_end_is_moved(project: Project) -> None:
    password = make_password()
    toml = f"{READ_ONLY}valid_until = 2020-01-01T00:00:00Z\n"
    environment = project.declare(toml, read_only=password)
    project.migrate_all(environment)
    assert project.plan(environment) == []
    assert any('password of role "read_only" has expired' in line for line in project.apply(environment))
    later = project.declare(toml.replace("2020", "2199"), read_only=password)
    project.apply(later)
    assert project.ask("read_only", password, "SELECT 1") == [(1,)]
    assert project.plan(later) == []


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "200000-01-01"])
def test_any_moment_that_the_server_knows_is_read(project: Project, moment: str) -> None:
    project.query(f"CREATE ROLE read_only LOGIN PASSWORD 'p' VALID UNTIL '{moment}'")
    environment = project.declare(READ_ONLY.replace('grants = "read"', ""), read_only="p")
    log = project.apply(environment)
    assert any("has expired" in line for line in log) is (moment == "-infinity")
    assert project.plan(environment) == []


def test_a_role_that_has_an_md5_password_gets_a_better_one(project: Project) -> None:
    password = make_password()
    project.query("CREATE ROLE read_only LOGIN PASSWORD 'md5c0ffee00c0ffee00c0ffee00c0ffee00'")
    environment = project.declare(READ_ONLY, read_only=password)
    project.migrate_all(environment)
    assert project.ask("read_only", password, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("role", "words"), [("trusted", "require_auth|authentication"), ("refused", "pg_hba.conf")]
)
def test_a_password_that_cannot_be_compared_is_set_and_the_reason_is_told(
    project: Project, role: str, words: str
) -> None:
    environment = project.declare(READ_ONLY.replace("[roles.read_only]", f"[roles.{role}]"), read_only="p")
    project.migrate_all(environment)
    [line] = project.plan(environment)
    assert re.fullmatch(rf'Set the password of role "{role}" \(it cannot be compared: .*({words}).*\)', line)
    assert "LOCATION" not in line


# --- both ways


def test_a_migration_that_creates_the_role_itself_lives_with_its_declaration(project: Project) -> None:
    """As the tutorial has it; what it grants and what the declaration grants are the same."""
    password = "kept out of SQL by nobody"
    project.write(
        {
            "V2__role.sql": "CREATE ROLE read_only LOGIN PASSWORD '${READ_ONLY_PASSWORD}';"
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO read_only;"
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO read_only;"
        }
    )
    toml = f'[flyway.placeholders]\nREAD_ONLY_PASSWORD = "${{env:READ_ONLY_PASSWORD}}"\n{READ_ONLY}'
    environment = project.declare(toml, read_only=password)
    output = "\n".join(project.migrate_all(environment))
    assert "Set the password" not in output
    assert "Created role" not in output
    assert "Revoked" not in output
    rotated = project.declare(toml, read_only="another one")
    assert 'Set the password of role "read_only"' in project.migrate_all(rotated)
    assert project.ask("read_only", "another one", "SELECT t FROM one") == [("a",)]


def test_a_migration_may_name_a_role_that_is_looked_after_before(project: Project) -> None:
    project.write({"V2__policy.sql": "CREATE POLICY p ON one TO read_only USING (true);"})
    environment = project.declare(READ_ONLY, read_only=make_password())
    with pytest.raises(errors.MigrationFailed, match='role "read_only" does not exist'):
        project.migrate_all(environment)
    environment = project.declare(f"{READ_ONLY}before_migrations = true\n", read_only=make_password())
    project.migrate_all(environment)
    assert project.plan(environment) == []


def test_a_failed_migration_leaves_roles_for_later_and_roles_that_fail_leave_the_migrations(
    project: Project,
) -> None:
    environment = project.declare(READ_ONLY, read_only=make_password())
    project.write({"V2__two.sql": "SELECT 1/0;"})
    with pytest.raises(errors.MigrationFailed):
        project.migrate_all(environment)
    assert project.superuser("SELECT count(*) FROM pg_roles WHERE rolname = 'read_only'") == [(0,)]

    project.write({"V2__two.sql": "CREATE TABLE two (i int);"})
    project.superuser(f"ALTER ROLE {project.database.user} NOCREATEROLE")
    result = project.run("migrate", "--output", "json", environment=environment)
    failure = json.loads(result.stdout)
    assert result.returncode == 1
    assert "CREATEROLE" in json.dumps(failure)
    assert [one["version"] for one in failure["migrations"]] == ["2"]
    assert project.applied() == ["1", "2"]


# --- what the connecting role may do


def test_without_createrole_the_error_names_what_to_grant(project: Project) -> None:
    owner = project.database.user
    environment = project.declare(READ_ONLY, read_only=make_password())
    project.superuser(f"ALTER ROLE {owner} NOCREATEROLE")
    with pytest.raises(errors.PermissionDenied) as refused:
        project.apply(environment)
    assert f"""'ALTER ROLE "{owner}" CREATEROLE'""" in str(refused.value.hint)
    project.superuser(f"ALTER ROLE {owner} CREATEROLE")
    project.apply(environment)


def only_since_postgresql_16(project: Project) -> None:
    """Before that, CREATEROLE was enough for every role but a superuser (release notes of PostgreSQL 16)."""
    if project.database.server.major_version < 16:
        pytest.skip("CREATEROLE is enough on this server")


def test_a_role_of_somebody_else_wants_the_admin_option(project: Project) -> None:
    owner, password = project.database.user, make_password()
    only_since_postgresql_16(project)
    project.superuser("CREATE ROLE read_only LOGIN PASSWORD 'x'")
    environment = project.declare(READ_ONLY, read_only=password)
    with pytest.raises(errors.PermissionDenied) as refused:
        project.apply(environment)
    grant = f'GRANT "read_only" TO "{owner}" WITH ADMIN OPTION'
    assert f"'{grant}'" in str(refused.value.hint)
    project.superuser(grant)
    project.apply(environment)
    assert project.ask("read_only", password, "SELECT 1") == [(1,)]


def test_a_role_that_needs_no_change_needs_no_permission(project: Project) -> None:
    environment = project.declare(READ_ONLY, read_only=make_password())
    project.migrate_all(environment)
    project.superuser(f"ALTER ROLE {project.database.user} NOCREATEROLE")
    project.migrate_all(environment)


def test_a_group_of_the_server_wants_the_admin_option(project: Project) -> None:
    owner = project.database.user
    only_since_postgresql_16(project)
    environment = project.declare(f'{READ_ONLY}member_of = ["pg_monitor"]\n', read_only=make_password())
    with pytest.raises(errors.PermissionDenied) as refused:
        project.apply(environment)
    assert f"""'GRANT "pg_monitor" TO "{owner}" WITH ADMIN OPTION'""" in str(refused.value.hint)
    project.superuser(f"GRANT pg_monitor TO {owner} WITH ADMIN OPTION")
    project.apply(environment)
    assert project.plan(environment) == []


def test_roles_need_no_scripts(project: Project) -> None:
    environment = project.declare(READ_ONLY, read_only=make_password())
    shutil.rmtree(project.directory / "sql")
    result = project.run("roles", "apply", environment=environment)
    assert result.returncode == 0, result.stderr
    assert 'Created role "read_only"' in result.stdout


def test_tables_of_other_owners_are_warned_of(project: Project) -> None:
    project.superuser("CREATE TABLE theirs (i int)")
    environment = project.declare(READ_ONLY, read_only=make_password())
    output = project.succeed(
        "migrate", "--baseline-on-migrate", "--baseline-version", "0", environment=environment
    )
    assert """is not given 'read' on 1 object(s) of other owners: "public"."theirs".""" in output


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("[roles.postgres]", "it is a superuser"),
        ("[roles.OWNER]", "it is the one that is connected"),
        ('[roles.x]\nmember_of = ["nobody"]', 'there is no role "nobody"'),
    ],
)
def test_roles_that_must_not_be_managed_are_refused(project: Project, toml: str, reason: str) -> None:
    project.declare(toml.replace("OWNER", project.database.user))
    before = project.superuser("SELECT * FROM pg_authid ORDER BY oid")
    result = project.run("migrate")
    assert result.returncode == 2
    assert reason in result.stderr
    assert project.superuser("SELECT * FROM pg_authid ORDER BY oid") == before
    assert project.applied() == ["1"]


# --- secrets


def test_a_secret_of_a_user_is_enough(project: Project, aws_endpoint: AwsEndpoint) -> None:
    """One line, and one for its name."""
    password = make_password()
    aws_endpoint.put_secret("postgresql@it@reporting", {"username": "reporting", "password": password})
    aws = {"REGION": aws_endpoint.region, **aws_endpoint.environment}
    project.declare('[roles.reporting]\nsecret = "postgresql@it@reporting"\n')
    project.succeed("migrate", environment=aws)
    assert project.ask("reporting", password, "SELECT 1") == [(1,)]

    project.declare('[roles.other]\nsecret = "postgresql@it@reporting"\n')
    result = project.run("roles", "plan", environment=aws)
    assert result.returncode == 2
    assert "is that of user 'reporting'" in result.stderr


def test_where_secrets_cannot_be_read_migrate_leaves_roles_alone_and_says_so(project: Project) -> None:
    project.declare(READ_ONLY)
    output = project.succeed("migrate")
    assert "WARNING: The declared roles are left alone" in output
    assert "READ_ONLY_PASSWORD is not set" in output
    assert project.applied() == ["1"]
    result = project.run("roles", "apply")
    assert result.returncode == 2


def test_json_has_the_changes(project: Project) -> None:
    environment = project.declare(READ_ONLY, read_only=make_password())
    planned = json.loads(project.succeed("roles", "plan", "--output", "json", environment=environment))
    assert planned["carriedOut"] is False
    assert planned["roles"][0] == {
        "role": "read_only",
        "action": "create",
        "description": 'Created role "read_only": with a password',
    }
    migrated = json.loads(project.succeed("migrate", "--output", "json", environment=environment))
    assert [one["action"] for one in migrated["roles"]][:2] == ["create", "grant"]
    project.declare("")
    assert "roles" not in json.loads(project.succeed("migrate", "--output", "json"))
