"""Keys and passwords that are made here really work: they clone, and they log in."""

import json
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from sandbox.aws import AwsEndpoint
from sandbox.git_server import GitServer
from sandbox.password import make_password
from tests.support.assumed_role import assume
from tests.support.fake_github import REPOSITORY, TOKEN, fake_github
from tests.support.job import Job, publish
from tests.support.keeper import Keeper
from tests.support.pytest_sandbox import Database

_FILE: Final = """
[database]
host = "${env:DB_HOST}"
name = "${env:DB_NAME}"
user = "${secret:OWNER#username}"
password = "${secret:OWNER#password}"

[roles.USER]
secret = "users/USER"
grants = "read"

[secrets]
deploy_key_secret = "keys/USER"
tags = {team = "data"}
"""


class Place:
    """A project, its database and its Git host; the key and the password of the user are still to be made."""

    def __init__(self, database: Database, git: GitServer, aws: AwsEndpoint, directory: Path) -> None:
        self.database, self.git, self.aws = database, git, aws
        self.user = f"reader_{database.name}_{directory.name}".replace("-", "_")[:60]
        self.key, self.secret, owner = f"keys/{self.user}", f"users/{self.user}", f"owners/{self.user}"
        aws.put_secret(owner, {"username": database.user, "password": database.password})
        toml = _FILE.replace("OWNER", owner).replace("USER", self.user)
        files = {"sql/V1__t.sql": "CREATE TABLE t (i int);", "taxiway.toml": toml}
        publish(git.root, self.user, {"main": files}, directory / "repository")
        self.keeper = Keeper(directory, aws, {"DB_HOST": database.host, "DB_NAME": database.name})
        self.keeper.write(toml)
        self.job = Job(
            directory,
            {
                "REPOSITORY_DEPLOY_KEY_SECRET": self.key,
                "TAXIWAY_REPOSITORY_URL": git.url(self.user),
                "TAXIWAY_SSH_KNOWN_HOSTS": git.known_hosts,
                "REGION": aws.region,
                "DB_HOST": database.host,
                "DB_PORT": str(database.port),
                "DB_NAME": database.name,
                "DB_SSLROOTCERT": str(database.sslrootcert),
                **aws.environment,
            },
        )

    def make_all(self) -> None:
        """Key and password, made by the commands."""
        made = self.keeper.call("deploy-key", "create", "--output", "json")
        assert made.exit_code == 0, made.stderr
        self.git.authorize(made.json["publicKey"])
        put = self.keeper.call("secrets", "put", self.secret, "--generate")
        assert put.exit_code == 0, put.stderr

    def have_all(self) -> None:
        """Key and password as somebody else has made them."""
        self.aws.put_secret(self.key, self.git.private_key)
        self.aws.put_secret(self.secret, {"username": self.user, "password": make_password()})

    def password(self, stage: str = "AWSCURRENT") -> str:
        password: str = self.keeper.content(self.secret, stage)["password"]
        return password

    def can_log_in(self, password: str) -> bool:
        try:
            self.database.server.connect(self.user, password, self.database.name).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error):
                raise
            return False
        return True

    def pending(self) -> bool:
        described = self.aws.client("secretsmanager").describe_secret(SecretId=self.secret)
        stages: dict[str, list[str]] = described["VersionIdsToStages"]
        return any("AWSPENDING" in one and "AWSCURRENT" not in one for one in stages.values())

    def seen(self) -> str:
        log = self.database.server.log.read_text(encoding="utf-8", errors="replace")
        return f"{self.keeper.seen()}\n{self.job.children.read_text()}\n{log}"


@pytest.fixture
def place(database: Database, git_server: GitServer, aws_endpoint: AwsEndpoint, tmp_path: Path) -> Place:
    return Place(database, git_server, aws_endpoint, tmp_path)


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_key_that_is_made_here_clones_and_a_password_that_is_put_here_logs_in(place: Place, kind: str) -> None:
    made = place.keeper.call("deploy-key", "create", "--type", kind, "--output", "json")
    assert made.exit_code == 0, made.stderr
    refused = place.job.run("main")
    assert "Code: git-auth-rejected" in refused.stderr
    place.git.authorize(made.json["publicKey"])
    put = place.keeper.call("secrets", "put", place.secret, "--generate")
    assert put.exit_code == 0, put.stderr

    ended = place.job.run("main")

    assert ended.exit_code == 0, ended.output
    assert place.can_log_in(place.password())
    check = place.keeper.call("secrets", "check")
    assert (check.exit_code, check.stdout) == (0, "3 secrets checked: nothing is missing.\n")
    private = place.keeper.stored(place.key)
    lines = [line for line in private.splitlines() if not line.startswith("-----")]
    assert private.startswith("-----BEGIN OPENSSH" if kind == "ed25519" else "-----BEGIN RSA")
    seen = place.seen() + ended.output
    assert not any(secret in seen for secret in (place.password(), *lines))
    assert [*place.keeper.scratch.rglob("*")] == []
    described = place.aws.client("secretsmanager").describe_secret(SecretId=place.key)
    assert described["Tags"] == [{"Key": "team", "Value": "data"}]


def test_a_second_call_keeps_the_key_and_a_replaced_one_clones_only_when_it_is_registered(place: Place) -> None:
    place.make_all()
    first = place.keeper.stored(place.key)
    again = place.keeper.call("deploy-key", "create")
    assert again.exit_code == 0, again.stderr
    assert "Nothing was changed in it" in again.stdout
    assert place.keeper.stored(place.key) == first

    unsure = place.keeper.call("deploy-key", "create", "--replace")
    assert (unsure.exit_code, unsure.code) == (2, "not-confirmed")
    assert "without its public half at the Git host they fail" in unsure.stderr
    assert place.keeper.stored(place.key) == first
    replaced = place.keeper.call("deploy-key", "create", "--replace", "--yes", "--output", "json")
    assert replaced.exit_code == 0, replaced.stderr
    assert place.job.run("main").exit_code == 2
    place.git.authorize(replaced.json["publicKey"])
    assert place.job.run("main").exit_code == 0
    told = place.keeper.call("deploy-key", "show").stdout
    assert told.startswith(f"Secret '{place.key}' has a deploy key. The public half is:\n\nssh-")
    shown = place.keeper.call("deploy-key", "show", "--output", "json")
    assert shown.json["publicKey"].split()[:2] == replaced.json["publicKey"].split()[:2]
    assert shown.json["fingerprint"] == replaced.json["fingerprint"] != replaced.json["replacedFingerprint"]


def test_a_key_is_registered_before_it_is_stored_and_only_once(place: Place) -> None:
    arguments = ("deploy-key", "create", "--register", "--repository", REPOSITORY, "--output", "json")
    with fake_github() as github:
        wrong = place.keeper.call(*arguments, stdin="wrong-token\n", GITHUB_API_URL=github.url)
        assert (wrong.exit_code, wrong.json["error"]["taxiwayCode"]) == (1, "key-not-registered"), wrong.stdout
        secrets = place.aws.client("secretsmanager")
        with pytest.raises(secrets.exceptions.ResourceNotFoundException):
            secrets.describe_secret(SecretId=place.key)

        made = place.keeper.call(*arguments, stdin=f"{TOKEN}\n", GITHUB_API_URL=github.url)
        assert made.exit_code == 0, made.stderr
        again = place.keeper.call(*arguments, stdin=f"{TOKEN}\n", GITHUB_API_URL=github.url)
        assert again.json["registration"]["new"] is False
    [key] = github.keys
    assert key["read_only"] is True
    assert key["key"] == made.json["publicKey"]
    assert "github_pat" not in place.seen()
    assert "wrong-token" not in place.seen()


def test_a_key_that_cannot_be_stored_is_not_left_registered(place: Place) -> None:
    place.aws.add_fault("api-error", action="secretsmanager:CreateSecret", code="EncryptionFailure")
    with fake_github() as github:
        ended = place.keeper.call(
            *("deploy-key", "create", "--register", "--repository", REPOSITORY),
            stdin=TOKEN,
            GITHUB_API_URL=github.url,
        )
    place.aws.clear_faults()
    assert (ended.exit_code, ended.code) == (2, "aws-access-denied"), ended.stderr
    assert "kms:GenerateDataKey" in ended.stderr
    assert [request.split()[0] for request in github.requests] == ["GET", "POST", "DELETE"]
    assert github.keys == []


# --- rotation


def test_a_rotation_changes_secret_and_server_together_and_in_the_next_run_only(place: Place) -> None:
    place.have_all()
    assert place.job.run("main").exit_code == 0
    first = place.password()

    begun = place.keeper.call("secrets", "rotate", place.secret, "--yes")
    assert begun.exit_code == 0, begun.stderr
    second = place.password("AWSPENDING")
    assert place.password() == first != second
    assert place.can_log_in(first)
    again = place.keeper.call("secrets", "rotate", place.secret, "--yes")
    assert "under way already" in again.stdout
    assert place.password("AWSPENDING") == second
    assert "pending: the next run finishes it" in place.keeper.call("secrets", "list").stdout

    rotated = place.job.run("main")

    assert rotated.exit_code == 0, rotated.output
    assert f'Rotated the password of role "{place.user}"' in rotated.stdout
    assert (place.password(), place.password("AWSPREVIOUS")) == (second, first)
    assert place.can_log_in(second)
    assert not place.can_log_in(first)
    assert not place.pending()
    after = place.job.run("main")
    assert f'"{place.user}"' not in after.stdout
    seen = place.seen() + rotated.output + after.output
    assert not any(password in seen for password in (first, second))


def test_a_rotation_that_is_given_up_changes_nothing(place: Place) -> None:
    place.have_all()
    assert place.keeper.call("secrets", "rotate", place.secret, "--yes").exit_code == 0
    cancelled = place.keeper.call("secrets", "rotate", place.secret, "--cancel", "--yes")
    assert cancelled.exit_code == 0, cancelled.stderr
    first = place.password()
    assert place.job.run("main").exit_code == 0
    assert place.password() == first
    assert place.can_log_in(first)
    nothing = place.keeper.call("secrets", "rotate", place.secret, "--cancel", "--yes")
    assert (nothing.exit_code, nothing.code) == (2, "rotation-refused")


@pytest.mark.parametrize("fault", [True, False])
def test_a_run_that_may_not_finish_a_rotation_leaves_secret_and_server_as_they_were(
    place: Place, fault: bool
) -> None:
    place.have_all()
    assert place.job.run("main").exit_code == 0
    first = place.password()
    assert place.keeper.call("secrets", "rotate", place.secret, "--yes").exit_code == 0
    second = place.password("AWSPENDING")

    own = place.job.environment.copy()
    if fault:
        place.aws.add_fault(
            "api-error",
            action="secretsmanager:UpdateSecretVersionStage",
            code="InternalServiceError",
            message="no",
            times=5,
        )
        ended, code, exit_code = place.job.run("main"), "aws-unreachable", 4
        place.aws.clear_faults()
    else:
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": "*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        reader = assume(place.aws, f"reader-{place.user}"[:60], policy)
        place.job.environment |= reader
        ended, code, exit_code = place.job.run("main"), "aws-access-denied", 2
        place.job.environment = own

    assert ended.exit_code == exit_code, ended.output
    assert f"Code: {code}" in ended.stderr
    assert place.password() == first
    assert place.can_log_in(first)
    assert not place.can_log_in(second)
    assert place.job.run("main").exit_code == 0
    assert place.password() == second
    assert place.can_log_in(second)


def test_another_rotation_than_ours_is_left_to_whoever_began_it(place: Place) -> None:
    place.have_all()
    assert place.job.run("main").exit_code == 0
    first = place.password()
    place.aws.client("secretsmanager").put_secret_value(
        SecretId=place.secret,
        SecretString=json.dumps({"username": place.user, "password": "by-a-function"}),
        ClientRequestToken="0" * 32,
        VersionStages=["AWSPENDING"],
    )
    refused = place.keeper.call("secrets", "rotate", place.secret, "--yes")
    assert (refused.exit_code, refused.code) == (2, "rotation-refused")
    assert place.job.run("main").exit_code == 0
    assert place.password() == first
    assert place.can_log_in(first)
