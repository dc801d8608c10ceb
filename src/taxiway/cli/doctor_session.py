"""What ``taxiway doctor`` asks with: the services of AWS, and the project as the container would see it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from taxiway.cli.invocation import Invocation
from taxiway.config.secret_uses import find_secret_uses
from taxiway.config.secrets import load_secrets
from taxiway.errors import DatabaseError
from taxiway.model.doctor import ReachFacts
from taxiway.model.settings import DatabaseSettings, Settings
from taxiway.model.stored_secret import SecretsSettings, SecretUse
from taxiway.model.task import TaskSettings
from taxiway.ops.diagnose import Services
from taxiway.secret import Secret, reveal

if TYPE_CHECKING:
    from taxiway.aws.secrets import SecretsManager
    from taxiway.runner.job import JobSpec

_PORT: Final = 5432
# A paused Aurora is told as one that cannot be reached, and not waited for.
_CONNECT_SECONDS: Final = "15"
_FETCH_SECONDS: Final = 60


def connect(settings: TaskSettings, invocation: Invocation) -> Services:
    """The services of AWS. Nothing is asked of them yet.

    Raises:
        MissingOption, InvalidOption: There is no region, or it cannot be one.
        NoCredentials: There is no such profile.
    """
    from taxiway.aws.cloudformation import CloudFormation
    from taxiway.aws.ec2 import Ec2
    from taxiway.aws.ecs import Ecs
    from taxiway.aws.network_facts import NetworkReader
    from taxiway.aws.secret_store import SecretStore
    from taxiway.aws.server_facts import ServerReader
    from taxiway.aws.session import Place
    from taxiway.aws.task_facts import TaskFacts

    place = Place(settings.region, settings.profile)
    network = NetworkReader(place)
    return Services(
        stacks=CloudFormation(place),
        names=Ecs(place),
        addresses=Ec2(place),
        task=TaskFacts(place),
        network=network,
        servers=ServerReader(place, groups=network.get_groups),
        secrets=SecretStore(place, on_secret=invocation.redactor.add),
    )


@dataclass
class ProjectHere:
    """The ``taxiway.toml`` of this directory, with the variables of the container in the place of ours."""

    invocation: Invocation
    settings: TaskSettings
    variables: Mapping[str, str]
    file: Path | None = None
    environment: str | None = None
    branch: str | None = None

    @property
    def registry_secret(self) -> str | None:
        """That of ``[secrets]``."""
        return self._secrets.registry_secret

    def find_uses(self) -> tuple[SecretUse, ...]:
        """The secrets that the job reads.

        Raises:
            ConfigError: A file or a variable cannot be used.
        """
        return find_secret_uses(
            self._secrets,
            environ=self.variables,
            directory=Path.cwd(),
            file=self.file,
            environment=self.environment,
        )

    def find_address(self) -> tuple[str, int] | None:
        """Host and port of the database; ``None`` where libpq is left to guess.

        Raises:
            TaxiwayError: The settings cannot be used, or a secret among them cannot be had.
        """
        parameters = self._database.parameters
        host = reveal(parameters.get("host", "")) or self._of_secret("host")
        port = reveal(parameters.get("port", "")) or self._of_secret("port")
        return (host, int(port) if port.isdigit() else _PORT) if host else None

    def reach(self, host: str, port: int) -> ReachFacts:
        """Whether it can be reached from here, at the address that is set for it, as libpq does it."""
        from taxiway.postgres.reach import reach

        return reach(host, port, self._address)

    def has_expired_certificate(self, host: str, port: int) -> bool:
        """Whether the server shows a certificate that has expired."""
        from taxiway.postgres.reach import has_expired_certificate

        authorities = reveal(self._database.parameters.get("sslrootcert", ""))
        return has_expired_certificate(host, port, self._address, authorities=authorities)

    @property
    def _address(self) -> str:
        return reveal(self._database.parameters.get("hostaddr", ""))

    def log_in(self) -> str:
        """Log in as the job does, on a server that has shown who it is; the version of the server.

        Raises:
            ConfigError, DatabaseError: It does not work.
        """
        from taxiway.project import test_connection

        parameters = {"connect_timeout": _CONNECT_SECONDS, **self._database.parameters}
        settings = replace(self._loaded, database=replace(self._database, parameters=parameters))
        result = test_connection(settings, redact=self.invocation.redactor, on_event=lambda _event: None)
        return result.server_version

    def find_iam_user(self) -> str | None:
        """The database user who logs in with a token of IAM; ``None`` if it is done with a password.

        Raises:
            TaxiwayError: The settings cannot be used.
        """
        return self._database.user if self._database.auth == "iam" else None

    def may_be_waking(self, host: str, error: DatabaseError) -> bool:
        """Whether a login has failed as those do that come to a paused database."""
        from taxiway.postgres.waking import may_be_waking

        return may_be_waking(error, host)

    def find_git_host(self) -> str | None:
        """Host of the repository; ``None`` for a path.

        Raises:
            ConfigError: The variables of the container name no repository.
        """
        from taxiway.sources.git_remote import Remote

        return Remote.parse(self._url).host or None

    def is_private(self, host: str) -> bool:
        """Whether the host (``host`` or ``host:port``) may be one inside of the task's own network.

        The way there needs no route out of the network.
        """
        from taxiway.postgres.reach import is_private

        name, _, port = host.rpartition(":")
        return is_private(name if port.isdigit() and ":" not in name else host)

    def fetch(self) -> None:
        """Fetch the commit, and forget it.

        Raises:
            TaxiwayError: The job could not.
        """
        from taxiway.sources.git import GitRepository, checkout

        job = self._job
        key = self._manager.text(job.deploy_key_secret) if job.deploy_key_secret else None
        repository = GitRepository(url=self._url, private_key=key, known_hosts=job.known_hosts)
        with checkout(repository, job.branch, commit=job.commit, timeout_seconds=_FETCH_SECONDS):
            pass

    @cached_property
    def _secrets(self) -> SecretsSettings:
        settings = load_secrets(
            environ=self.variables, directory=Path.cwd(), file=self.file, environment=self.environment
        )
        return replace(settings, region=self.settings.region, profile=self.settings.profile)

    @cached_property
    def _manager(self) -> "SecretsManager":
        from taxiway.aws.errors import OPERATOR
        from taxiway.aws.secrets import SecretsManager
        from taxiway.aws.session import find_region

        return SecretsManager(
            self.settings.region or find_region(os.environ),
            on_secret=self.invocation.redactor.add,
            profile=self.settings.profile,
            identity=OPERATOR,
        )

    @cached_property
    def _loaded(self) -> Settings:
        from taxiway.config.load import load

        arguments = {"environment": self.environment} if self.environment else {}
        loaded = load(
            arguments, environ=self.variables, directory=Path.cwd(), file=self.file, secret=self._manager.get
        )
        for secret in loaded.secrets:
            self.invocation.redactor.add(secret)
        return loaded.settings

    @cached_property
    def _database(self) -> DatabaseSettings:
        """The settings of the job, with the login of a secret read here, where the profile is known."""
        from taxiway.runner.run import with_verified_server

        database = with_verified_server(self._loaded.database, self.variables)
        if not database.secret:
            return database
        user, password = self._of_secret("username"), self._of_secret("password")
        address = {
            "host": self._of_secret("host"),
            "port": self._of_secret("port"),
            "dbname": self._of_secret("dbname"),
        }
        parameters = {name: value for name, value in address.items() if value} | dict(database.parameters)
        return replace(
            database,
            user=database.user or user or None,
            password=database.password or (Secret(password) if password else None),
            parameters=parameters,
            secret="",
        )

    def _of_secret(self, key: str) -> str:
        """A key of the login's secret; empty if there is no such secret or key."""
        from taxiway.errors import SecretMalformed

        secret = self._loaded.database.secret
        if not secret:
            return ""
        try:
            return reveal(self._manager.get(secret, key))
        except SecretMalformed:
            return ""

    @cached_property
    def _job(self) -> "JobSpec":
        from taxiway.runner.job import read_job

        return read_job(self.variables, branch=self.branch)

    @property
    def _url(self) -> str:
        from taxiway.sources.git import github_url

        return github_url(*self._job.github) if self._job.github else self._job.repository_url or ""
