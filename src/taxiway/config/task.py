"""``[task]`` and ``[environments.<name>.task]`` of ``taxiway.toml``: where tasks run.

They are for whoever starts tasks; :mod:`taxiway.config.table` reads them.
"""

from typing import Final, Unpack

from taxiway.config.table import FilePlace, Key, Table, ValueKind, load_table
from taxiway.model.task import TaskSettings

_TEXT: Final = ValueKind.TEXT
KEYS: Final = (
    Key("cluster", _TEXT, "Name or ARN of the ECS cluster.", flag="--cluster"),
    Key(
        "task_definition",
        _TEXT,
        "Family of the task definition, whose newest revision runs; or family:revision, or an ARN.",
        flag="--task-definition",
    ),
    Key(
        "container",
        _TEXT,
        "The container that runs Taxiway; needed when several are essential.",
        flag="--container",
    ),
    Key("subnets", ValueKind.LIST, "Subnets of the task, by id or Name tag.", flag="--subnet"),
    Key(
        "security_groups",
        ValueKind.LIST,
        "Its security groups, by id, group name or Name tag; without any, that of the VPC.",
        flag="--security-group",
    ),
    Key(
        "assign_public_ip",
        ValueKind.BOOLEAN,
        "Give it a public address, for public subnets without a NAT gateway.",
        flag="--assign-public-ip",
    ),
    Key("stack", _TEXT, "A CloudFormation stack whose outputs tell what is set nowhere else.", flag="--stack"),
    Key(
        "database",
        _TEXT,
        "Identifier of the Aurora cluster, or of the RDS instance, that snapshots are made of.",
        flag="--database",
    ),
    Key(
        "region",
        _TEXT,
        "AWS region; without it, that of an ARN in another key, of the environment or of the profile.",
        flag="--region",
    ),
    Key("profile", _TEXT, "Profile of the AWS configuration; without it, AWS_PROFILE.", flag="--profile"),
)
TABLE: Final = Table("task", KEYS)


def load_task(**place: Unpack[FilePlace]) -> TaskSettings:
    """The table of ``taxiway.toml`` in the directory, or of ``file``, with that of the environment over it.

    Raises:
        UnknownEnvironment: The file has no such environment.
        ConfigError: The file cannot be used, in this part or another one.
    """
    return TaskSettings(**load_table(TABLE, **place))
