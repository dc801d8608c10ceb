"""``[secrets]`` and ``[environments.<name>.secrets]`` of ``taxiway.toml``: secrets of the job that no value names.

The secrets of database users are named where they are used: in ``[roles]`` and in references
(:mod:`taxiway.config.secret_uses`). The variables of the job name its secrets, too, and win over the table.
"""

from collections.abc import Mapping
from typing import Any, Final, Unpack

from taxiway.config.infra import TABLE as INFRA
from taxiway.config.table import ACCOUNT_KEYS, FilePlace, Key, Table, ValueKind, load_table
from taxiway.config.task import load_task
from taxiway.model.stored_secret import SecretsSettings

_TEXT: Final = ValueKind.TEXT

KEYS: Final = (
    Key(
        "deploy_key_secret",
        _TEXT,
        "Name or ARN of the secret with the private deploy key. Else, as with the next four, that of `[infra]`.",
        variable="REPOSITORY_DEPLOY_KEY_SECRET",
    ),
    Key("registry_secret", _TEXT, "Name or ARN of the secret with user name and password of an image registry."),
    Key(
        "repository_owner",
        _TEXT,
        "Owner of the GitHub repository with the migrations.",
        variable="REPOSITORY_OWNER",
    ),
    Key("repository_path", _TEXT, "Name of that repository.", variable="REPOSITORY_PATH"),
    Key("kms_key", _TEXT, "ARN or alias of the KMS key for new secrets. Default: that of the account, of AWS."),
    Key("tags", ValueKind.MAP, "Tags of new secrets."),
    *ACCOUNT_KEYS,
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


def load_secrets(**place: Unpack[FilePlace]) -> SecretsSettings:
    """The table of ``taxiway.toml`` in the directory, or of ``file``, with that of the environment over it.

    What it does not have is that of ``[infra]``, where that has the same key; then region and profile are those of
    ``[task]``. The variables of the job win over both (:func:`find_overruled`).

    Raises:
        UnknownEnvironment: The file has no such environment.
        ConfigError: The file cannot be used, in this part or another one.
    """
    return SecretsSettings(**{**_written(**place), **_variables(place["environ"])})


def find_overruled(**place: Unpack[FilePlace]) -> dict[str, str]:
    """A warning for each key that a variable gives another value than the file does, which may be a mistake.

    Raises:
        ConfigError: As :func:`load_secrets`.
    """
    written, given = _written(**place), _variables(place["environ"])
    return {
        key.name: f"{key.name} = '{written[key.name]}' is passed over: {key.variable} is '{given[key.name]}'."
        for key in KEYS
        if key.name in given and written.get(key.name) not in (None, given[key.name])
    }


def _written(**place: Unpack[FilePlace]) -> dict[str, Any]:
    """What the file says, in this table and in those that it shares keys with."""
    values = load_table(TABLE, **place)
    task = load_task(**place)
    infra = load_table(INFRA, **place)
    shared = {"region": task.region, "profile": task.profile} | {
        name: infra[name] for name in _SHARED if name in infra
    }
    return {**shared, **values}


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    variables = {key.name: environ.get(key.variable, "").strip() for key in KEYS if key.variable}
    return {name: text for name, text in variables.items() if text}
