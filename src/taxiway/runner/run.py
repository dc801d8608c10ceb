"""The job in the container: secrets, one commit, info, migrate, info."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from taxiway import __version__, errors
from taxiway.aws.secrets import SecretsManager
from taxiway.aws.task_metadata import read_task_metadata
from taxiway.config.load import load
from taxiway.config.merge import Loaded
from taxiway.engine.ports import EventSink
from taxiway.model.info import InfoResult
from taxiway.model.ledger import RunOrigin, make_run_id
from taxiway.model.result import MigrateResult, RunResult
from taxiway.model.settings import DatabaseSettings, MigrationSettings, Settings
from taxiway.postgres.certificates import RDS_CA_BUNDLE
from taxiway.project import Project, open_project
from taxiway.runner.job import JobSpec
from taxiway.secret import Redactor, Secret, reveal
from taxiway.sources.git import Checkout, GitRepository, checkout, github_url

# Over a network that is not ours to trust, the server proves who it is, unless the configuration says otherwise.
_SSLMODE: Final = "verify-full"
_VERIFYING: Final = frozenset({"verify-ca", "verify-full"})
# Here the setting is passed over in files: whoever may push must not decide what the task runs.
_LET_PROGRAMS_RUN: Final = (
    "Set FLYWAY_SCRIPT_MIGRATIONS=true in the environment of the task definition if they may run in the "
    "container, or move them out of the locations."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobListener:
    """Who wants to know what, while the job runs."""

    on_step: Callable[[str], None]
    on_checkout: Callable[[Checkout], None]
    on_configuration: Callable[[Loaded], None]
    on_result: Callable[[InfoResult | MigrateResult, MigrationSettings], None]
    on_event: EventSink
    on_origin: Callable[[RunOrigin], None]


def run(spec: JobSpec, *, environment: Mapping[str, str], redactor: Redactor, listener: JobListener) -> RunResult:
    """Do the job. Every secret that is fetched is made known to the redactor before it is used.

    Raises:
        TaxiwayError: Whatever stopped it; the database is in the state after the last complete migration.
    """
    secrets = SecretsManager(spec.region, on_secret=redactor.add)
    if spec.deploy_key_secret:
        listener.on_step(f"Reading the deploy key from the secret {spec.deploy_key_secret} ...")
    repository = _repository(spec, secrets)
    listener.on_step(f"Fetching {_what_is_fetched(spec)} ...")
    with checkout(repository, spec.branch, commit=spec.commit) as commit:
        listener.on_checkout(commit)
        origin = _origin(spec, commit, environment)
        listener.on_origin(origin)
        settings = _configure(commit, environment, secrets, redactor, listener)
        listener.on_step("Connecting to the database ...")
        with _open_project(commit, settings, redactor, listener, origin) as project:
            before, migrated, after = _migrate(project, settings.migrations, listener)
    return RunResult(
        repository=commit.repository,
        branch=commit.branch,
        commit=commit.commit,
        before=before,
        migrate=migrated,
        after=after,
    )


def _what_is_fetched(spec: JobSpec) -> str:
    if spec.commit:
        return f"commit {spec.commit}"
    return f"branch {spec.branch}" if spec.branch else "the default branch"


def _origin(spec: JobSpec, commit: Checkout, environment: Mapping[str, str]) -> RunOrigin:
    task = read_task_metadata(environment)
    return RunOrigin(
        run_id=make_run_id(datetime.now(UTC), os.urandom(10)),
        version=__version__,
        command="run",
        repository=commit.repository,
        branch=commit.branch,
        commit=commit.commit,
        actor=spec.actor,
        task_arn=task.task_arn,
        image_digest=task.image_digest,
    )


def _configure(
    commit: Checkout,
    environment: Mapping[str, str],
    secrets: SecretsManager,
    redactor: Redactor,
    listener: JobListener,
) -> Settings:
    loaded = load({}, environ=environment, directory=commit.directory, inside=commit.directory, secret=secrets.get)
    roles = loaded.read_roles()
    passwords = (role.password for role in roles if role.password is not None)
    for secret in (*loaded.secrets, *passwords):
        redactor.add(secret)
    listener.on_configuration(loaded)
    database = with_patience(with_verified_server(loaded.settings.database, environment))
    return replace(loaded.settings, database=database, roles=roles)


@contextmanager
def _open_project(
    commit: Checkout, settings: Settings, redactor: Redactor, listener: JobListener, origin: RunOrigin
) -> Iterator[Project]:
    try:
        with open_project(
            settings,
            base=commit.directory,
            inside=commit.directory,
            redact=redactor,
            on_event=listener.on_event,
            run=origin if settings.ledger.enabled is not False else None,
        ) as project:
            yield project
    except errors.ScriptMigrationsDisabled as error:
        error.hint = _LET_PROGRAMS_RUN
        raise


def _migrate(
    project: Project, settings: MigrationSettings, listener: JobListener
) -> tuple[InfoResult, MigrateResult, InfoResult]:
    before = project.info()
    listener.on_result(before, settings)
    migrated = project.migrate()
    listener.on_result(migrated, settings)
    after = project.info()
    listener.on_result(after, settings)
    return before, migrated, after


def _repository(spec: JobSpec, secrets: SecretsManager) -> GitRepository:
    url = github_url(*spec.github) if spec.github else spec.repository_url or ""
    key = secrets.text(spec.deploy_key_secret) if spec.deploy_key_secret else None
    return GitRepository(url=url, private_key=key, known_hosts=spec.known_hosts)


def with_verified_server(database: DatabaseSettings, environment: Mapping[str, str]) -> DatabaseSettings:
    """The settings with ``sslmode=verify-full``, and the authorities of RDS to verify with.

    Each of the two is a default: the settings, their URL and libpq's own variables win. libpq's default file in
    the home directory does not; whose home that is should not decide whom the job trusts.

    Raises:
        InvalidOption: The URL cannot be understood.
    """
    from taxiway.postgres.url import parse_url  # loads libpq

    database = parse_url(database)
    parameters: dict[str, str | Secret] = {"sslmode": environment.get("PGSSLMODE") or _SSLMODE}
    parameters |= database.parameters
    if reveal(parameters["sslmode"]) in _VERIFYING and not environment.get("PGSSLROOTCERT"):
        parameters.setdefault("sslrootcert", str(RDS_CA_BUNDLE))
    return replace(database, parameters=parameters)


def with_patience(database: DatabaseSettings) -> DatabaseSettings:
    """The settings, taken apart before, with time for a paused Aurora to wake up, unless they say how much.

    A secret without a host beside it is one of RDS.
    """
    from taxiway.model.endpoint import find_rds_endpoint
    from taxiway.postgres.waking import SECONDS

    host = reveal(database.parameters.get("host", ""))
    if database.wake_seconds is None and (find_rds_endpoint(host) or (database.secret and not host)):
        return replace(database, wake_seconds=SECONDS)
    return database
