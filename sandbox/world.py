"""Everything that one migration task meets: a database, a Git host with the sample project, an AWS account.

The names of the secrets and of the task's variables are those of the tutorial that Taxiway comes from, so that
a task definition written for it works here.
"""

import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from sandbox.account import Account, AccountBuilder, BuiltImage
from sandbox.aws import AwsEndpoint
from sandbox.directory import make_directory
from sandbox.git_server import GitServer
from sandbox.password import make_password, make_placeholder_password
from sandbox.postgres import PostgresServer
from sandbox.process import ProcessRecord, end_kept
from sandbox.repository import make_repository

if TYPE_CHECKING:
    import psycopg

REPOSITORY: Final = "sample-project"
DEPLOY_KEY_SECRET: Final = "github@deploy-key@sample-project"
REGISTRY_SECRET: Final = "registry@pull"

# Which secret has the user name and password of which database user.
USER_SECRETS: Final = {
    "sqladmin": "postgresql@auroradb@master@sqladmin",
    "read_only": "postgresql@auroradb@master@read_only",
    "sample_application": "postgresql@auroradb@sample@sample_application",
}
_OWNER: Final = "sqladmin"


class World:
    """All parts together: ``with World() as world``.

    Attributes:
        directory: Everything lies below it; removed at the end.
        database: The database's name; it exists, is empty and belongs to ``sqladmin``.
        passwords: By database user. Only ``sqladmin`` exists so far; the sample project makes the others.
        commits: The commit id of each branch of the sample project, once the world was started.
    """

    def __init__(self, *, database: str = "sample") -> None:
        """Nothing starts yet."""
        self.database = database
        self.directory = make_directory()
        self.postgres = PostgresServer(self.directory / "postgres")
        self.git = GitServer(self.directory / "git")
        self.aws = AwsEndpoint(self.directory / "aws")
        self.passwords = {user: make_placeholder_password() for user in USER_SECRETS} | {_OWNER: make_password()}
        self.registry_password = make_password()
        self.commits: dict[str, str] = {}
        self._is_kept = False

    def start(self) -> Self:
        """Start all parts at once.

        Raises:
            StartFailed: One did not start; the others are ended.
        """
        pool = ThreadPoolExecutor()
        try:
            with _deferred_interruptions():
                # In this order, because the first takes longest.
                starts = [pool.submit(start) for start in (self._start_aws, self._start_postgres, self._start_git)]
            for start in starts:
                start.result()
            self.aws.put_secret(DEPLOY_KEY_SECRET, self.git.private_key)
        except BaseException:
            # A part that is still starting, because we were interrupted, could not be ended.
            pool.shutdown()
            self.stop()
            raise
        pool.shutdown()
        return self

    def stop(self) -> None:
        """End every part and remove the directory. Harmless when it was done before."""
        for part in (self.git, self.postgres, self.aws):
            part.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if not self._is_kept:
            self.stop()

    def _start_aws(self) -> None:
        self.aws.start()
        for user, secret in USER_SECRETS.items():
            self.aws.put_secret(secret, {"username": user, "password": self.passwords[user]})

    def _start_postgres(self) -> None:
        self.postgres.start()
        self.postgres.create_user(_OWNER, self.passwords[_OWNER])
        self.postgres.create_database(self.database, _OWNER)

    def _start_git(self) -> None:
        self.git.start()
        self.commits = make_repository(self.git.root / f"{REPOSITORY}.git")

    # --- what a task and a test see of it ---

    @cached_property
    def account(self) -> Account:
        """Cluster, roles, network and task definition, made when somebody first asks: it takes a few seconds."""
        return self.build_account()

    def build_account(self, image: BuiltImage | None = None) -> Account:
        """Make the account, once, instead of asking for :attr:`account`, so that tasks run this image.

        The authority of the database's server has to be in it, and ``DB_SSLROOTCERT`` to say where.
        """
        environment = self.job_environment()
        if image:
            del environment["DB_SSLROOTCERT"]
        self.aws.put_secret(REGISTRY_SECRET, {"username": "pull", "password": self.registry_password})
        return AccountBuilder(self.aws).build(
            environment=environment,
            secrets=(DEPLOY_KEY_SECRET, *USER_SECRETS.values()),
            registry_secret=REGISTRY_SECRET,
            image=image,
        )

    def operator_environment(self) -> dict[str, str]:
        """What somebody who starts tasks has in the environment; nothing of the job.

        The region under both names, as in a container on Fargate: boto3 knows only the second.
        """
        return {**self.aws.environment, "AWS_DEFAULT_REGION": self.aws.region}

    def task_environment(self) -> dict[str, str]:
        """The variables of a task that runs outside of the account: those of the job, and AWS credentials.

        For a process that starts with a clean environment; add ``PATH`` and the like.
        """
        return {**self.job_environment(), **self.aws.environment}

    def job_environment(self) -> dict[str, str]:
        """The variables of the task definition. No secret value is among them."""
        return {
            "REGION": self.aws.region,
            "REPOSITORY_DEPLOY_KEY_SECRET": DEPLOY_KEY_SECRET,
            "TAXIWAY_REPOSITORY_URL": self.git.url(REPOSITORY),
            "TAXIWAY_SSH_KNOWN_HOSTS": self.git.known_hosts,
            "DB_HOST": self.postgres.host,
            "DB_PORT": str(self.postgres.port),
            "DB_NAME": self.database,
            "DB_SSLROOTCERT": str(self.postgres.authority),
        }

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that nothing may show, to search outputs for."""
        return (
            *self.passwords.values(),
            self.postgres.superuser_password,
            self.registry_password,
            self.git.private_key,
            self.aws.secret_access_key,
        )

    def connect(self, user: str = _OWNER) -> "psycopg.Connection":
        """A connection to the database as that user, with the password of the user's secret."""
        return self.postgres.connect(user, self.passwords[user], self.database)

    # --- left running ---

    def keep(self, state_file: Path) -> None:
        """From now on, leave everything running at the end of the ``with`` block; write down how to end it.

        The file is JSON and readable by its owner only, because it has the credentials of the AWS endpoint.
        """
        parts = (self.git, self.postgres, self.aws)
        state = {
            "directory": str(self.directory),
            "processes": [asdict(part.process.record()) for part in parts],
            "ports": {"postgres": self.postgres.port, "git": self.git.port, "aws": self.aws.port},
            "urls": {
                "postgres": self.postgres.url(_OWNER, self.database),
                "git": self.git.url(REPOSITORY),
                "aws": self.aws.url,
            },
            "directories": {
                "postgres": str(self.postgres.directory),
                "git": str(self.git.root),
                "aws": str(self.aws.directory),
            },
            "environment": self.task_environment(),
        }
        _write_private(state_file, json.dumps(state, indent=2) + "\n")
        self._is_kept = True

    @staticmethod
    def stop_kept(state_file: Path) -> None:
        """End a kept world, from any process of the same user, and remove its directory and the state file."""
        state = json.loads(state_file.read_text())
        for process in state["processes"]:
            end_kept(ProcessRecord(**process | {"signals": tuple(process["signals"])}))
        shutil.rmtree(state["directory"], ignore_errors=True)
        state_file.unlink()


@contextmanager
def _deferred_interruptions() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM come at the end of the block only.

    A pool that is interrupted while it starts a thread does not know the thread, and cannot wait for it.
    """
    if threading.current_thread() is not threading.main_thread():
        # Handlers run in the main thread, so this one cannot be interrupted.
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    came: list[int] = []
    handlers = [signal.signal(number, lambda number, _frame: came.append(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)
        for missed in came:
            signal.raise_signal(missed)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, and that appears whole or not at all."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(draft).replace(path)
