"""``[infra]`` and ``[environments.<name>.infra]`` of ``taxiway.toml``: what ``taxiway infra`` is to build.

They are for whoever builds it; :mod:`taxiway.config.table` reads them.
"""

from collections.abc import Mapping
from typing import Any, Final, Unpack

from taxiway.config.table import ACCOUNT_KEYS, FilePlace, Key, Table, ValueKind, load_table
from taxiway.config.task import load_task
from taxiway.model.infra import BastionWish, DatabaseWish, EndpointsWish, GithubWish, InfraSettings

_TEXT, _LIST, _INTEGER = ValueKind.TEXT, ValueKind.LIST, ValueKind.INTEGER

KEYS: Final = (
    Key(
        "stack",
        _TEXT,
        "Name of the CloudFormation stack; without it, `stack` of `[task]`, or `taxiway`.",
        flag="--stack",
    ),
    *ACCOUNT_KEYS,
    Key("vpc", _TEXT, "Id of the VPC that everything goes into. Adopted."),
    Key("subnets", _LIST, "Ids of the subnets that tasks run in. Adopted."),
    Key(
        "assign_public_ip",
        ValueKind.BOOLEAN,
        "Give tasks a public address, for public subnets without a NAT gateway. Default: false.",
    ),
    Key("git_cidrs", _LIST, "Where the Git host is, as address ranges. Default: everywhere."),
    Key("git_port", _INTEGER, "The port of the Git host. Default: 22."),
    Key("cluster", _TEXT, "Name or ARN of an ECS cluster to adopt; without it, the stack has its own."),
    Key("image", _TEXT, "The image of the task, by digest: `name@sha256:…`."),
    Key("registry_secret", _TEXT, "Name or ARN of the secret with user name and password of a registry."),
    Key("cpu", _INTEGER, "CPU of a task, in units of 1/1024. Default: 256."),
    Key("memory", _INTEGER, "Memory of a task, in MiB. Default: 512."),
    Key("architecture", _TEXT, "Of the image: `X86_64`, the default, or `ARM64`."),
    Key("repository_owner", _TEXT, "Owner of the GitHub repository with the migrations."),
    Key("repository_path", _TEXT, "Name of that repository."),
    Key("repository_url", _TEXT, "Any other Git URL, instead of owner and path."),
    Key("deploy_key_secret", _TEXT, "Name or ARN of the secret with the private deploy key."),
    Key("secrets", _LIST, "Names or ARNs of the secrets that a task may read besides: those of users."),
    Key(
        "rotated_secrets",
        _LIST,
        "Names or ARNs of the secrets of declared users whose rotation a task may finish; it may read them too.",
    ),
    Key("kms_key", _TEXT, "ARN of the KMS key that these secrets are encrypted with, if it is your own."),
    Key("environment", ValueKind.MAP, "Further variables of the container. No secrets: everybody reads them."),
    Key("log_retention_days", _INTEGER, "How long logs are kept. Default: 365."),
    Key("log_kms_key", _TEXT, "ARN of a KMS key for the logs; its policy has to let CloudWatch Logs use it."),
    Key("database_host", _TEXT, "Address of an existing database. Adopted."),
    Key("database_port", _INTEGER, "Port of the database, its own one or an adopted one. Default: 5432."),
    Key("database_name", _TEXT, "Name of the database."),
    Key("database_security_group", _TEXT, "Id of its security group, which gets a rule for tasks. Adopted."),
    Key(
        "database_resource_id",
        _TEXT,
        "Its resource id, `cluster-…` or `db-…`, for logins with IAM: of an adopted one, or of a restored one.",
    ),
    Key("database_users", _LIST, "Users that a task may log in as with IAM."),
    Key("tags", ValueKind.MAP, "Tags of the stack and of all in it that can have some."),
    Key("database.subnets", _LIST, "Ids of private subnets in two zones at least. Default: `subnets`."),
    Key("database.engine_version", _TEXT, "Version of Aurora PostgreSQL. Default: 17.5."),
    Key("database.master_user", _TEXT, "Name of the first user; RDS makes its secret. Default: sqladmin."),
    Key("database.min_capacity", ValueKind.NUMBER, "Least capacity in ACU. Default: 0, which lets it pause."),
    Key("database.max_capacity", ValueKind.NUMBER, "Most capacity in ACU. Default: 4."),
    Key("database.pause_after_seconds", _INTEGER, "Idle time before a pause, 300 to 86400. Default: 300."),
    Key("database.backup_days", _INTEGER, "How long automatic backups are kept, 1 to 35. Default: 14."),
    Key("database.deletion_protection", ValueKind.BOOLEAN, "Nobody can delete it. Default: true."),
    Key("database.kms_key", _TEXT, "ARN of a KMS key for its storage and its secret; else those of AWS."),
    Key(
        "database.master_secret",
        _TEXT,
        "ARN of the secret of its first user, after a restore has brought another. Default: that of RDS.",
    ),
    Key("bastion.subnet", _TEXT, "Id of its subnet, with a way to Systems Manager. Default: the first one."),
    Key("bastion.instance_type", _TEXT, "A type with an ARM processor. Default: t4g.nano."),
    Key("github.repository", _TEXT, "`owner/name`. Default: `repository_owner`/`repository_path`."),
    Key("github.environment", _TEXT, "The environment that a workflow has to run in. Default: production."),
    Key("github.subject", _TEXT, "The whole `sub` claim, instead of repository and environment."),
    Key("github.provider", _TEXT, "ARN of the account's OIDC provider for GitHub, to adopt it."),
    Key("endpoints.subnets", _LIST, "Ids of their subnets, one in each zone. Default: `subnets`."),
    Key("endpoints.route_tables", _LIST, "Ids of the route tables of the tasks' subnets, for S3."),
    Key("endpoints.s3_prefix_list", _TEXT, "Id of the prefix list of S3 in the region, `pl-…`."),
)
TABLE: Final = Table("infra", KEYS)
_WISHES: Final[Mapping[str, type]] = {
    "database": DatabaseWish,
    "bastion": BastionWish,
    "github": GithubWish,
    "endpoints": EndpointsWish,
}


def load_infra(**place: Unpack[FilePlace]) -> InfraSettings | None:
    """The table of ``taxiway.toml`` in the directory, or of ``file``, with that of the environment over it.

    Stack, region and profile are those of ``[task]`` where the table has none. ``None``: there is no such table.

    Raises:
        UnknownEnvironment: The file has no such environment.
        ConfigError: The file cannot be used, in this part or another one.
    """
    values = load_table(TABLE, **place)
    task = load_task(**place)
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
