"""Command line options: how a call answers, and the settings, made from the one table of options."""

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, override

import click

from taxiway import errors
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import copy_output
from taxiway.config.option import Group, Kind, Option
from taxiway.config.options import OPTIONS
from taxiway.reports.log import Level, LogLine

if TYPE_CHECKING:
    from taxiway.config.merge import Loaded

type Command = Callable[..., Any]

_COLORS = {"auto": None, "always": True, "never": False}


def call_options(command: Command) -> Command:
    """Give a command the options of how the call answers; they are noted in the invocation."""
    for decorate in reversed(_CALL_OPTIONS):
        command = decorate(command)
    return command


def _noted(note: Callable[[Invocation, Any], None]) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: object) -> None:
        note(ctx.ensure_object(Invocation), value)

    return callback


def _note_output(invocation: Invocation, value: str | None) -> None:
    invocation.json = invocation.json or value == "json"


def _note_color(invocation: Invocation, value: str) -> None:
    """https://no-color.org; a flag wins over the variable."""
    invocation.color = False if value == "auto" and os.environ.get("NO_COLOR") else _COLORS[value]


def _copy_output(invocation: Invocation, path: str | None) -> None:
    if path is not None:
        copy_output(path, result_only=invocation.json)


def _note_debug(invocation: Invocation, value: bool) -> None:
    invocation.debug = value


def _note_quiet(invocation: Invocation, value: bool) -> None:
    invocation.quiet = value


def _note_logs(invocation: Invocation, value: bool) -> None:
    invocation.logs_in_json = value


_CALL_OPTIONS: Sequence[Callable[[Command], Command]] = (
    click.option(
        "--output",
        "-o",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        is_eager=True,
        expose_value=False,
        callback=_noted(_note_output),
        help="Text for people, or JSON in Flyway's shape (-outputType=json).",
    ),
    click.option(
        "--output-file",
        metavar="FILE",
        expose_value=False,
        callback=_noted(_copy_output),
        help="Write everything to this file as well.",
    ),
    click.option(
        "--output-logs-in-json",
        is_flag=True,
        expose_value=False,
        callback=_noted(_note_logs),
        help="Write the log as JSON lines, to standard error.",
    ),
    click.option(
        "--color",
        type=click.Choice(list(_COLORS)),
        default="auto",
        show_default=True,
        expose_value=False,
        callback=_noted(_note_color),
        help="Colours: on a terminal, always or never. NO_COLOR is heeded.",
    ),
    click.option(
        "--debug",
        "-X",
        is_flag=True,
        expose_value=False,
        callback=_noted(_note_debug),
        help="Show the configuration and every statement with its time.",
    ),
    click.option(
        "--quiet",
        "-q",
        is_flag=True,
        expose_value=False,
        callback=_noted(_note_quiet),
        help="Show only warnings, errors and what was asked to be shown.",
    ),
)


class SettingsCommand(click.Command):
    """A command that takes every setting: its help has its own options first, and the settings by group."""

    def format_own_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options that are no settings."""
        records = [
            self._record(parameter, ctx) for parameter in self.get_params(ctx) if parameter.name not in SETTINGS
        ]
        with formatter.section("Options"):
            formatter.write_dl([record for record in records if record])

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_own_options(ctx, formatter)
        parameters = {parameter.name: parameter for parameter in self.get_params(ctx)}
        for group in Group:
            named = (option.identifier for option in OPTIONS if option.group is group)
            records = [self._record(parameters[name], ctx) for name in named if name in parameters]
            with formatter.section(group.value):
                formatter.write_dl([record for record in records if record])

    @staticmethod
    def _record(parameter: click.Parameter, ctx: click.Context) -> tuple[str, str] | None:
        return parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None


SETTINGS = {option.identifier: option for option in OPTIONS if option.flag}


def setting_options(command: Command) -> Command:
    """Give a command every setting that has a flag, ``--config``, and the options of how the call answers."""
    for option in reversed(SETTINGS.values()):
        command = _click_option(option, str(option.flag))(command)
    return call_options(_config_option(command))


_config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file instead of ./taxiway.toml.",
)


def _click_option(option: Option, flag: str) -> Callable[[Command], Command]:
    help_text = option.help.replace("`", "'")
    match option.kind:
        case Kind.BOOLEAN:
            negative = f"--no-{flag.removeprefix('--')}"
            return click.option(f"{flag}/{negative}", option.identifier, default=None, help=help_text)
        case Kind.MAP:
            return click.option(
                flag, option.identifier, multiple=True, metavar="NAME=VALUE", callback=_as_map, help=help_text
            )
        case Kind.LIST:
            return click.option(flag, option.identifier, metavar="ITEM[,ITEM]", help=help_text)
        case _:
            return click.option(flag, option.identifier, metavar="TEXT", help=help_text)


def _as_map(_ctx: click.Context, parameter: click.Parameter, items: tuple[str, ...]) -> dict[str, str] | None:
    pairs = [item.partition("=") for item in items]
    wrong = [name for name, equals, _ in pairs if not (name and equals)]
    if wrong:
        raise click.BadParameter(f"'{wrong[0]}' is not NAME=VALUE", param=parameter)
    return {name: value for name, _, value in pairs} or None


def load_settings(
    invocation: Invocation,
    options: Mapping[str, object],
    config_file: Path | None,
    *,
    groups: Collection[Group] = tuple(Group),
) -> "Loaded":
    """The settings that arguments, environment and files come to. Every secret is known to the redactor then.

    ``groups`` are those that the command needs; nothing else is resolved.

    Raises:
        ConfigError: One of them cannot be used.
    """
    from taxiway.aws.secrets import SecretsManager
    from taxiway.aws.session import find_region
    from taxiway.config.load import load

    arguments = given_arguments(invocation.settings, options)
    _warn_of_visible_secrets(invocation, arguments)
    region = find_region(os.environ)
    loaded = load(
        arguments,
        environ=os.environ,
        directory=_current_directory(),
        file=config_file,
        secret=SecretsManager(region, on_secret=invocation.redactor.add).get,
        home=_home(),
        read_stdin=_read_stdin,
        groups=groups,
    )
    for secret in loaded.secrets:
        invocation.redactor.add(secret)
    log_configuration(invocation, loaded)
    return loaded


def log_configuration(invocation: Invocation, loaded: "Loaded") -> None:
    """Warn of what has no effect, in the first result too; with ``--debug`` show what has."""
    invocation.warnings.extend(loaded.warnings)
    for warning in loaded.warnings:
        invocation.warn(warning)
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
            raise click.UsageError(f"'{key}' is given twice, as -{key} and as {SETTINGS[name].flag}.")
    return merged


def require_database(loaded: "Loaded") -> None:
    """Refuse to let libpq guess: no address at all is a forgotten one.

    Raises:
        MissingOption: No database is named.
    """
    database = loaded.settings.database
    by_libpq = any(os.environ.get(name) for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE"))
    if not (database.url or database.parameters or by_libpq):
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
        click.echo(click.style(warning, fg="yellow"), err=True, color=invocation.color)
