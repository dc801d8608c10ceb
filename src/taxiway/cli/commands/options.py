"""Command line options made from the one table of options, and what the database commands share."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from taxiway import errors
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_log
from taxiway.config.option import Kind, Option
from taxiway.config.options import OPTIONS
from taxiway.model.event import Event
from taxiway.project import Project, open_project
from taxiway.reports.text import render_event

type Command = Callable[..., Any]


def _choose_output(ctx: click.Context, _parameter: click.Parameter, value: str) -> None:
    ctx.ensure_object(Invocation).json = value == "json"


output_option = click.option(
    "--output",
    "-o",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    is_eager=True,
    expose_value=False,
    callback=_choose_output,
    help="Text for people, or JSON in Flyway's shape.",
)


def migration_options(command: Command) -> Command:
    """Give a command every option of the table that has a flag, ``--config`` and ``--output``."""
    command = output_option(command)
    command = click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Configuration file instead of ./taxiway.toml.",
    )(command)
    for option in reversed(OPTIONS):
        if option.flag:
            command = _click_option(option, option.flag)(command)
    return command


def _click_option(option: Option, flag: str) -> Callable[[Command], Command]:
    help_text = option.help.replace("`", "'")
    match option.kind:
        case Kind.BOOLEAN:
            negative = f"--no-{flag.removeprefix('--')}"
            return click.option(f"{flag}/{negative}", option.key, default=None, help=help_text)
        case Kind.MAP:
            return click.option(
                flag, option.key, multiple=True, metavar="NAME=VALUE", callback=_as_map, help=help_text
            )
        case Kind.LIST:
            return click.option(flag, option.key, metavar="ITEM[,ITEM]", help=help_text)
        case _:
            return click.option(flag, option.key, metavar="TEXT", help=help_text)


def _as_map(_ctx: click.Context, parameter: click.Parameter, items: tuple[str, ...]) -> dict[str, str] | None:
    pairs = [item.partition("=") for item in items]
    wrong = [name for name, equals, _ in pairs if not (name and equals)]
    if wrong:
        raise click.BadParameter(f"'{wrong[0]}' is not NAME=VALUE", param=parameter)
    return {name: value for name, _, value in pairs} or None


@contextmanager
def opened_project(
    invocation: Invocation, options: Mapping[str, object], config_file: Path | None
) -> Iterator[Project]:
    """The project that the options, the environment and taxiway.toml describe, with events going to the log."""
    from taxiway.aws.secrets import SecretsManager
    from taxiway.aws.session import find_region
    from taxiway.config.load import load

    _warn_of_visible_secrets(options)
    region = find_region(os.environ)
    loaded = load(
        {key: value for key, value in options.items() if value is not None},
        environ=os.environ,
        directory=Path.cwd(),
        file=config_file,
        secret=SecretsManager(region, on_secret=invocation.redactor.add).get,
    )
    for secret in loaded.secrets:
        invocation.redactor.add(secret)
    if not (loaded.settings.database.url or loaded.settings.database.parameters or os.environ.get("PGHOST")):
        raise errors.MissingOption(
            "No database is named.",
            hint="Give --url postgresql://host:port/database, set FLYWAY_URL, or fill [database] in taxiway.toml.",
        )
    with open_project(
        loaded.settings, base=Path.cwd(), redact=invocation.redactor, on_event=event_printer(invocation)
    ) as project:
        yield project


def _warn_of_visible_secrets(options: Mapping[str, object]) -> None:
    """On standard error in JSON mode too, where standard output is for the result alone."""
    from taxiway.config.merge import find_visible_secrets

    if found := find_visible_secrets(options):
        warning = (
            f"WARNING: the value of {' and of '.join(found)} is visible to everybody on this machine in the list "
            "of processes. Give it by FLYWAY_PASSWORD, FLYWAY_PLACEHOLDERS_<NAME>, .pgpass or a reference in "
            "taxiway.toml."
        )
        click.echo(click.style(warning, fg="yellow"), err=True)


def event_printer(invocation: Invocation) -> Callable[[Event], None]:
    """Print each event as a log line; nothing when JSON was asked for, which is then all there is."""

    def print_event(event: Event) -> None:
        invocation.note(event)
        line = None if invocation.json else render_event(event)
        if line is not None:
            print_log(line)

    return print_event
