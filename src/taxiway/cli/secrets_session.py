"""What ``taxiway secrets`` and ``taxiway deploy-key`` have in common: options, and the services of a call."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from taxiway import errors
from taxiway.cli.commands.options import call_options
from taxiway.cli.invocation import Invocation
from taxiway.config.secret_uses import find_secret_uses
from taxiway.config.secrets import load_secrets
from taxiway.model.stored_secret import SecretsSettings, SecretUse

if TYPE_CHECKING:
    from taxiway.aws.secret_store import SecretStore

type Command = Callable[..., Any]

_OPTIONS: Final = (
    click.option("--region", metavar="NAME", help="AWS region; without it, that of the file or the environment."),
    click.option("--profile", metavar="NAME", help="Profile of the AWS configuration; without it, AWS_PROFILE."),
    click.option(
        "--env", "environment", metavar="NAME", help="Let [environments.NAME.secrets] win over [secrets]."
    ),
    click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Configuration file instead of ./taxiway.toml.",
    ),
)
_MAKING: Final = (
    click.option("--kms-key", metavar="ARN", help="KMS key of a new secret, instead of the configured one."),
    click.option(
        "--tag",
        "tags",
        multiple=True,
        metavar="NAME=VALUE",
        help="A tag of a new secret. As often as needed.",
    ),
    click.option("--replace", is_flag=True, help="Put another value into a secret that has one."),
)
_AGREEING: Final = (
    click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing."),
    click.option("--yes", is_flag=True, help="Do not ask."),
)


def secret_options(command: Command) -> Command:
    """Give a command the options of where secrets are, and of how the call answers."""
    return call_options(_with(_OPTIONS, command))


def making_options(command: Command) -> Command:
    """The options of a secret that is made."""
    return _with(_MAKING, command)


def agreeing_options(command: Command) -> Command:
    """``--dry-run`` and ``--yes``."""
    return _with(_AGREEING, command)


def _with(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def parse_tags(items: tuple[str, ...]) -> dict[str, str]:
    """The tags of ``--tag``.

    Raises:
        InvalidOption: One is not NAME=VALUE.
    """
    tags: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not (name and equals):
            raise errors.InvalidOption(f"--tag: '{item}' is not NAME=VALUE.", hint="Write --tag team=data.")
        tags[name] = value
    return tags


@dataclass
class SecretsSession:
    """The settings of a call, and what it needs, made when it is needed."""

    invocation: Invocation
    options: Mapping[str, object]

    @cached_property
    def settings(self) -> SecretsSettings:
        """Those of the options over those of the file.

        Raises:
            ConfigError: The file cannot be used.
        """
        settings = load_secrets(environ=os.environ, directory=Path.cwd(), file=self._file, environment=self._name)
        given: dict[str, Any] = {
            name: value for name in ("region", "profile") if (value := self.options.get(name)) is not None
        }
        return replace(settings, **given)

    @cached_property
    def uses(self) -> tuple[SecretUse, ...]:
        """What the project refers to.

        Raises:
            ConfigError: A file cannot be used.
        """
        return find_secret_uses(
            self.settings, environ=os.environ, directory=Path.cwd(), file=self._file, environment=self._name
        )

    @cached_property
    def store(self) -> "SecretStore":
        """Secrets Manager where the settings say. Every value that it gives is known to the redactor."""
        from taxiway.aws.secret_store import SecretStore
        from taxiway.aws.session import Place

        place = Place(self.settings.region, self.settings.profile)
        return SecretStore(place, on_secret=self.invocation.redactor.add)

    def placement(self, *, is_new: bool) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        """KMS key and tags: of a new secret those that are configured too, else what the call asks for.

        Raises:
            InvalidOption: A tag is not NAME=VALUE.
        """
        given, items = self.options.get("kms_key"), self.options.get("tags")
        key = given if isinstance(given, str) else None
        tags = parse_tags(items if isinstance(items, tuple) else ())
        if not is_new:
            return key, tuple(tags.items())
        return key or self.settings.kms_key, tuple({**self.settings.tags, **tags}.items())

    @property
    def _file(self) -> Path | None:
        file = self.options.get("config_file")
        return file if isinstance(file, Path) else None

    @property
    def _name(self) -> str | None:
        name = self.options.get("environment")
        return name if isinstance(name, str) else None
