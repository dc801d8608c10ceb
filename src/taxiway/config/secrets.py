"""``[secrets]`` and ``[environments.<name>.secrets]`` of ``taxiway.toml``: secrets of the job that no value names.

The secrets of database users are named where they are used: in ``[roles]`` and in references
(:mod:`taxiway.config.secret_uses`). The variables of the job name its secrets, too, and win over the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from taxiway.config.infra import TABLE as INFRA
from taxiway.config.keys import KeyCheck
from taxiway.config.table import Table, ValueKind, check_tables, load_table
from taxiway.config.task import load_task
from taxiway.model.stored_secret import SecretsSettings


@dataclass(frozen=True, slots=True)
class SecretsKey:
    """A key of the table, for the code and for the reference page; a field of :class:`SecretsSettings`.

    ``variable`` is that of the job, which wins; empty if it has none.
    """

    name: str
    kind: ValueKind
    variable: str
    help: str


_TEXT: Final = ValueKind.TEXT

KEYS: Final = (
    SecretsKey(
        "deploy_key_secret",
        _TEXT,
        "REPOSITORY_DEPLOY_KEY_SECRET",
        "Name or ARN of the secret with the private deploy key. Else, as with the next four, that of `[infra]`.",
    ),
    SecretsKey(
        "registry_secret", _TEXT, "", "Name or ARN of the secret with user name and password of an image registry."
    ),
    SecretsKey(
        "repository_owner", _TEXT, "REPOSITORY_OWNER", "Owner of the GitHub repository with the migrations."
    ),
    SecretsKey("repository_path", _TEXT, "REPOSITORY_PATH", "Name of that repository."),
    SecretsKey(
        "kms_key", _TEXT, "", "ARN or alias of the KMS key for new secrets. Default: that of the account, of AWS."
    ),
    SecretsKey("tags", ValueKind.MAP, "", "Tags of new secrets."),
    SecretsKey(
        "region", _TEXT, "", "AWS region; without it, that of `[task]`, of the environment or of the profile."
    ),
    SecretsKey(
        "profile",
        _TEXT,
        "",
        "Profile of the AWS configuration; without it, that of `[task]`, or AWS_PROFILE.",
    ),
)
TABLE: Final = Table("secrets", KEYS)
# What [infra] says of the same things, where this table has nothing: nobody has to write it twice.
_SHARED: Final = (
    "deploy_key_secret",
    "registry_secret",
    "repository_owner",
    "repository_path",
    "kms_key",
    "region",
    "profile",
)


def check_secrets_tables(document: Mapping[str, Any], check: KeyCheck) -> None:
    """Note what is wrong with the keys of every such table."""
    check_tables(document, TABLE, check)


def load_secrets(
    *, environ: Mapping[str, str], directory: Path, file: Path | None, environment: str | None
) -> SecretsSettings:
    """The table of ``taxiway.toml`` in the directory, or of ``file``, with that of the environment over it.

    What it does not have is that of ``[infra]``, where that has the same key; then region and profile are those of
    ``[task]``.

    Raises:
        UnknownEnvironment: The file has no such environment.
        ConfigError: The file cannot be used, in this part or another one.
    """
    values = load_table(TABLE, environ=environ, directory=directory, file=file, environment=environment)
    task = load_task(environ=environ, directory=directory, file=file, environment=environment)
    infra = load_table(INFRA, environ=environ, directory=directory, file=file, environment=environment)
    shared = {"region": task.region, "profile": task.profile} | {
        name: infra[name] for name in _SHARED if name in infra
    }
    variables = {key.name: environ.get(key.variable, "").strip() for key in KEYS if key.variable}
    given = {name: text for name, text in variables.items() if text}
    return SecretsSettings(**{**shared, **values, **given})
