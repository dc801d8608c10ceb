"""What ``taxiway secrets`` and ``taxiway deploy-key`` have in common: options, and the services of a call."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import click

from taxiway import errors
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_warning
from taxiway.cli.table_options import given_values, place_of_file, table_options
from taxiway.config.secret_uses import find_secret_uses
from taxiway.config.secrets import TABLE, find_overruled, load_secrets
from taxiway.model.stored_secret import SecretsSettings, SecretUse

if TYPE_CHECKING:
    from taxiway.aws.secret_store import SecretStore

type Command = Callable[..., Any]

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

secret_options = table_options(TABLE)


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
        """Those of the options over those of the file. Where a variable wins over the file, that is told.

        Raises:
            ConfigError: The file cannot be used.
        """
        place, given = place_of_file(self.options), given_values(TABLE, self.options)
        settings = load_secrets(**place)
        for name, warning in find_overruled(**place).items():
            if name not in given:
                print_warning(f"WARNING: {warning}", color=self.invocation.color)
        return replace(settings, **given)

    @cached_property
    def uses(self) -> tuple[SecretUse, ...]:
        """What the project refers to.

        Raises:
            ConfigError: A file cannot be used.
        """
        return find_secret_uses(self.settings, **place_of_file(self.options))

    @cached_property
    def store(self) -> "SecretStore":
        """Secrets Manager where the settings say. Every value that it gives is known to the redactor."""
        from taxiway.aws.secret_store import SecretStore
        from taxiway.aws.session import Place

        place = Place(self.settings.region, self.settings.profile)
        return SecretStore(place, on_secret=self.invocation.redactor.add)

    def changing(self, subject: str, done: str, *, told_by: str = "secrets list") -> AbstractContextManager[None]:
        """Say that it may have come to pass when the call is cut short. ``told_by``: the command that tells."""
        return self.invocation.progress.changing(
            subject, done, leaves=f"whether it was is not known ('taxiway {told_by}' tells)."
        )

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
