"""Unmistakable secrets go through the container's command, and are then looked for in all that others can read.

Every way to end is run with the kinds of log: success, a failed migration, a refused password, a stop, a kill, a bug of
ours. These runs share a server, so they are one test. Another one logs in with tokens of IAM, which nobody can choose
beforehand. The last one runs a command that leaks on purpose, to show that each search finds something.
"""

import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from sandbox.aws import AwsEndpoint
from sandbox.directory import temporary_directory
from sandbox.git_server import GitServer
from sandbox.iam_front import IamFront
from sandbox.password import AWKWARD, make_placeholder_password
from sandbox.postgres import PostgresServer
from sandbox.tls import make_server_certificate
from tests.support.canary import ChildWatch, find_secrets
from tests.support.job import Job, publish
from tests.support.pytest_sandbox import make_database

# A part of each: if a piece of one is shown, this is likely in it.
MARK: Final = "tWeEtY"
_SECONDS: Final = 60

TOML: Final = """
[database]
host = "${env:DB_HOST}"
name = "${env:DB_NAME}"
user = "${secret:OWNER#username}"
password = "${secret:OWNER#password}"

[flyway.placeholders]
IN_SQL = "${secret:IN_SQL_SECRET#password}"

[roles.canary_reader]
secret = "DECLARED"
grants = "read"
"""
TOML_FOR_TOKENS: Final = """
[database]
host = "${env:DB_HOST}"
name = "${env:DB_NAME}"
user = "TOKEN_USER"
auth = "iam"
"""
TOKEN_USER: Final = "canary_migrator"
IAM_REGION: Final = "eu-west-1"
IAM_NAME: Final = f"shop.cluster-abc123.{IAM_REGION}.rds.amazonaws.com"
# Who comes through the stand-in of RDS has shown a token; nobody has a password for that user.
RULES: Final = f"host all {TOKEN_USER} 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
FAILING: Final = "CREATE TABLE t (i int, j text CHECK (j = ''));\nINSERT INTO t VALUES (1, '${IN_SQL}');\n"
SAYING: Final = "DO $$ BEGIN RAISE WARNING 'it is %', '${IN_SQL}'; END $$;\nSELECT '${IN_SQL}' AS shown;\n"
WAITING: Final = "SELECT pg_sleep(60), '${IN_SQL}';\n"
WAITS: Final = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

# Python runs this when it starts: the next error is a bug of ours, which shows what it should not.
BUG: Final = """
import taxiway.project

def open_project(settings, **others):
    raise RuntimeError(f"{settings!r} {settings.database.parameters!r} {settings.database.password.reveal()}")

taxiway.project.open_project = open_project
"""
# A command that does everything wrong.
LEAKS: Final = """
import os, pathlib
import taxiway.aws.iam_login as iam, taxiway.secret, taxiway.sources.git_process as git

taxiway.secret.Redactor.__call__ = lambda self, text: text
taxiway.secret.redact_strings = lambda value, redact: value
key, environment = os.environ["AWS_SECRET_ACCESS_KEY"], git.environment
git.environment = lambda *given, **named: environment(*given, **named) | {"KEY": key}
pathlib.Path(os.environ["TMPDIR"], "left").write_text(key)
make_token = iam.IamLogin._make_token

def make_and_show(*given):
    token = make_token(*given)
    print("token", token.reveal())
    return token

iam.IamLogin._make_token = make_and_show
"""


@dataclass
class Stage:
    """A server that logs every statement, a repository, secrets in AWS, a job among them, and what it has left."""

    job: Job
    server: PostgresServer
    database: str
    secrets: Mapping[str, str]
    outputs: dict[str, str] = field(default_factory=dict)
    children: str = ""
    files: str = ""

    def run(self, branch: str, *options: str, exit_code: int, **variables: str) -> str:
        """Run to the end, and keep what others could see. The output."""
        with self.running(branch, *options, exit_code=exit_code, **variables):
            pass
        return self.outputs[f"{branch} {options}"]

    @contextmanager
    def running(
        self, branch: str, *options: str, exit_code: int, **variables: str
    ) -> Iterator[subprocess.Popen[str]]:
        """The same; the block is carried out while it runs."""
        process = self.job.start(branch, *options, without=(), **variables)
        with process, ChildWatch.of(process.pid) as watch:
            try:
                yield process
                stdout, stderr = process.communicate(timeout=_SECONDS)
            finally:
                process.kill()
        self.outputs[f"{branch} {options}"] = output = stdout + stderr
        self.children += "\n".join(watch.seen) + self.job.children.read_text()
        self._take_files()
        assert process.returncode == exit_code, output

    def stop(self, *options: str, by: signal.Signals, exit_code: int, branch: str = "waiting") -> None:
        """Let a migration wait, and end the run."""
        with self.running(branch, *options, exit_code=exit_code) as process:
            with self.server.admin() as connection:
                while not connection.execute(WAITS).fetchall():
                    assert process.poll() is None
                    time.sleep(0.02)
            process.send_signal(by)

    def _take_files(self) -> None:
        """Read what lies about, and clear it away."""
        for path in self.job.scratch.rglob("*"):
            self.files += f"{path}\n"
            if path.is_file():
                self.files += path.read_text(encoding="latin-1") + "\n"
        shutil.rmtree(self.job.scratch)
        self.job.scratch.mkdir()

    @property
    def rows(self) -> str:
        """Every row of the database, the ledger and the history among them, and what is known of roles."""
        with self.server.admin(self.database) as connection:
            tables = connection.execute(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            assert {"taxiway.run", "taxiway.statement", "public.flyway_schema_history"} <= {
                one for (one,) in tables
            }
            names = [*(table for (table,) in tables), "pg_authid", "pg_db_role_setting"]
            queries = (f"SELECT to_json(t)::text FROM {name} t" for name in names)
            return "\n".join(row for query in queries for (row,) in connection.execute(query.encode()))

    @property
    def server_log(self) -> str:
        """What the server has logged of it all."""
        return self.server.log.read_text(encoding="utf-8", errors="replace")

    def shown_in(self, text: str) -> set[str]:
        """The names of the secrets in it; of one that has only its mark left, that."""
        return find_secrets(self.secrets, text) or ({MARK} if MARK.lower() in text.lower() else set())


def canary(*, in_sql: bool = False) -> str:
    """A value with every awkward character in it."""
    return f"{MARK}{make_placeholder_password() if in_sql else AWKWARD}{secrets.token_hex(8)}"


@pytest.fixture
def stage(git_server: GitServer, aws_endpoint: AwsEndpoint, tmp_path: Path) -> Iterator[Stage]:
    settings = {"log_statement": "all", "log_min_duration_statement": "0", "log_min_messages": "debug1"}
    with temporary_directory() as directory:
        rules = directory / "hba.conf"
        rules.write_text(RULES)
        rules.chmod(0o644)
        with PostgresServer(directory / "postgres", settings=settings | {"hba_file": str(rules)}) as server:
            yield make_stage(server, git_server, aws_endpoint, tmp_path)


@pytest.fixture
def front(stage: Stage, tmp_path: Path) -> Iterator[IamFront]:
    """RDS with IAM authentication, before the server of the stage."""
    with stage.server.admin(stage.database) as connection:
        connection.execute(f"CREATE ROLE {TOKEN_USER} LOGIN".encode())
        connection.execute(f"GRANT ALL ON SCHEMA public TO {TOKEN_USER}".encode())
        connection.execute(f"GRANT ALL ON DATABASE {stage.database} TO {TOKEN_USER}".encode())
    certificate = make_server_certificate(tmp_path / "tls", IAM_NAME)
    with IamFront(
        (stage.server.host, stage.server.port),
        certificate,
        name=IAM_NAME,
        region=IAM_REGION,
        port=5432,
        secret_access_key=stage.secrets["the AWS key"],
    ) as made:
        made.users.add(TOKEN_USER)
        stage.job.environment |= {
            "DB_HOST": IAM_NAME,
            "DB_HOSTADDR": made.host,
            "DB_PORT": str(made.port),
            "DB_SSLROOTCERT": str(certificate.authority),
            "FLYWAY_IAM_PORT": "5432",
        }
        yield made


def make_stage(server: PostgresServer, git_server: GitServer, aws: AwsEndpoint, directory: Path) -> Stage:
    database, name = make_database(server, 1), f"canary-{secrets.token_hex(4)}"
    values = {
        "the deploy key": git_server.private_key,
        "the owner's password": canary(),
        "a wrong password": canary(),
        "a password in SQL": canary(in_sql=True),
        "the password of a declared user": canary(),
        "what else is in a secret": canary(),
        "the AWS key": canary(),
        "the AWS session": canary(),
    }
    with server.admin() as connection:
        connection.execute("SET log_statement = none; SET log_min_duration_statement = -1")
        password = values["the owner's password"].replace("'", "''")
        connection.execute(
            f"SET standard_conforming_strings = on; ALTER ROLE {database.user} PASSWORD '{password}'".encode()
        )
    owner = {"username": database.user, "password": values["the owner's password"]}
    aws.put_secret(f"{name}-key", values["the deploy key"])
    aws.put_secret(f"{name}-owner", owner | {"note": values["what else is in a secret"]})
    aws.put_secret(f"{name}-wrong", owner | {"password": values["a wrong password"]})
    aws.put_secret(f"{name}-in-sql", {"username": "x", "password": values["a password in SQL"]})
    aws.put_secret(
        f"{name}-declared", {"username": "canary_reader", "password": values["the password of a declared user"]}
    )
    publish(git_server.root, name, branches(name), directory / "repository")
    environment = {
        "REPOSITORY_DEPLOY_KEY_SECRET": f"{name}-key",
        "TAXIWAY_REPOSITORY_URL": git_server.url(name),
        "TAXIWAY_SSH_KNOWN_HOSTS": git_server.known_hosts,
        "REGION": aws.region,
        "DB_HOST": database.host,
        "DB_PORT": str(database.port),
        "DB_NAME": database.name,
        "DB_SSLROOTCERT": str(database.sslrootcert),
        **aws.environment,
        "AWS_SECRET_ACCESS_KEY": values["the AWS key"],
        "AWS_SESSION_TOKEN": values["the AWS session"],
        # What makes git talk
        "GIT_TRACE": "1",
        "GIT_SSH_COMMAND": "ssh -vvv",
    }
    return Stage(Job(directory, environment), server, database.name, values)


def branches(name: str) -> dict[str, dict[str, str]]:
    """Each adds to the one before it."""
    toml = TOML.replace("DECLARED", f"{name}-declared").replace("IN_SQL_SECRET", f"{name}-in-sql")
    return {
        "main": {
            "taxiway.toml": toml.replace("OWNER", f"{name}-owner"),
            "sql/V1__user.sql": "CREATE ROLE canary_writer LOGIN PASSWORD '${IN_SQL}';",
            "sql/V2__say.sql": SAYING,
        },
        "failing": {"sql/V3__last.sql": FAILING},
        "waiting": {"sql/V3__last.sql": WAITING},
        "refused": {"taxiway.toml": toml.replace("OWNER", f"{name}-wrong")},
        "token": {
            "taxiway.toml": TOML_FOR_TOKENS.replace("TOKEN_USER", TOKEN_USER),
            "sql/V1__user.sql": "CREATE TABLE first (i int);",
            "sql/V2__say.sql": "CREATE TABLE second (i int);",
            "sql/V3__last.sql": "CREATE TABLE third (i int);",
        },
        "token-failing": {"sql/V4__fails.sql": "SELECT no_such_column;"},
        "token-waiting": {"sql/V4__fails.sql": "SELECT pg_sleep(60);"},
    }


def python_that_runs(text: str, directory: Path) -> str:
    """A value of PYTHONPATH that lets Python begin with a program."""
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(text)
    return str(directory)


def test_no_secret_is_anywhere_where_it_was_not_asked_for(stage: Stage, tmp_path: Path) -> None:
    bug = python_that_runs(BUG, tmp_path / "bug")
    assert "WARNING: DB: it is ****" in stage.run("main", "--debug", exit_code=0)
    assert '"outcome": "SUCCESS"' in stage.run("main", "--log", "json", exit_code=0)
    for options in (["--debug"], ["--log", "json"], ["--output", "json"]):
        assert "violates check constraint" in stage.run("failing", *options, exit_code=1)
    for options in (["--debug"], ["--log", "json"]):
        assert "password authentication failed" in stage.run("refused", *options, exit_code=2)
        assert "RuntimeError: " in stage.run("main", *options, "-q", exit_code=70, PYTHONPATH=bug)
        stage.stop(*options, by=signal.SIGTERM, exit_code=143)
    assert stage.files == ""
    stage.stop(by=signal.SIGKILL, exit_code=-signal.SIGKILL)
    assert stage.files != "", "a process that is killed cannot clear away its checkout, which may be looked at"

    assert {name: stage.shown_in(text) for name, text in stage.outputs.items() if stage.shown_in(text)} == {}
    assert "GIT_SSH_COMMAND" in stage.children
    assert stage.shown_in(stage.children) == set()
    assert stage.shown_in(stage.files) == set()
    assert stage.shown_in(stage.rows) == set()
    # The statement is the user's own (docs/how-to/add-a-database-user.md); it also shows that statements are logged.
    assert stage.shown_in(stage.server_log) == {"a password in SQL"}
    assert "SCRAM-SHA-256$" in stage.server_log


def test_no_token_is_anywhere_but_on_its_way_to_the_server(stage: Stage, front: IamFront, tmp_path: Path) -> None:
    bug = python_that_runs(BUG.replace("settings.database.password.reveal()", "0"), tmp_path / "bug")
    assert "Result: SUCCESS, 3 applied" in stage.run("token", "--debug", exit_code=0)
    stage.run("token", "--log", "json", exit_code=0)
    for options in (["--debug"], ["--log", "json"], ["--output", "json"]):
        assert "no_such_column" in stage.run("token-failing", *options, exit_code=1)
    stage.run("token", "-q", exit_code=70, PYTHONPATH=bug)
    stage.stop(by=signal.SIGTERM, exit_code=143, branch="token-waiting")
    assert stage.files == ""
    front.users.clear()
    for options in (["--debug"], ["--log", "json"], ["--output", "json"]):
        assert "PAM authentication failed" in stage.run("token", *options, exit_code=2)

    assert len(front.tokens) == 9, "each of these runs has made its own, but for the one that was a bug"
    stage.secrets = with_tokens(stage.secrets, front)
    assert {name: stage.shown_in(text) for name, text in stage.outputs.items() if stage.shown_in(text)} == {}
    for seen in (stage.children, stage.rows, stage.server_log, stage.files):
        assert stage.shown_in(seen) == set()


def test_the_search_finds_a_token_that_a_command_shows(stage: Stage, front: IamFront, tmp_path: Path) -> None:
    output = stage.run("token", exit_code=0, PYTHONPATH=python_that_runs(LEAKS, tmp_path / "leaks"))
    stage.secrets = with_tokens(stage.secrets, front)
    assert stage.shown_in(output) == {"token 0", "signature 0", "the AWS session"}


def with_tokens(secrets: Mapping[str, str], front: IamFront) -> dict[str, str]:
    """And what the server was shown: each token, and the part of it that nobody but the signer can make."""
    tokens = {f"token {number}": token for number, token in enumerate(front.tokens)}
    signatures = {
        f"signature {number}": token.rpartition("X-Amz-Signature=")[2] for number, token in enumerate(front.tokens)
    }
    return {**secrets, **tokens, **signatures}


def test_the_search_finds_what_a_command_leaks(stage: Stage, tmp_path: Path) -> None:
    leaks = python_that_runs(LEAKS, tmp_path / "leaks")
    assert stage.shown_in(stage.server_log) == set()
    actor = stage.secrets["the password of a declared user"]

    output = stage.run("main", exit_code=0, TAXIWAY_ACTOR=actor, PYTHONPATH=leaks)

    assert stage.shown_in(output) == {"a password in SQL"}
    assert stage.shown_in(stage.children) == {"the AWS key"}
    assert stage.shown_in(stage.files) == {"the AWS key"}
    assert stage.shown_in(stage.rows) == {"the password of a declared user"}
    assert "the password of a declared user" in stage.shown_in(stage.server_log)
