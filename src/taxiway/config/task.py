"""``[task]`` and ``[environments.<name>.task]`` of ``taxiway.toml``: where tasks run.

They are for whoever starts tasks; :mod:`taxiway.config.table` reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from taxiway.config.keys import KeyCheck
from taxiway.config.table import Table, ValueKind, check_tables, load_table
from taxiway.model.task import TaskSettings


@dataclass(frozen=True, slots=True)
class TaskKey:
    """A key of the table, for the code and for the reference page; it is a field of :class:`TaskSettings`."""

    name: str
    kind: ValueKind
    flag: str
    help: str


KEYS: Final = (
    TaskKey("cluster", ValueKind.TEXT, "--cluster", "Name or ARN of the ECS cluster."),
    TaskKey(
        "task_definition",
        ValueKind.TEXT,
        "--task-definition",
        "Family of the task definition, whose newest revision runs; or family:revision, or an ARN.",
    ),
    TaskKey(
        "container",
        ValueKind.TEXT,
        "--container",
        "The container that runs Taxiway; needed when several are essential.",
    ),
    TaskKey("subnets", ValueKind.LIST, "--subnet", "Subnets of the task, by id or Name tag."),
    TaskKey(
        "security_groups",
        ValueKind.LIST,
        "--security-group",
        "Its security groups, by id, group name or Name tag; without any, that of the VPC.",
    ),
    TaskKey(
        "assign_public_ip",
        ValueKind.BOOLEAN,
        "--assign-public-ip",
        "Give it a public address, for public subnets without a NAT gateway.",
    ),
    TaskKey(
        "stack",
        ValueKind.TEXT,
        "--stack",
        "A CloudFormation stack whose outputs tell what is set nowhere else.",
    ),
    TaskKey(
        "database",
        ValueKind.TEXT,
        "--database",
        "Identifier of the Aurora cluster, or of the RDS instance, that snapshots are made of.",
    ),
    TaskKey(
        "region",
        ValueKind.TEXT,
        "--region",
        "AWS region; without it, that of an ARN in another key, of the environment or of the profile.",
    ),
    TaskKey("profile", ValueKind.TEXT, "--profile", "Profile of the AWS configuration; without it, AWS_PROFILE."),
)
TABLE: Final = Table("task", KEYS)


def check_task_tables(document: Mapping[str, Any], check: KeyCheck) -> None:
    """Note what is wrong with the keys of every such table."""
    check_tables(document, TABLE, check)


def load_task(
    *, environ: Mapping[str, str], directory: Path, file: Path | None, environment: str | None
) -> TaskSettings:
    """The table of ``taxiway.toml`` in the directory, or of ``file``, with that of the environment over it.

    Raises:
        UnknownEnvironment: The file has no such environment.
        ConfigError: The file cannot be used, in this part or another one.
    """
    return TaskSettings(
        **load_table(TABLE, environ=environ, directory=directory, file=file, environment=environment)
    )
