"""Logging in with a token: a real server behind a stand-in that wants TLS and checks each token as AWS does."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sandbox.iam_front import IamFront
from sandbox.postgres import PostgresServer
from sandbox.tls import make_server_certificate
from taxiway import errors
from taxiway.aws.credentials import make_login
from taxiway.clock import SystemClock
from taxiway.model.settings import DatabaseSettings
from taxiway.postgres.connection import open_session
from taxiway.postgres.session import PostgresSession
from taxiway.postgres.url import parse_url
from taxiway.secret import Redactor, Secret
from tests.support.command import complaint, run_command
from tests.support.servers import trusting_server

REGION = "eu-west-1"
NAME = f"shop.cluster-abc123.{REGION}.rds.amazonaws.com"
USER = "taxiway_migrator"
SESSION_TOKEN = "a session token of the task role"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIASANDBOX",
    "AWS_SECRET_ACCESS_KEY": "the key of the task role",
    "AWS_SESSION_TOKEN": SESSION_TOKEN,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Rds:
    front: IamFront
    authority: Path
    redactor: Redactor
    open: Callable[[DatabaseSettings], PostgresSession]

    @property
    def settings(self) -> DatabaseSettings:
        parameters = {
            "host": NAME,
            "hostaddr": self.front.host,
            "port": str(self.front.port),
            "dbname": "postgres",
            "sslrootcert": str(self.authority),
        }
        return DatabaseSettings(user=USER, auth="iam", iam_port=5432, parameters=parameters)

    @property
    def environment(self) -> dict[str, str]:
        return ENVIRONMENT | {
            "DB_HOST": NAME,
            "DB_HOSTADDR": self.front.host,
            "DB_PORT": str(self.front.port),
            "DB_NAME": "postgres",
            "FLYWAY_AUTH": "iam",
            "DB_SSLROOTCERT": str(self.authority),
            "FLYWAY_IAM_PORT": "5432",
            "FLYWAY_USER": USER,
        }


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with trusting_server(USER) as server:
        yield server


@pytest.fixture
def rds(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rds]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    certificate = make_server_certificate(tmp_path / "tls", NAME)
    redactor = Redactor()
    front = IamFront(
        (server.host, server.port),
        certificate,
        name=NAME,
        region=REGION,
        port=5432,
        secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
    )
    front.users.add(USER)
    with front, ExitStack() as stack:

        def opener(settings: DatabaseSettings) -> PostgresSession:
            settings = parse_url(settings)
            login = make_login(settings, on_secret=redactor.add)
            return stack.enter_context(
                open_session(
                    settings,
                    clock=SystemClock(),
                    on_notice=lambda _: None,
                    on_event=lambda _: None,
                    credentials=login,
                )
            )

        yield Rds(front, certificate.authority, redactor, opener)


def test_a_token_lets_in(rds: Rds) -> None:
    assert rds.open(rds.settings).facts.user == USER
    assert len(rds.front.tokens) == 1


def test_each_connection_has_a_token_of_its_own(rds: Rds) -> None:
    session = rds.open(rds.settings)
    time.sleep(1.1)  # tokens of one second are the same
    session.reconnect()
    first, second = rds.front.tokens
    assert first != second


def test_what_is_confidential_of_a_token_is_masked_and_names_are_not(rds: Rds) -> None:
    rds.open(rds.settings)
    [token] = rds.front.tokens
    signature = token.rpartition("X-Amz-Signature=")[2]
    shown = rds.redactor(f"token {token}; user '{USER}' at '{NAME}', {SESSION_TOKEN}")
    assert signature not in shown
    assert SESSION_TOKEN not in shown
    assert f"user '{USER}' at '{NAME}'" in shown


def test_the_region_may_be_said(rds: Rds) -> None:
    with pytest.raises(errors.AuthenticationFailed):
        rds.open(replace(rds.settings, region="us-east-1"))
    assert "us-east-1" in rds.front.tokens[0]


def refusal(rds: Rds, settings: DatabaseSettings) -> str:
    with pytest.raises(errors.AuthenticationFailed, match="PAM authentication failed") as caught:
        rds.open(settings)
    assert len(rds.front.tokens) == 1
    assert caught.value.__context__ is None
    return caught.value.hint or ""


def test_a_refused_token_names_both_grants(rds: Rds) -> None:
    rds.front.users.clear()
    hint = refusal(rds, rds.settings)
    assert f"rds-db:connect on arn:aws:rds-db:{REGION}:ACCOUNT:dbuser:RESOURCE-ID/{USER}" in hint
    assert f"'GRANT rds_iam TO {USER}'" in hint


def test_a_token_for_the_port_of_the_tunnel_is_refused_with_what_to_set(rds: Rds) -> None:
    assert "iamPort" in refusal(rds, replace(rds.settings, iam_port=None))


def test_a_server_that_does_not_prove_its_name_gets_no_token(rds: Rds) -> None:
    settings = replace(rds.settings, parameters={**rds.settings.parameters, "host": NAME.replace("shop", "other")})
    with pytest.raises(errors.CertificateRejected):
        rds.open(settings)
    assert rds.front.tokens == []


def test_tls_is_verified_where_the_name_is_none_of_rds(rds: Rds) -> None:
    # The certificate has this name, too; the token is for another one.
    parameters = {**rds.settings.parameters, "host": "localhost"}
    refusal(rds, replace(rds.settings, region=REGION, parameters=parameters))
    untrusted = {name: value for name, value in parameters.items() if name != "sslrootcert"}
    with pytest.raises(errors.CertificateRejected):
        rds.open(replace(rds.settings, region=REGION, parameters=untrusted))


def test_without_credentials_the_error_is_of_aws(rds: Rds, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(errors.NoCredentials):
        rds.open(rds.settings)
    assert rds.front.tokens == []


# --- the whole command ---


def test_a_migration_with_a_token(rds: Rds, server: PostgresServer, tmp_path: Path) -> None:
    with server.admin() as connection:
        connection.execute(f"GRANT ALL ON SCHEMA public TO {USER}".encode())
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "V1__one.sql").write_text("CREATE TABLE one (n int);")
    result = run_command("migrate", "info", "--debug", directory=tmp_path, environment=rds.environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(rds.front.tokens) == 1
    for confidential in (*rds.front.tokens, rds.front.tokens[0].rpartition("=")[2], SESSION_TOKEN):
        assert confidential not in result.stdout + result.stderr


def test_the_command_line_says_what_is_missing(rds: Rds, tmp_path: Path) -> None:
    rds.front.users.clear()
    (tmp_path / "sql").mkdir()
    result = run_command("test-connection", directory=tmp_path, environment=rds.environment)
    assert "rds_iam" in complaint(result, 2, "authentication-failed")


# --- what does not go together ---


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"password": Secret("p")}, errors.InvalidOption, "password is set as well"),
        ({"url": "postgresql://u:p@h/d"}, errors.InvalidOption, "password is set as well"),
        ({"secret": "s"}, errors.InvalidOption, "secret is set as well"),
        ({"user": None}, errors.MissingOption, "needs a user"),
        ({"parameters": {}}, errors.MissingOption, "needs a host"),
        ({"parameters": {"host": "/tmp"}}, errors.InvalidOption, "no single name"),
        ({"parameters": {"host": "a,b"}}, errors.InvalidOption, "no single name"),
        ({"parameters": {"host": "h", "sslmode": "verify-ca"}}, errors.InvalidOption, "sslmode is verify-ca"),
        (
            {"url": "postgresql://h/d?sslmode=require", "parameters": {}},
            errors.InvalidOption,
            "sslmode is require",
        ),
    ],
)
def test_what_does_not_go_with_a_token_is_refused_before_anybody_is_asked(
    rds: Rds, change: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        rds.open(replace(rds.settings, **change))  # type: ignore[arg-type]
    assert rds.front.tokens == []


def test_a_weaker_mode_of_the_environment_is_refused_too(rds: Rds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "prefer")
    with pytest.raises(errors.InvalidOption, match="sslmode is prefer"):
        rds.open(rds.settings)
