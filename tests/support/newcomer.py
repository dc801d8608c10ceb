"""Somebody who has an AWS account with a network and an image in it, and a repository: all else is still to be made."""

import json
import os
import socket
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import psycopg

from sandbox.account import AccountBuilder, Ground
from sandbox.aws import AwsEndpoint
from sandbox.directory import temporary_directory
from sandbox.git_server import GitServer
from tests.support.job import publish
from tests.support.operator import Ended, run_to_end

PROGRAMS: Final = Path(sysconfig.get_path("scripts"))
_SECONDS: Final = 180


@dataclass
class Newcomer:
    """Works in ``directory``, which has the ``taxiway.toml``. The databases of the account are real servers.

    Attributes:
        port: A free one of this machine, for the database: all names are one address here.
        around: Variables for the task, with what name servers, the bundle of authorities and the known keys of
            GitHub are elsewhere. The image has them, too.
        outputs: All that was ever printed.
    """

    aws: AwsEndpoint
    git: GitServer
    directory: Path
    ground: Ground
    port: int
    around: Mapping[str, str]
    outputs: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def arriving(cls, directory: Path) -> Iterator[Self]:
        """With an account and a Git host of their own, which end with the block."""
        with (
            temporary_directory() as place,
            AwsEndpoint(place / "aws", has_databases=True) as aws,
            GitServer(place / "git") as git,
        ):
            around = {
                "DB_HOSTADDR": "127.0.0.1",
                "DB_SSLROOTCERT": str(aws.database_authorities),
                "TAXIWAY_SSH_KNOWN_HOSTS": git.known_hosts,
            }
            yield cls(aws, git, directory, AccountBuilder(aws).build_ground(around), _free_port(), around)

    def publish(self, name: str, branches: Mapping[str, Mapping[str, str]]) -> None:
        """Put a repository onto the Git host."""
        publish(self.git.root, name, branches, self.directory / "published")

    # --- the command

    @property
    def environment(self) -> dict[str, str]:
        """Of whoever calls it: AWS credentials, and nothing of the job."""
        return {
            "HOME": str(self.directory),
            "TZ": "UTC",
            "LANG": "C.UTF-8",
            "TAXIWAY_ACTOR": "alice",
            **self.aws.environment,
        }

    def call(self, *arguments: str, stdin: str = "") -> Ended:
        """Run ``taxiway …`` to its end."""
        ended = run_to_end(
            [PROGRAMS / "taxiway", *arguments],
            directory=self.directory,
            environment={"PATH": os.environ["PATH"], **self.environment},
            stdin=stdin,
            seconds=_SECONDS,
        )
        self.outputs.append(ended.stdout + ended.stderr)
        return ended

    def well(self, *arguments: str, stdin: str = "") -> Ended:
        """Run it to an end that has to be a success."""
        ended = self.call(*arguments, stdin=stdin)
        assert ended.exit_code == 0, f"{arguments}: {ended.exit_code}\n{ended.stdout}{ended.stderr}"
        return ended

    # --- what AWS shows

    def outputs_of(self, stack: str) -> dict[str, str]:
        """Of a stack."""
        [found] = self.aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}

    def clusters(self) -> dict[str, dict[str, Any]]:
        """Of databases, by name."""
        found = self.aws.client("rds").describe_db_clusters()["DBClusters"]
        return {one["DBClusterIdentifier"]: one for one in found}

    def login(self, secret: str) -> dict[str, str]:
        """The user name and the password in a secret."""
        text = self.aws.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        login: dict[str, str] = json.loads(text)
        return login

    def query(self, cluster: str, secret: str, database: str, statement: str) -> list[tuple[Any, ...]]:
        """What the database answers under its name, to whom a secret has the login of."""
        login = self.login(secret)
        with psycopg.connect(
            host=self.clusters()[cluster]["Endpoint"],
            hostaddr="127.0.0.1",
            port=self.port,
            user=login["username"],
            password=login["password"],
            dbname=database,
            sslmode="verify-full",
            sslrootcert=str(self.aws.database_authorities),
        ) as connection:
            return connection.execute(statement.encode()).fetchall()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
