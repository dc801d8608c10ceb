"""The table of commands, as click has it."""

import importlib
from typing import Any, Final, NamedTuple, override

import click

from taxiway.cli.names import ALIASES, explain_word


class CommandEntry(NamedTuple):
    """A command of the table: where it is made, and its help, so that --help loads no command.

    ``target`` is ``module:attribute``: a command, or what makes it of its name.
    """

    target: str
    help: str


_DATABASE: Final = "taxiway.cli.commands.database:make_command"

COMMANDS: Final = {
    "migrate": CommandEntry(_DATABASE, "Apply the pending migrations."),
    "info": CommandEntry(_DATABASE, "Show every migration with its state."),
    "validate": CommandEntry(_DATABASE, "Compare scripts and schema history."),
    "undo": CommandEntry(_DATABASE, "Undo the migration that was applied last."),
    "baseline": CommandEntry(_DATABASE, "Let the history of a database with tables begin."),
    "repair": CommandEntry(_DATABASE, "Make the schema history agree with the scripts."),
    "clean": CommandEntry(_DATABASE, "Drop every object of the managed schemas."),
    "test-connection": CommandEntry(_DATABASE, "Connect to the database, and look at nothing else."),
    "roles": CommandEntry("taxiway.cli.commands.roles:roles", "Create and change the declared database users."),
    "config": CommandEntry("taxiway.cli.commands.config:config", "Show every setting and where it comes from."),
    "why": CommandEntry("taxiway.cli.commands.why:why", "Say where a table or column comes from."),
    "add": CommandEntry("taxiway.cli.commands.authoring:add", "Create the file of a new migration."),
    "init": CommandEntry("taxiway.cli.commands.authoring:init", "Begin a project."),
    "run": CommandEntry("taxiway.cli.commands.run:run", "Run a branch's migrations: the job of the container."),
    "task": CommandEntry("taxiway.cli.commands.task:task", "Run, watch, stop and list tasks in AWS."),
    "doctor": CommandEntry(
        "taxiway.cli.commands.doctor:doctor", "Check everything that a task needs, before one runs."
    ),
    "tunnel": CommandEntry(
        "taxiway.cli.commands.tunnel:tunnel", "Open a port that leads to the private database."
    ),
    "infra": CommandEntry(
        "taxiway.cli.commands.infra:infra", "Plan, deploy, look at and destroy what tasks need in AWS."
    ),
    "secrets": CommandEntry("taxiway.cli.commands.secrets:secrets", "Put, list, check and rotate secrets in AWS."),
    "deploy-key": CommandEntry(
        "taxiway.cli.commands.deploy_key:deploy_key", "Make the SSH key with which tasks clone."
    ),
    "snapshot": CommandEntry(
        "taxiway.cli.commands.snapshot:snapshot", "Make snapshots of the database in AWS, and restore them."
    ),
    "version": CommandEntry("taxiway.cli.commands.about:version", "Show the version."),
    "list-engines": CommandEntry(
        "taxiway.cli.commands.about:list_engines", "List the databases that are supported."
    ),
}


class LazyGroup(click.Group):
    """A group that imports a command when it is used."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = ALIASES.get(cmd_name, cmd_name)
        entry = COMMANDS.get(name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        made: Any = getattr(importlib.import_module(module), attribute)
        command: click.Command = made if isinstance(made, click.Command) else made(name)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(explain_word(args[0], COMMANDS))
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from taxiway import __version__

        click.echo(f"taxiway {__version__}")
        ctx.exit()


_EPILOG: Final = """
'taxiway COMMAND --help' shows the options of a command.

Settings come from the command line, from environment variables such as FLYWAY_URL, from taxiway.toml, and from
Flyway's own files; the first that has one wins. 'taxiway config' shows each with the place where it comes from.

Several commands in one call run one after the other: taxiway clean migrate info. Flyway's own command lines work
as well: taxiway -url=jdbc:postgresql://host/db -outOfOrder=true migrate.

Documentation: docs/index.md in the repository of Taxiway; docs/reference has every option, variable and error.
"""


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def taxiway() -> None:
    """Flyway-compatible SQL migrations for PostgreSQL, from one Git commit."""
