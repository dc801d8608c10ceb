"""Command line options: how a call answers, and the settings, made from the one table of options."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, override

import click

from taxiway.cli.call_options import CALL_OPTIONS, CallOption
from taxiway.cli.invocation import Invocation
from taxiway.cli.settings import SETTINGS
from taxiway.config.option import Group, Kind, Option
from taxiway.config.options import OPTIONS

type Command = Callable[..., Any]


def call_options(command: Command) -> Command:
    """Give a command the options of how the call answers; they are noted in the invocation."""
    for option in reversed(CALL_OPTIONS):
        command = _click_call_option(option)(command)
    return command


def _noted(note: Callable[[Invocation, Any], None]) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: object) -> None:
        note(ctx.ensure_object(Invocation), value)

    return callback


def _click_call_option(option: CallOption) -> Callable[[Command], Command]:
    if option.is_switch:
        return click.option(
            *option.flags, is_flag=True, expose_value=False, callback=_noted(option.note), help=option.help
        )
    return click.option(
        *option.flags,
        type=click.Choice(option.choices) if option.choices else None,
        default=option.default,
        show_default=bool(option.choices),
        metavar=option.metavar,
        is_eager=option.is_early,
        expose_value=False,
        callback=_noted(option.note),
        help=option.help,
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


def setting_options(command: Command) -> Command:
    """Give a command every setting that has a flag, ``--config``, and the options of how the call answers."""
    for option in reversed([*SETTINGS.values()]):
        command = _click_option(option, str(option.flag))(command)
    return call_options(config_option(command))


config_option = click.option(
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
