"""Passwords that are changed while we use them, with a real server and the emulated Secrets Manager."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from sandbox.aws import AwsEndpoint
from sandbox.password import make_password
from sandbox.protocol_proxy import ProtocolProxy
from taxiway import errors
from taxiway.aws.credentials import make_login
from taxiway.clock import SystemClock
from taxiway.model.event import SecretReadAgain, Warned
from taxiway.model.script import Statement
from taxiway.model.settings import DatabaseSettings, SecretReference
from taxiway.postgres.connection import ConnectionEvent, open_session
from taxiway.postgres.session import PostgresSession
from taxiway.postgres.url import parse_url
from taxiway.secret import Redactor, Secret
from tests.integration.aws.conftest import Storer
from tests.support.command import complaint
from tests.support.pytest_sandbox import Database
from tests.support.workspace import Workspace

pytestmark = pytest.mark.usefixtures("aws_environment")

type Changer = Callable[..., None]


class Rotating:
    """A login that was read from a secret, and a server and a secret that go on without us."""

    def __init__(self, database: Database, name: str, change: Changer, stack: ExitStack) -> None:
        self.database, self.name, self.change_secret = database, name, change
        self.heard: list[ConnectionEvent] = []
        self.redactor = Redactor()
        self.proxy = stack.enter_context(ProtocolProxy(database.host, database.port))
        self._stack = stack
        self.settings = DatabaseSettings(
            url=database.url.replace(f":{database.port}/", f":{self.proxy.port}/"),
            user=database.user,
            password=Secret(database.password),
            references={name: SecretReference(self.name, key) for name, key in LOGIN.items()},
        )

    def change_password(self) -> str:
        password = make_password()
        with self.database.server.admin() as connection:
            connection.execute(
                f"ALTER ROLE {self.database.user} PASSWORD '{password.replace("'", "''")}'".encode()
            )
        return password

    def rotate(self) -> str:
        """In the server and in the secret."""
        password = self.change_password()
        self.change_secret(self.name, username=self.database.user, password=password)
        return password

    def open(self, settings: DatabaseSettings | None = None) -> PostgresSession:
        settings = parse_url(settings or self.settings)
        session = open_session(
            settings,
            clock=SystemClock(),
            on_notice=lambda _: None,
            on_event=self.heard.append,
            credentials=make_login(settings, on_secret=self.redactor.add),
        )
        return self._stack.enter_context(session)

    @property
    def attempts(self) -> int:
        return self.proxy.counts().connections


LOGIN = {"user": "username", "password": "password"}


@pytest.fixture
def rotating(database: Database, store_login: Storer, change_login: Changer) -> Iterator[Rotating]:
    name = store_login(username=database.user, password=database.password)
    with ExitStack() as stack:
        yield Rotating(database, name, change_login, stack)


def test_a_password_that_was_changed_is_read_again(rotating: Rotating) -> None:
    new = rotating.rotate()
    assert rotating.open().facts.user == rotating.database.user
    assert rotating.heard == [SecretReadAgain(secret=f"'{rotating.name}'")]
    assert rotating.attempts == 2
    assert new not in rotating.redactor(f"it was {new}!")


def test_a_user_that_alternates_is_read_again_with_the_password(rotating: Rotating, change_login: Changer) -> None:
    password = make_password()
    server = rotating.database.server
    server.create_user("clone_of_owner", password)
    rotating.change_password()
    change_login(rotating.name, username="clone_of_owner", password=password)
    assert rotating.open().facts.user == "clone_of_owner"


def test_when_the_current_value_is_the_same_the_pending_one_is_tried(
    rotating: Rotating, change_login: Changer
) -> None:
    password = rotating.change_password()
    change_login(rotating.name, stage="AWSPENDING", username=rotating.database.user, password=password)
    rotating.open()
    [warned] = rotating.heard
    assert isinstance(warned, Warned)
    assert "AWSPENDING" in warned.message
    assert rotating.attempts == 2


def test_exactly_one_more_attempt_is_made(rotating: Rotating, change_login: Changer) -> None:
    rotating.change_password()
    change_login(rotating.name, username=rotating.database.user, password="wrong as well")
    change_login(rotating.name, stage="AWSPENDING", username=rotating.database.user, password="and so is this")
    with pytest.raises(errors.AuthenticationFailed) as caught:
        rotating.open()
    assert rotating.attempts == 2
    assert f"the password came from version AWSCURRENT of secret '{rotating.name}'" in (caught.value.hint or "")
    assert caught.value.__context__ is None


def test_without_another_value_nothing_is_tried_again(rotating: Rotating) -> None:
    rotating.change_password()
    with pytest.raises(errors.AuthenticationFailed):
        rotating.open()
    assert (rotating.attempts, rotating.heard) == (1, [])


def test_a_password_that_is_no_secrets_is_not_tried_again(rotating: Rotating) -> None:
    rotating.rotate()
    with pytest.raises(errors.AuthenticationFailed):
        rotating.open(replace(rotating.settings, references={}))
    assert (rotating.attempts, rotating.heard) == (1, [])


def test_a_refusal_that_no_password_mends_reads_no_secret(rotating: Rotating) -> None:
    rotating.rotate()
    with pytest.raises(errors.AuthenticationFailed, match=r"pg_hba\.conf"):
        rotating.open(replace(rotating.settings, parameters={"sslmode": "disable"}))
    assert (rotating.attempts, rotating.heard) == (1, [])


def test_that_the_secret_cannot_be_read_again_does_not_hide_the_cause(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotating.rotate()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(errors.AuthenticationFailed):
        rotating.open()
    assert any("could not be read again" in one.message for one in rotating.heard if isinstance(one, Warned))


def test_a_lost_connection_is_followed_by_one_with_the_new_password(rotating: Rotating) -> None:
    session = rotating.open()
    rotating.rotate()
    session.reconnect()
    session.reconnect()
    assert rotating.heard == [SecretReadAgain(secret=f"'{rotating.name}'")]


def test_the_connection_that_asks_about_a_silent_session_has_the_new_password(rotating: Rotating) -> None:
    session = rotating.open(replace(rotating.settings, silence_seconds=1))
    rotating.rotate()
    # Two questions without an answer would end it.
    session.run(Statement("SELECT pg_sleep(3.5)", 0, 0))
    assert SecretReadAgain(secret=f"'{rotating.name}'") in rotating.heard


# --- the whole command ---

ROTATE = """
import os, sys, boto3, psycopg
admin, user, name = sys.argv[1:]
with psycopg.connect(admin, autocommit=True) as connection:
    connection.execute(f"ALTER ROLE {user} PASSWORD 'changed meanwhile'")
content = '{"username": "%s", "password": "changed meanwhile"}' % user
boto3.client("secretsmanager", region_name=os.environ["AWS_REGION"]).put_secret_value(SecretId=name, SecretString=content)
"""


@pytest.mark.parametrize("form", ["references", "secret"])
def test_a_run_whose_password_is_changed_before_it_connects(
    workspace: Workspace, store_login: Storer, aws_endpoint: AwsEndpoint, form: str
) -> None:
    database = workspace.database
    name = store_login(username=database.user, password=database.password)
    lines = (
        [f"secret = '{name}'"]
        if form == "secret"
        else [f"{o} = '${{secret:{name}#{k}}}'" for o, k in LOGIN.items()]
    )
    (workspace.directory / "taxiway.toml").write_text("[database]\n" + "\n".join(lines))
    (workspace.directory / "rotate.py").write_text(ROTATE)
    admin = database.server.conninfo("postgres", database.server.superuser_password, "postgres")
    (workspace.directory / "admin").write_text(admin)
    command = f'exec {shlex.quote(sys.executable)} rotate.py "$(cat admin)" {database.user} "{name}"\n'
    workspace.write({"V1__one.sql": "CREATE TABLE one (n int);", "beforeConnect.sh": command})
    environment = aws_endpoint.environment | {
        "FLYWAY_URL": database.url.replace(f"{database.user}@", ""),
        "FLYWAY_PASSWORD": "",
        "FLYWAY_SCRIPT_MIGRATIONS": "true",
    }
    result = workspace.run("migrate", environment=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"secret '{name}' has changed: trying its new value" in result.stdout
    assert "changed meanwhile" not in result.stdout + result.stderr


# --- one line for all of it ---


def without_login(workspace: Workspace) -> dict[str, str]:
    return {"FLYWAY_URL": "", "FLYWAY_PASSWORD": "", "PGSSLROOTCERT": str(workspace.database.sslrootcert)}


@pytest.mark.parametrize("by", ["name", "arn"])
def test_one_secret_has_all_that_is_needed(
    workspace: Workspace, store_login: Storer, aws_endpoint: AwsEndpoint, owner: object, by: str
) -> None:
    database = workspace.database
    name = store_login(
        username=database.user,
        password=database.password,
        host=database.host,
        port=database.port,
        dbname=database.name,
        engine="postgres",
    )
    secret = name if by == "name" else owner.describe_secret(SecretId=name)["ARN"]  # type: ignore[attr-defined]
    environment = aws_endpoint.environment | without_login(workspace) | {"FLYWAY_DATABASE_SECRET": secret}
    result = workspace.run("test-connection", environment=environment)
    assert result.returncode == 0, result.stderr
    assert f"{database.host}:{database.port}/{database.name}" in result.stdout


def test_what_is_set_wins_over_the_secret(
    workspace: Workspace, store_login: Storer, aws_endpoint: AwsEndpoint
) -> None:
    database = workspace.database
    name = store_login(
        username=database.user, password=database.password, host="nowhere.invalid", port=1, dbname="other"
    )
    environment = aws_endpoint.environment | without_login(workspace)
    arguments = ("--database-secret", name, "--host", database.host, "--database-name", database.name)
    refused = workspace.run("test-connection", *arguments, environment=environment)
    # The port of another host says nothing.
    assert f"{database.host}:5432/{database.name}" in complaint(refused, 4, "connection-failed")
    result = workspace.run("test-connection", *arguments, "--port", str(database.port), environment=environment)
    assert result.returncode == 0, result.stderr


def test_a_secret_of_rds_has_no_host(workspace: Workspace, store_login: Storer, aws_endpoint: AwsEndpoint) -> None:
    name = store_login(username="u", password="long enough")
    environment = aws_endpoint.environment | without_login(workspace) | {"FLYWAY_DATABASE_SECRET": name}
    message = complaint(workspace.run("info", environment=environment), 2, "missing-option")
    assert "has no key 'host'" in message


@pytest.mark.parametrize("content", [{"password": "long enough"}, {"username": "u"}])
def test_a_secret_without_a_user_or_a_password_says_which(
    workspace: Workspace, store_login: Storer, aws_endpoint: AwsEndpoint, content: dict[str, str]
) -> None:
    name = store_login(**content)
    environment = (
        aws_endpoint.environment | without_login(workspace) | {"FLYWAY_DATABASE_SECRET": name, "DB_HOST": "h"}
    )
    [missing] = {"username", "password"} - set(content)
    assert f"no key '{missing}'" in complaint(
        workspace.run("info", environment=environment), 2, "secret-malformed"
    )


def test_programs_get_the_login_of_the_secret(
    workspace: Workspace, store_login: Storer, aws_endpoint: AwsEndpoint
) -> None:
    database = workspace.database
    name = store_login(username=database.user, password=database.password)
    workspace.write({"V1__one.sh": 'printf "%s %s" "$FLYWAY_USER" "$FLYWAY_PASSWORD" > seen\n'})
    environment = aws_endpoint.environment | {
        "FLYWAY_URL": database.url.replace(f"{database.user}@", ""),
        "FLYWAY_PASSWORD": "",
        "FLYWAY_SCRIPT_MIGRATIONS": "true",
        "FLYWAY_DATABASE_SECRET": name,
    }
    result = workspace.run("migrate", environment=environment)
    assert result.returncode == 0, result.stderr
    seen = next(workspace.directory.rglob("seen")).read_text()
    assert json.dumps(seen) == json.dumps(f"{database.user} {database.password}")
