"""What click refuses, in the form of our errors: what is wrong, what was probably meant, and where to look."""

from collections.abc import Collection, Iterator, Sequence

import click

from taxiway import errors
from taxiway.nearest import find_nearest


def usage_error(error: click.ClickException, arguments: Sequence[str], root: click.Group) -> errors.ConfigError:
    """The error that we report for one of click's. ``arguments`` begin with the command, if one is named."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else _named_command(arguments, root)
    hint = f"Run '{command} --help' to see what it accepts."
    if not isinstance(error, click.NoSuchOption):
        return errors.ConfigError(error.format_message(), hint=hint)
    if context and context.command is root and error.option_name in _flags_of_commands(root, context):
        return errors.ConfigError(
            f"{error.option_name} is an option of a command, and none is named.",
            hint="Name the command, before or after its options: taxiway info --url postgresql://host/database.",
        )
    near = find_nearest(error.option_name, _flags(context.command, context)) if context else None
    meant = f" Did you mean '{near}'?" if near else ""
    return errors.ConfigError(f"There is no option '{error.option_name}' of '{command}'.{meant}", hint=hint)


def _named_command(arguments: Sequence[str], root: click.Group) -> str:
    """What click leaves out when it could not take the options apart: where it was."""
    named = [word for word in arguments[:1] if word in root.list_commands(click.Context(root))]
    return " ".join([root.name or "", *named])


def _flags_of_commands(root: click.Group, context: click.Context) -> Collection[str]:
    commands = (root.get_command(context, name) for name in root.list_commands(context))
    return {flag for command in commands if command for flag in _flags(command, context)}


def _flags(command: click.Command, context: click.Context) -> Iterator[str]:
    """What the command accepts and tells of."""
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield from (*parameter.opts, *parameter.secondary_opts)
