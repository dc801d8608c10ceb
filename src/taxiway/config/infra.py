"""``[infra]`` and ``[environments.<name>.infra]`` of ``taxiway.toml``: what ``taxiway infra`` is to build.

They are for whoever builds it; :mod:`taxiway.config.table` reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from taxiway.config.keys import KeyCheck
from taxiway.config.table import Table, ValueKind, check_tables, load_table
from taxiway.config.task import load_task
from taxiway.model.infra import BastionWish, DatabaseWish, EndpointsWish, GithubWish, InfraSettings


@dataclass(frozen=True, slots=True)
class InfraKey:
    """A key of the table, for the code and for the reference page; a field of :class:`InfraSettings`."""

    name: str
    kind: ValueKind
    help: str


_TEXT, _LIST, _INTEGER = ValueKind.TEXT, ValueKind.LIST, ValueKind.INTEGER

KEYS: Final = (
    InfraKey("stack", _TEXT, "Name of the CloudFormation stack; without it, `stack` of `[task]`, or `taxiway`."),
    InfraKey("region", _TEXT, "AWS region; without it, that of `[task]`, of the environment or of the profile."),
    InfraKey("profile", _TEXT, "Profile of the AWS configuration; without it, that of `[task]`, or AWS_PROFILE."),
    InfraKey("vpc", _TEXT, "Id of the VPC that everything goes into. Adopted."),
    InfraKey("subnets", _LIST, "Ids of the subnets that tasks run in. Adopted."),
    InfraKey(
        "assign_public_ip",
        ValueKind.BOOLEAN,
        "Give tasks a public address, for public subnets without a NAT gateway. Default: false.",
    ),
    InfraKey("git_cidrs", _LIST, "Where the Git host is, as address ranges. Default: everywhere."),
    InfraKey("git_port", _INTEGER, "The port of the Git host. Default: 22."),
    InfraKey("cluster", _TEXT, "Name or ARN of an ECS cluster to adopt; without it, the stack has its own."),
    InfraKey("image", _TEXT, "The image of the task, by digest: `name@sha256:…`."),
    InfraKey("registry_secret", _TEXT, "Name or ARN of the secret with user name and password of a registry."),
    InfraKey("cpu", _INTEGER, "CPU of a task, in units of 1/1024. Default: 256."),
    InfraKey("memory", _INTEGER, "Memory of a task, in MiB. Default: 512."),
    InfraKey("architecture", _TEXT, "Of the image: `X86_64`, the default, or `ARM64`."),
    InfraKey("repository_owner", _TEXT, "Owner of the GitHub repository with the migrations."),
    InfraKey("repository_path", _TEXT, "Name of that repository."),
    InfraKey("repository_url", _TEXT, "Any other Git URL, instead of owner and path."),
    InfraKey("deploy_key_secret", _TEXT, "Name or ARN of the secret with the private deploy key."),
    InfraKey("secrets", _LIST, "Names or ARNs of the secrets that a task may read besides: those of users."),
    InfraKey(
        "rotated_secrets",
        _LIST,
        "Names or ARNs of the secrets of declared users whose rotation a task may finish; it may read them too.",
    ),
    InfraKey("kms_key", _TEXT, "ARN of the KMS key that these secrets are encrypted with, if it is your own."),
    InfraKey(
        "environment", ValueKind.MAP, "Further variables of the container. No secrets: everybody reads them."
    ),
    InfraKey("log_retention_days", _INTEGER, "How long logs are kept. Default: 365."),
    InfraKey("log_kms_key", _TEXT, "ARN of a KMS key for the logs; its policy has to let CloudWatch Logs use it."),
    InfraKey("database_host", _TEXT, "Address of an existing database. Adopted."),
    InfraKey("database_port", _INTEGER, "Port of the database, its own one or an adopted one. Default: 5432."),
    InfraKey("database_name", _TEXT, "Name of the database."),
    InfraKey("database_security_group", _TEXT, "Id of its security group, which gets a rule for tasks. Adopted."),
    InfraKey(
        "database_resource_id",
        _TEXT,
        "Its resource id, `cluster-…` or `db-…`, for logins with IAM: of an adopted one, or of a restored one.",
    ),
    InfraKey("database_users", _LIST, "Users that a task may log in as with IAM."),
    InfraKey("tags", ValueKind.MAP, "Tags of the stack and of all in it that can have some."),
    InfraKey("database.subnets", _LIST, "Ids of private subnets in two zones at least. Default: `subnets`."),
    InfraKey("database.engine_version", _TEXT, "Version of Aurora PostgreSQL. Default: 17.5."),
    InfraKey("database.master_user", _TEXT, "Name of the first user; RDS makes its secret. Default: sqladmin."),
    InfraKey("database.min_capacity", ValueKind.NUMBER, "Least capacity in ACU. Default: 0, which lets it pause."),
    InfraKey("database.max_capacity", ValueKind.NUMBER, "Most capacity in ACU. Default: 4."),
    InfraKey("database.pause_after_seconds", _INTEGER, "Idle time before a pause, 300 to 86400. Default: 300."),
    InfraKey("database.backup_days", _INTEGER, "How long automatic backups are kept, 1 to 35. Default: 14."),
    InfraKey("database.deletion_protection", ValueKind.BOOLEAN, "Nobody can delete it. Default: true."),
    InfraKey("database.kms_key", _TEXT, "ARN of a KMS key for its storage and its secret; else those of AWS."),
    InfraKey(
        "database.master_secret",
        _TEXT,
        "ARN of the secret of its first user, after a restore has brought another. Default: that of RDS.",
    ),
    InfraKey("bastion.subnet", _TEXT, "Id of its subnet, with a way to Systems Manager. Default: the first one."),
    InfraKey("bastion.instance_type", _TEXT, "A type with an ARM processor. Default: t4g.nano."),
    InfraKey("github.repository", _TEXT, "`owner/name`. Default: `repository_owner`/`repository_path`."),
    InfraKey("github.environment", _TEXT, "The environment that a workflow has to run in. Default: production."),
    InfraKey("github.subject", _TEXT, "The whole `sub` claim, instead of repository and environment."),
    InfraKey("github.provider", _TEXT, "ARN of the account's OIDC provider for GitHub, to adopt it."),
    InfraKey("endpoints.subnets", _LIST, "Ids of their subnets, one in each zone. Default: `subnets`."),
    InfraKey("endpoints.route_tables", _LIST, "Ids of the route tables of the tasks' subnets, for S3."),
    InfraKey("endpoints.s3_prefix_list", _TEXT, "Id of the prefix list of S3 in the region, `pl-…`."),
)
TABLE: Final = Table("infra", KEYS)
_WISHES: Final[Mapping[str, type]] = {
    "database": DatabaseWish,
    "bastion": BastionWish,
    "github": GithubWish,
    "endpoints": EndpointsWish,
}


def check_infra_tables(document: Mapping[str, Any], check: KeyCheck) -> None:
    """Note what is wrong with the keys of every such table."""
    check_tables(document, TABLE, check)


def load_infra(
    *, environ: Mapping[str, str], directory: Path, file: Path | None, environment: str | None
) -> InfraSettings | None:
    """The table of ``taxiway.toml`` in the directory, or of ``file``, with that of the environment over it.

    Stack, region and profile are those of ``[task]`` where the table has none. ``None``: there is no such table.

    Raises:
        UnknownEnvironment: The file has no such environment.
        ConfigError: The file cannot be used, in this part or another one.
    """
    values = load_table(TABLE, environ=environ, directory=directory, file=file, environment=environment)
    task = load_task(environ=environ, directory=directory, file=file, environment=environment)
    if not values:
        return None
    shared = {"stack": task.stack, "region": task.region, "profile": task.profile}
    given = {name: value for name, value in shared.items() if value is not None} | values
    outer = {name: value for name, value in given.items() if "." not in name and name not in _WISHES}
    wishes = {name: wish(**_inner(given, name)) for name, wish in _WISHES.items() if _is_given(given, name)}
    return InfraSettings(**outer, **wishes)


def _is_given(values: Mapping[str, Any], table: str) -> bool:
    return table in values or any(name.startswith(f"{table}.") for name in values)


def _inner(values: Mapping[str, Any], table: str) -> dict[str, Any]:
    prefix = f"{table}."
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
