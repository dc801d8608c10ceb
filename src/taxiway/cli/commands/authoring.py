"""``taxiway add`` and ``taxiway init``: new files."""

from datetime import UTC, datetime
from pathlib import Path

import click

from taxiway import __version__
from taxiway.authoring.add import NewMigration, Timestamp, add_migration
from taxiway.authoring.init import NewProject, init_project
from taxiway.cli.commands.options import SettingsCommand, call_options, setting_options
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_json, print_result
from taxiway.cli.settings import load_settings
from taxiway.config.option import Group
from taxiway.model.migration import MigrationKind
from taxiway.reports.flyway_json import Stamp, add_json, init_json
from taxiway.reports.text import render_add, render_init

_TYPES = {kind.value.lower(): kind for kind in MigrationKind}


@click.command(cls=SettingsCommand)
@setting_options
@click.argument("words", nargs=-1, metavar="[DESCRIPTION]")
@click.option(
    "--type",
    "kind",
    type=click.Choice(list(_TYPES), case_sensitive=False),
    default="versioned",
    show_default=True,
    help="What the file is for.",
)
@click.option("--description", metavar="TEXT", help="What it does; it becomes a part of the file's name.")
@click.option("--version", metavar="VERSION", help="Instead of the next version.")
@click.option("--location", metavar="LOCATION", help="The folder, instead of the first of the locations.")
@click.option(
    "--timestamp",
    type=click.Choice([one.value for one in Timestamp], case_sensitive=False),
    default=Timestamp.AUTO.value,
    show_default=True,
    help="A part of the version that is the time in UTC: if the version before has one, always or never.",
)
@click.option("--name-only", is_flag=True, help="Tell the path, and create nothing.")
@click.option("--force", is_flag=True, help="Replace a file of that name.")
@click.pass_obj
def add(
    invocation: Invocation,
    /,
    *,
    config_file: Path | None,
    words: tuple[str, ...],
    kind: str,
    description: str | None,
    version: str | None,
    location: str | None,
    timestamp: str,
    name_only: bool,
    force: bool,
    **options: object,
) -> None:
    """Create the file of a new migration, with the next version, and tell its path."""
    # Nothing but the path goes to standard output, because scripts read it.
    invocation.result_only = True
    groups = (Group.CONFIGURATION, Group.LOCATIONS)
    settings = load_settings(invocation, options, config_file, groups=groups).settings.migrations
    new = NewMigration(
        kind=_TYPES[kind.lower()],
        description=_description(words, description),
        version=version,
        location=location,
        timestamp=Timestamp(timestamp.lower()),
    )
    result = add_migration(
        new,
        settings,
        base=Path.cwd() / (settings.working_directory or ""),
        now=datetime.now(UTC),
        write=not name_only,
        replace=force,
    )
    _answer(invocation, add_json(result, _stamp()), render_add(result))


def _description(words: tuple[str, ...], option: str | None) -> str:
    if words and option is not None:
        raise click.UsageError("The description is given twice, as an argument and as --description.")
    return " ".join(words) if words else option or ""


@click.command()
@call_options
@click.option("--project-name", metavar="TEXT", help="Name of the project, instead of that of the folder.")
@click.option(
    "--file-name", metavar="FILE", default="taxiway.toml", show_default=True, help="What is to be written."
)
@click.option(
    "--database-type", metavar="TEXT", default="PostgreSQL", help="For Flyway's sake: only PostgreSQL is here."
)
@click.option("--from", "source", metavar="FILE", help="A flyway.conf whose settings are taken over.")
@click.option(
    "--from-type",
    type=click.Choice(["conf"], case_sensitive=False),
    default="conf",
    show_default=True,
    help="What sort of file that is.",
)
@click.pass_obj
def init(
    invocation: Invocation,
    /,
    *,
    project_name: str | None,
    file_name: str,
    database_type: str,
    source: str | None,
    from_type: str,  # noqa: ARG001 - there is one sort only, and click has checked it
) -> None:
    """Begin a project: write taxiway.toml and make the folder sql. Nothing that is there is replaced."""
    if database_type.lower() not in {"postgresql", "postgres"}:
        raise click.UsageError(f"--database-type: only PostgreSQL is here, not '{database_type}'.")
    new = NewProject(name=project_name, file_name=file_name, source=Path(source) if source else None)
    result = init_project(new, directory=Path.cwd())
    _answer(invocation, init_json(result, _stamp()), render_init(result))


def _stamp() -> Stamp:
    return Stamp(datetime.now().astimezone(), __version__)


def _answer(invocation: Invocation, as_json: dict[str, object], text: str) -> None:
    if invocation.json:
        print_json(as_json)
    else:
        print_result(text)
