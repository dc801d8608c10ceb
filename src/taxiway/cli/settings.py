"""The settings that a call comes to, whoever has read its arguments."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from taxiway import errors
from taxiway.cli.output import print_warning
from taxiway.config.option import Group, Option
from taxiway.config.options import OPTIONS

if TYPE_CHECKING:
    from taxiway.aws.secrets import SecretsManager
    from taxiway.cli.invocation import Invocation
    from taxiway.config.merge import Loaded
    from taxiway.config.template import SecretReader
    from taxiway.secret import Redactor

SETTINGS: Final[Mapping[str, Option]] = {option.identifier: option for option in OPTIONS if option.flag}
"""What has a flag, by the name that programs have for it."""


def load_settings(
    invocation: Invocation,
    options: Mapping[str, object],
    config_file: Path | None,
    *,
    groups: Collection[Group] = tuple(Group),
) -> Loaded:
    """The settings that arguments, environment and files come to. Every secret is known to the redactor then.

    ``groups`` are those that the command needs; nothing else is resolved.

    Raises:
        ConfigError: One of them cannot be used.
    """
    from taxiway.config.load import load

    arguments = given_arguments(invocation.settings, options)
    _warn_of_visible_secrets(invocation, arguments)
    loaded = load(
        arguments,
        environ=os.environ,
        directory=_current_directory(),
        file=config_file,
        secret=_secret_reader(invocation.redactor),
        home=_home(),
        read_stdin=_read_stdin,
        groups=groups,
    )
    for secret in loaded.secrets:
        invocation.redactor.add(secret)
    log_configuration(invocation, loaded)
    return loaded


def load_roles(loaded: Loaded, invocation: Invocation, *, required: bool) -> Loaded:
    """The settings with the declared roles. Every password is known to the redactor then.

    Where they are not ``required`` and their secrets cannot be had, as on the machine of a developer, they are
    left alone, with a warning.

    Raises:
        TaxiwayError: A secret cannot be had, or a declaration cannot be used.
    """
    try:
        roles = loaded.read_roles()
    except (errors.SecretError, errors.AwsError, errors.VariableNotSet) as error:
        if required:
            raise
        warning = (
            f"The declared roles are left alone, because not all of their passwords can be read: {error.message} "
            "Run 'taxiway roles apply' where they can."
        )
        invocation.warnings.append(warning)
        invocation.warn(warning)
        return loaded
    for role in roles:
        if role.password is not None:
            invocation.redactor.add(role.password)
    return replace(loaded, settings=replace(loaded.settings, roles=roles))


def _secret_reader(redactor: Redactor) -> SecretReader:
    """What fetches secrets; most settings name none, and then nothing of AWS is loaded."""

    @cache
    def manager() -> SecretsManager:
        from taxiway.aws.secrets import SecretsManager
        from taxiway.aws.session import find_region

        return SecretsManager(find_region(os.environ), on_secret=redactor.add)

    return lambda secret_id, key: manager().get(secret_id, key)


def log_configuration(invocation: Invocation, loaded: Loaded) -> None:
    """Warn of what has no effect, in the first result too; with ``--debug`` show what has."""
    invocation.warnings.extend(loaded.warnings)
    for warning in loaded.warnings:
        invocation.warn(warning)
    if invocation.debug:
        from taxiway.reports.log import Level, LogLine

        for file in loaded.files:
            invocation.log(LogLine(Level.DEBUG, f"Configuration file: {file}"))
        for one in loaded.effective:
            invocation.log(LogLine(Level.DEBUG, f"{one.key} = {one.value} ({one.origin})"))


def _current_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise errors.ConfigError(
            "The current directory does not exist any more.", hint="Change to a directory that exists."
        ) from error


def _home() -> Path | None:
    """The home directory; ``None`` for a user that has none, as in many containers."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def _read_stdin() -> str:
    return sys.stdin.read() if sys.stdin else ""


def given_arguments(in_flyways_style: Mapping[str, object], options: Mapping[str, object]) -> dict[str, object]:
    """Settings of both styles, by key. Entries of maps come together.

    Raises:
        UsageError: The same setting was given in both: which of them is meant?
    """
    merged = dict(in_flyways_style)
    for name, value in options.items():
        if value is None:
            continue
        key = SETTINGS[name].key
        present = merged.get(key)
        if isinstance(present, Mapping) and isinstance(value, Mapping):
            merged[key] = {**present, **value}
        elif present is None:
            merged[key] = value
        else:
            import click

            raise click.UsageError(f"'{key}' is given twice, as -{key} and as {SETTINGS[name].flag}.")
    return merged


def without_need_of_scripts(loaded: Loaded) -> Loaded:
    """For a command that can do without: a folder that is not there is a warning."""
    migrations = replace(loaded.settings.migrations, fail_on_missing_locations=False)
    return replace(loaded, settings=replace(loaded.settings, migrations=migrations))


def require_database(loaded: Loaded) -> None:
    """Refuse to let libpq guess: no address at all is a forgotten one.

    Raises:
        MissingOption: No database is named.
    """
    database = loaded.settings.database
    by_libpq = any(os.environ.get(name) for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE"))
    if not (database.url or database.parameters or database.secret or by_libpq):
        raise errors.MissingOption(
            "No database is named.",
            hint="Give --url postgresql://host:port/database (or Flyway's -url=), set FLYWAY_URL, "
            "or fill [database] in taxiway.toml.",
        )


def _warn_of_visible_secrets(invocation: Invocation, arguments: Mapping[str, object]) -> None:
    """On standard error in JSON mode too, where standard output is for the result alone."""
    from taxiway.config.merge import find_visible_secrets

    if found := find_visible_secrets(arguments):
        warning = (
            f"WARNING: the value of {' and of '.join(found)} is visible to everybody on this machine in the list "
            "of processes. Give it by FLYWAY_PASSWORD, FLYWAY_PLACEHOLDERS_<NAME>, .pgpass or a reference in "
            "taxiway.toml."
        )
        print_warning(warning, color=invocation.color)
