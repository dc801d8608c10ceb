"""What is wanted, looked through before anything is made of it: what is missing, impossible, contradicting."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from taxiway import errors
from taxiway.model.infra import DatabaseWish, EndpointsWish, GithubWish, InfraSettings

# CreateStack, "StackName"
_STACK: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_IMAGE: Final = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
# "Tag naming limits" (AWS manual)
_TAG: Final = re.compile(r"[\w .:/=+@-]{0,256}")
# PutRetentionPolicy, "retentionInDays"
RETENTION_DAYS: Final = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)
# "Task CPU and memory" on Fargate (ECS manual): MiB by CPU units
_MEMORY: Final = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
}
# What the template sets itself: the six names of the tutorial.
SET_BY_TEMPLATE: Final = frozenset(
    {
        "DB_HOST",
        "DB_NAME",
        "DB_PORT",
        "REGION",
        "REPOSITORY_DEPLOY_KEY_SECRET",
        "REPOSITORY_OWNER",
        "REPOSITORY_PATH",
        "TAXIWAY_REPOSITORY_URL",
    }
)
# "Automatic pause and resume" (Aurora manual): from these minor versions on, by major version
_PAUSING: Final = {13: 15, 14: 12, 15: 7, 16: 3, 17: 4}

type _Problems = Iterator[errors.ConfigError]


def check_settings(settings: InfraSettings) -> None:
    """Refuse settings that no stack can be made of; all that is wrong is told at once.

    Raises:
        MissingOption: Something is needed and not set.
        InvalidOption: A value cannot be, or contradicts another one.
    """
    checks: tuple[Callable[[InfraSettings], _Problems], ...] = (_needed, _task, _database, _optional)
    problems = [problem for check in checks for problem in check(settings)]
    if problems:
        first, *others = problems
        raise first.with_others(others)


def _needed(settings: InfraSettings) -> _Problems:
    needed = {
        "vpc": settings.vpc,
        "subnets": settings.subnets,
        "image": settings.image,
        "database_name": settings.database_name,
    }
    for key, value in needed.items():
        if not value:
            yield _missing(key)
    if not settings.repository_url and not (settings.repository_owner and settings.repository_path):
        yield _missing("repository_owner and infra.repository_path, or infra.repository_url")
    if settings.repository_url and (settings.repository_owner or settings.repository_path):
        yield _invalid("repository_url", "stands beside repository_owner or repository_path", "Keep one of them.")


def _task(settings: InfraSettings) -> _Problems:
    if not _STACK.fullmatch(settings.stack):
        yield _invalid("stack", "cannot be the name of a stack", "Use letters, digits and hyphens.")
    if settings.image and not _IMAGE.fullmatch(settings.image):
        words = "does not name the image by its digest, so that it could be another one tomorrow"
        yield _invalid("image", words, "Write name@sha256:… as 'docker buildx imagetools inspect' shows it.")
    if settings.memory not in _MEMORY.get(settings.cpu, ()):
        known = ", ".join(map(str, _MEMORY.get(settings.cpu, ()))) or "none; cpu is one of " + ", ".join(
            map(str, _MEMORY)
        )
        yield _invalid("memory", f"is none that Fargate has for {settings.cpu} CPU units", f"Choose of: {known}.")
    if settings.architecture not in {"X86_64", "ARM64"}:
        yield _invalid("architecture", "is none that Fargate has", "Write X86_64 or ARM64.")
    if settings.log_retention_days not in RETENTION_DAYS:
        known = ", ".join(map(str, sorted(RETENTION_DAYS)))
        yield _invalid("log_retention_days", "is none that CloudWatch Logs has", f"Choose of: {known}.")
    for name in (name for name, value in settings.tags.items() if not _TAG.fullmatch(value)):
        yield _invalid(f"tags.{name}", "has characters that no tag may have", "Use letters, digits and .:/=+-@_.")
    for name in sorted(SET_BY_TEMPLATE & settings.environment.keys()):
        yield _invalid(f"environment.{name}", "is set by other keys of [infra]", "Remove it, and set those.")


def _database(settings: InfraSettings) -> _Problems:
    adopted = {
        "database_host": settings.database_host,
        "database_security_group": settings.database_security_group,
    }
    if settings.database is None:
        for key, value in adopted.items():
            if not value:
                yield _missing(key, " for an existing database, or a table [infra.database] for a new one")
    else:
        for key in (key for key, value in adopted.items() if value):
            words = "is about an existing database, and [infra.database] makes a new one"
            yield _invalid(key, words, "Remove one of them.")
        yield from _own_database(settings, settings.database)
    if settings.deploy_key_secret in settings.rotated_secrets:
        yield _invalid(
            "rotated_secrets", "has the deploy key, which no run rotates", "Name secrets of users only."
        )
    if settings.database_users and not (settings.database or settings.database_resource_id):
        yield _missing("database_resource_id", " for logins with IAM")


def _own_database(settings: InfraSettings, wish: DatabaseWish) -> _Problems:
    if len(wish.subnets or settings.subnets) < 2:
        yield _invalid("database.subnets", "has less than two subnets", "Name subnets in two zones at least.")
    if not 0 <= wish.min_capacity <= wish.max_capacity or wish.max_capacity < 1:
        words = "does not fit to database.max_capacity"
        yield _invalid("database.min_capacity", words, "0 <= min_capacity <= max_capacity, and 1 <= max_capacity.")
    if wish.min_capacity == 0 and not _can_pause(wish.engine_version):
        words = f"is 0, and Aurora PostgreSQL {wish.engine_version} cannot pause"
        yield _invalid("database.min_capacity", words, "Write 0.5, or choose a newer engine_version.")
    if not 300 <= wish.pause_after_seconds <= 86400:
        yield _invalid("database.pause_after_seconds", "is out of range", "300 to 86400.")
    if not 1 <= wish.backup_days <= 35:
        yield _invalid("database.backup_days", "is out of range", "1 to 35.")


def _can_pause(version: str) -> bool:
    major, _, minor = version.partition(".")
    if not major.isdigit():
        return False
    least = _PAUSING.get(int(major), 0)
    return int(major) >= min(_PAUSING) and int(minor.partition(".")[0] or 0 if minor[:1].isdigit() else 0) >= least


def _optional(settings: InfraSettings) -> _Problems:
    if settings.github is not None:
        yield from _github(settings, settings.github)
    if settings.endpoints is not None:
        yield from _endpoints(settings.endpoints)


def _github(settings: InfraSettings, wish: GithubWish) -> _Problems:
    if wish.subject is not None:
        if re.search(r"[*?]", wish.subject) or not wish.subject.startswith("repo:"):
            words = "does not name one subject exactly: more workflows than meant could take the role"
            yield _invalid("github.subject", words, "Write repo:OWNER/NAME:environment:NAME, without * and ?.")
        return
    repository = repository_of(settings)
    if repository is None:
        yield _missing("github.repository")
    elif not _REPOSITORY.fullmatch(repository):
        yield _invalid("github.repository", "is not owner/name", "Write the two with a slash between them.")
    if re.search(r"[*?:/\s]", wish.environment):
        yield _invalid("github.environment", "is not the name of one environment", "Name exactly one.")


def _endpoints(wish: EndpointsWish) -> _Problems:
    if not wish.route_tables:
        yield _missing("endpoints.route_tables")
    if not wish.s3_prefix_list:
        yield errors.MissingOption(
            "infra.endpoints.s3_prefix_list is not set.",
            hint="Set it to what 'aws ec2 describe-managed-prefix-lists' calls com.amazonaws.REGION.s3.",
        )


def repository_of(settings: InfraSettings) -> str | None:
    """The GitHub repository of the workflows, ``owner/name``, if one is named."""
    if settings.github and settings.github.repository:
        return settings.github.repository
    if settings.repository_owner and settings.repository_path:
        return f"{settings.repository_owner}/{settings.repository_path}"
    return None


def _missing(key: str, why: str = "") -> errors.MissingOption:
    return errors.MissingOption(f"infra.{key} is not set.", hint=f"Set infra.{key}{why} in taxiway.toml.")


def _invalid(key: str, words: str, hint: str) -> errors.InvalidOption:
    return errors.InvalidOption(f"infra.{key} {words}.", hint=hint)
