"""What every ``taxiway task`` command accepts: where tasks run, from the command line over ``taxiway.toml``."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from taxiway.cli.table_options import given_values, place_of_file, table_options
from taxiway.config.task import TABLE, load_task
from taxiway.model.arn import find_region
from taxiway.model.task import TaskSettings

# Who somebody is in a workflow, before the name of the machine's user.
_ACTOR_VARIABLES: Final = ("TAXIWAY_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN")

target_options = table_options(TABLE)
# Those only that say where the database is.
database_options = table_options(TABLE, only=("database", "stack", "region", "profile"))


def read_settings(options: Mapping[str, object]) -> TaskSettings:
    """The settings of a call, of those options that :func:`target_options` gave it.

    Where no region is named, it is that of an ARN among them: more than the environment says of where it is.

    Raises:
        ConfigError: The file cannot be used.
    """
    settings = replace(load_task(**place_of_file(options)), **given_values(TABLE, options))
    region = settings.region or find_region(settings.cluster, settings.task_definition, settings.stack)
    return replace(settings, region=region)


def find_actor() -> str:
    """Who starts or stops a task: ``TAXIWAY_ACTOR``, the user of the workflow, or that of this machine."""
    import getpass

    for name in _ACTOR_VARIABLES:
        if actor := os.environ.get(name, "").strip():
            return actor
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError since Python 3.13
        return "unknown"
