"""The job in the container: secrets, one commit, info, migrate, info."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from taxiway.aws.secrets import SecretsManager
from taxiway.config.load import load
from taxiway.config.url import parameters_in
from taxiway.engine.ports import EventSink
from taxiway.model.result import InfoResult, MigrateResult, RunResult
from taxiway.model.settings import Settings
from taxiway.project import open_project
from taxiway.runner.job import JobSpec
from taxiway.secret import Redactor, reveal
from taxiway.sources.git import Checkout, GitRepository, checkout, github_url

# Over a network that is not ours to trust, the server proves who it is, unless the configuration says otherwise.
_SSLMODE: Final = "verify-full"
_PGSSLMODE: Final = "PGSSLMODE"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobListener:
    """Who wants to know what, while the job runs."""

    on_checkout: Callable[[Checkout], None]
    on_result: Callable[[InfoResult | MigrateResult], None]
    on_event: EventSink


def run(spec: JobSpec, *, environment: Mapping[str, str], redactor: Redactor, listener: JobListener) -> RunResult:
    """Do the job. Every secret that is fetched is made known to the redactor before it is used.

    Raises:
        TaxiwayError: Whatever stopped it; the database is in the state after the last complete migration.
    """
    secrets = SecretsManager(spec.region, on_secret=redactor.add)
    with checkout(_repository(spec, secrets), spec.branch) as commit:
        listener.on_checkout(commit)
        loaded = load({}, environ=environment, directory=commit.directory, secret=secrets.get)
        for secret in loaded.secrets:
            redactor.add(secret)
        settings = _with_verified_server(loaded.settings, environment)
        with open_project(
            settings,
            base=commit.directory,
            inside=commit.directory,
            redact=redactor,
            on_event=listener.on_event,
        ) as project:
            before = project.info()
            listener.on_result(before)
            migrated = project.migrate()
            listener.on_result(migrated)
            after = project.info()
            listener.on_result(after)
    return RunResult(
        repository=commit.repository,
        branch=commit.branch,
        commit=commit.commit,
        before=before,
        migrate=migrated,
        after=after,
    )


def _repository(spec: JobSpec, secrets: SecretsManager) -> GitRepository:
    url = github_url(*spec.github) if spec.github else spec.repository_url or ""
    key = secrets.text(spec.deploy_key_secret) if spec.deploy_key_secret else None
    return GitRepository(url=url, private_key=key, known_hosts=spec.known_hosts)


def _with_verified_server(settings: Settings, environment: Mapping[str, str]) -> Settings:
    database = settings.database
    if _PGSSLMODE in environment or "sslmode" in parameters_in(reveal(database.url)):
        return settings
    parameters = {"sslmode": _SSLMODE} | dict(database.parameters)
    return replace(settings, database=replace(database, parameters=parameters))
