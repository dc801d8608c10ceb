"""What every ``taxiway task`` command accepts: where tasks run, from the command line over ``taxiway.toml``."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from taxiway.cli.commands.options import call_options
from taxiway.config.table import ValueKind
from taxiway.config.task import KEYS, TaskKey, load_task
from taxiway.model.arn import find_region
from taxiway.model.task import TaskSettings

_OF_A_DATABASE: Final = ("database", "stack", "region", "profile")

type Command = Callable[..., Any]

# Who somebody is in a workflow, before the name of the machine's user.
_ACTOR_VARIABLES: Final = ("TAXIWAY_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN")


def target_options(command: Command) -> Command:
    """Give a command every key of ``[task]``, ``--env``, ``--config``, and the options of how the call answers."""
    return _options_of(KEYS, command)


def database_options(command: Command) -> Command:
    """The same with those keys only that say where the database is."""
    return _options_of([key for key in KEYS if key.name in _OF_A_DATABASE], command)


def _options_of(keys: Sequence[TaskKey], command: Command) -> Command:
    for key in reversed(keys):
        command = _option(key)(command)
    return call_options(_env_option(_config_option(command)))


def refuse_empty[T](_context: click.Context, parameter: click.Parameter, value: T) -> T:
    """A callback of click: what is given has to be something, or it would count as not given.

    Raises:
        BadParameter: It is an empty text, most likely that of a variable which is not set.
    """
    given = value if isinstance(value, tuple) else (value,)
    if any(isinstance(one, str) and not one.strip() for one in given):
        raise click.BadParameter("it is empty. Is a variable of the shell not set?", param=parameter)
    return value


_env_option = click.option(
    "--env",
    "environment",
    metavar="NAME",
    callback=refuse_empty,
    help="Let [environments.NAME.task] win over [task].",
)
_config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file instead of ./taxiway.toml.",
)


def _option(key: TaskKey) -> Callable[[Command], Command]:
    match key.kind:
        case ValueKind.BOOLEAN:
            negative = f"--no-{key.flag.removeprefix('--')}"
            return click.option(f"{key.flag}/{negative}", key.name, default=None, help=key.help)
        case ValueKind.LIST:
            more = " May be given several times."
            return click.option(
                key.flag, key.name, multiple=True, metavar="NAME", callback=refuse_empty, help=key.help + more
            )
        case _:
            return click.option(key.flag, key.name, metavar="NAME", callback=refuse_empty, help=key.help)


def read_settings(options: Mapping[str, object]) -> TaskSettings:
    """The settings of a call, of those options that :func:`target_options` gave it.

    Where no region is named, it is that of an ARN among them: more than the environment says of where it is.

    Raises:
        ConfigError: The file cannot be used.
    """
    environment, config_file = options["environment"], options["config_file"]
    settings = load_task(
        environ=os.environ,
        directory=Path.cwd(),
        file=config_file if isinstance(config_file, Path) else None,
        environment=environment if isinstance(environment, str) else None,
    )
    given: dict[str, Any] = {key.name: options.get(key.name) for key in KEYS}
    settings = replace(settings, **{name: value for name, value in given.items() if value not in (None, ())})
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
