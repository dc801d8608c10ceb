"""Writes the reference pages that are made from tables in the code.

``python tools/reference.py`` writes them; ``--check`` changes nothing and fails when one is not up to date.
"""

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from taxiway import errors, exit_codes
from taxiway.cli.commands.options import SettingsCommand
from taxiway.cli.flyway_args import CALL_OPTIONS, FLAGS, IGNORED_FLAGS, PARAMETERS
from taxiway.cli.group import COMMANDS, taxiway
from taxiway.cli.names import ELSEWHERE
from taxiway.config import infra, secrets, task, tunnel
from taxiway.config.flyway_only import BY_PLACE, Foreign, Ignored, Obsolete, Unsupported
from taxiway.config.option import Group, Kind, Option
from taxiway.config.options import OPTIONS
from taxiway.config.roles import ROLE_KEYS
from taxiway.config.table import Key
from taxiway.config.toml import FLYWAY, TAXIWAY, Dialect
from taxiway.model.callback import CallbackEvent
from taxiway.model.role import GRANTS, Grants, ObjectKind
from taxiway.ops.choose_endpoint import OUTPUTS as TUNNEL_OUTPUTS
from taxiway.ops.resolve_target import OUTPUTS
from taxiway.runner.job import VARIABLES, Variable

_CONFIGURATION_INTRODUCTION: Final = """\
<!-- Written by tools/reference.py from src/taxiway/config/options.py. Change those, not this file. -->

# Configuration

An option can be set on the command line, in an environment variable, in `taxiway.toml`, and in the files of
Flyway. The command line wins over the environment, the environment over `taxiway.toml`, that over Flyway's
files, and those over the default. Placeholders and JDBC properties merge name by name. Names are Flyway's; the
places where Taxiway is not like Flyway are marked. `taxiway config` shows what is in force, and where it comes
from.

`taxiway.toml` lies in the root of the project:

```toml
[database]
host = "${env:DB_HOST}"
name = "${env:DB_NAME}"
user = "${secret:postgresql@auroradb@master@sqladmin#username}"
password = "${secret:postgresql@auroradb@master@sqladmin#password}"

[flyway]
locations = ["filesystem:sql"]

[flyway.placeholders]
DATABASE_NAME = "${env:DB_NAME}"
READ_ONLY_PASSWORD = "${secret:postgresql@auroradb@master@read_only#password}"
```

A key that is not in this page is an error, which names the nearest key that is. Three things are not errors, as
with Flyway: an unknown key of an environment in `flyway.toml` and a key of `flyway.conf` that does not begin with
`flyway.`, which are warned of, and tables of other products beside `[flyway]`. Settings of Flyway that are no
options here are [at the end of this page](#settings-of-flyway-that-are-no-options).

## Flyway's files

`flyway.toml` and `flyway.user.toml`, or `flyway.conf`, are read as they are, from the places where Flyway
looks: `conf` in `FLYWAY_HOME`, the home directory, the directory of the process, `workingDirectory`, and then
the files of `configFiles`; what is read later wins. The two syntaxes never mix: one TOML file is enough to
leave out every `.conf` file. `taxiway run` reads only files of the repository.

A TOML file may name several databases, `[environments.prod]`; `environment` chooses one. Every other option than
those of [the database](#the-database) and `schemas` may also stand in `[environments.prod.flyway]`, unless it says
otherwise below, and wins over the command line there, as with Flyway.

`environments.<name>.…` below stands for one database; `environments.default.…` is the one that is meant when
nothing is chosen. Flyway's files in TOML do not have Taxiway's own parts of an address, such as `host`: they have
the `url`.

## Command line

`--out-of-order --placeholder stage=test` and Flyway's `-outOfOrder=true -placeholders.stage=test` mean the same,
and may be mixed. `-environments.prod.url=…` sets a key of one environment. Giving one setting in both styles is an
error.

## References

A text in `taxiway.toml` may hold references to texts that stand elsewhere:

| Reference | Stands for |
| --- | --- |
| `${env:NAME}` | the environment variable; it is an error when it is not set. `${env.NAME}` is the same |
| `${secret:ID#KEY}` | the value of one key of a JSON secret in AWS Secrets Manager. The ID is a name or an ARN |
| `${secret:ID}` | the whole text of a secret |
| `${placeholder:NAME}` | the value of a placeholder. `${placeholder.NAME}` is the same |
| `$${` | the characters `${` |

Text and references can be mixed: `"db-${env:STAGE}.example.com"`. A reference is looked up only when no variable
and no argument sets the same option. White space around the values stays. References
are not resolved in UNRESOLVED.

A number, a boolean or a list may be given as a text when it holds a reference: `port = "${env:DB_PORT}"`. It is
then read like the text of an environment variable.

In `flyway.toml` a reference is what Flyway takes for one, so that a file means the same to both:

| In `flyway.toml` | Stands for |
| --- | --- |
| `${env.NAME}`, `${placeholder.NAME}` | as above; the references with a colon work, too |
| `${env.NAME:FILTER}` | only some characters of the value; see below |
| `$${a.b}` | the characters `${a.b}` |
| `!{TEXT}`, as the whole value | the text as it is, with nothing in it a reference |
| `${`, `${NAME}` | themselves, because there is no dot |

A filter is made of `A` (letters), `a` (ASCII letters), `D` (digits) and `d` (ASCII digits). White space around a
value is dropped. In `flyway.conf`, `${NAME}` is an environment variable, or nothing when it is not set; there are
no other references.

## Environment variables

Lists are separated by commas. An empty variable counts as one that is not set, unless the option accepts an empty
value. Variables that start with `FLYWAY_` and belong to no option are ignored, but for the few
[at the end of this page](#settings-of-flyway-that-are-no-options).

## Passwords

`taxiway.toml` is part of a repository, so a password in it must be a reference, and a URL in it must not have one.
A password in one of Flyway's files is accepted. There is no flag of ours for a password, because everybody on the
machine can read the arguments of a process; Flyway's `-password=…` works, and warns. Values that
are confidential are never shown, and options that are shown refuse them. In a secret, the keys `username`, `host`,
`port`, `dbname`, `engine`, `dbInstanceIdentifier` and `dbClusterIdentifier` are not confidential; all else is.

## Tasks

`[task]` says where `taxiway task` runs and finds tasks, and which database `taxiway snapshot` is about.
`[environments.<name>.task]` has the same keys; with `--env <name>` they win over those of `[task]`, and options
win over both. What is set nowhere is taken from the outputs of the `stack`, if one is named. A text may refer
to environment variables, `${env:NAME}`. The commands on a database do not heed these tables, but an unknown key
in them is an error for everybody.

| Key | Value | Option | Output of the stack | Meaning |
| --- | --- | --- | --- | --- |
TASK_KEYS
## Tunnels

`[tunnel]` says where `taxiway tunnel` leads, and by which way. What holds for `[task]` holds for it too, with
`[environments.<name>.tunnel]`.

| Key | Value | Option | Output of the stack | Meaning |
| --- | --- | --- | --- | --- |
TUNNEL_KEYS

## Infrastructure

`[infra]` says what `taxiway infra` builds; `[environments.<name>.infra]` has the same keys, which win with
`--env <name>`. Keys with a dot belong to a table of their own, `[infra.database]`, which may be empty: that it is
there is enough. A text may refer to environment variables, `${env:NAME}`. The commands on a database do not heed
these tables, but an unknown key in them is an error for everybody.

| Key | Value | Meaning |
| --- | --- | --- |
INFRA_KEYS

## Secrets of the job

`[secrets]` names what `taxiway secrets` and `taxiway deploy-key` look after, besides the secrets that roles and
references name. `[environments.<name>.secrets]` has the same keys; with `--env <name>` they win. A variable of the
job wins over both. A text may refer to environment variables, `${env:NAME}`.

| Key | Value | Variable | Meaning |
| --- | --- | --- | --- |
SECRETS_KEYS
## The URL and its parts

A URL is a whole address. A URL that is set in a higher place (an environment variable, say) discards the host, the
port and the database name that are set in a lower one (the file), and whatever else it says itself, such as a user
or `sslmode`. A part that is set in a higher or the same place wins over the URL.

The variables `DB_HOST`, `DB_PORT`, `DB_NAME`, `DB_SSLMODE` and `DB_SSLROOTCERT` give way, with a warning, to a URL
of the command line, of `FLYWAY_URL` or of Flyway's files. They win over a URL in `taxiway.toml`, and in
`taxiway run` over one in any file of the repository.
"""


def render_configuration(options: Sequence[Option]) -> str:
    """The page of all options, by group, and of what Flyway has besides."""
    introduction = _CONFIGURATION_INTRODUCTION.replace("UNRESOLVED", _unresolved(options))
    rows = {
        "TASK_KEYS": _rows_with_outputs(task.KEYS, OUTPUTS),
        "TUNNEL_KEYS": _rows_with_outputs(tunnel.KEYS, TUNNEL_OUTPUTS),
        "INFRA_KEYS": _infra_rows(),
        "SECRETS_KEYS": _secrets_rows(),
    }
    for place, lines in rows.items():
        introduction = introduction.replace(place, "".join(lines))
    parts = [introduction]
    for group in Group:
        parts.append(f"\n## {group.value}\n")
        parts.extend(_render_option(option) for option in options if option.group is group)
    return "".join((*parts, *_roles(), _FLYWAY_ONLY, *_flyway_only()))


def _rows_with_outputs(keys: Iterable[Key], outputs: Mapping[str, str]) -> Iterator[str]:
    for key in keys:
        output = f"`{outputs[key.name]}`" if key.name in outputs else ""
        yield f"| `{key.name}` | {key.kind.value} | `{key.flag}` | {output} | {key.help} |\n"


def _infra_rows() -> Iterator[str]:
    return (f"| `{key.name}` | {key.kind.value} | {key.help} |\n" for key in infra.KEYS)


def _secrets_rows() -> Iterator[str]:
    for key in secrets.KEYS:
        variable = f"`{key.variable}`" if key.variable else ""
        yield f"| `{key.name}` | {key.kind.value} | {variable} | {key.help} |\n"


def _unresolved(options: Iterable[Option]) -> str:
    *names, last = (f"`{option.key}`" for option in options if not option.resolved)
    return f"{', '.join(names)} and {last}"


_ROLES: Final = """
## Database users

`taxiway.toml` may declare roles of the server, each in a table `[roles.<name>]`. `taxiway run` and
`taxiway migrate` create and change them behind the migrations, `taxiway roles apply` by itself, and
`taxiway roles plan` shows what would be done. [Add a database user](../how-to/add-a-database-user.md) tells how.
Names are taken as they are, in capital and small letters; those of the server's own roles (`pg_…`, `rds_…`) are
refused, and so are superusers and the user that is connected.

| Key | Value | Meaning |
| --- | --- | --- |
"""

_GRANTS: Final = """
A value that is not given leaves to the server what it has. A declaration that is removed drops no role and revokes
nothing.

What the words of `grants` mean. Tables are all sorts of them, views too. The schema history may be read and not
written. What belongs to an extension is left alone, and so is what other owners have, with a warning.

| | `none` | `read` | `write` | `all` |
| --- | --- | --- | --- | --- |
"""

_DEFAULT_PRIVILEGES: Final = """
For tables, sequences and routines there is `ALTER DEFAULT PRIVILEGES IN SCHEMA …` of the connected user with the
same privileges, so that what later migrations create is granted at once. Functions may be called by everybody in
PostgreSQL unless that was revoked; only `all` gives it back.

A smaller word revokes what the larger one had granted, and a schema that is not named any more is treated like
`none`. What was granted before is told by the default privileges. Other grants are left alone.
"""


def _roles() -> Iterator[str]:
    yield _ROLES
    yield from (f"| `{name}` | {key.expected} | {key.help} |\n" for name, key in ROLE_KEYS.items())
    yield _GRANTS
    for kind in ObjectKind:
        cells = (", ".join(sorted(GRANTS[grants].get(kind, ()))) or "nothing" for grants in Grants)
        yield f"| {kind.value.lower()} | {' | '.join(cells)} |\n"
    yield _DEFAULT_PRIVILEGES


_FLYWAY_ONLY: Final = """
## Settings of Flyway that are no options

They mean nothing without Java, without another database or without an account, or Flyway itself has them no more.
A warning comes only when the value would have had an effect.

| Setting | Where | What becomes of it |
| --- | --- | --- |
"""


def _flyway_only() -> Iterator[str]:
    for place, settings in BY_PLACE.items():
        for key, foreign in settings.items():
            yield f"| `{key}` | {place} | {_fate(foreign)} |\n"


def _fate(foreign: Foreign) -> str:
    match foreign:
        case Ignored(warning):
            return warning or "is ignored"
        case Unsupported(hint):
            return f"is an error. {hint}"
        case Obsolete(present):
            return f"is an error: Flyway has it no more. {f'Use {present}.' if present else 'Remove it.'}"


def _render_option(option: Option) -> str:
    lines = [f"\n### {option.key}\n", f"{option.help}\n", *(f"- {name}: {text}" for name, text in _facts(option))]
    return "\n".join(lines) + "\n"


def _facts(option: Option) -> Iterable[tuple[str, str]]:
    entry = ".<NAME>" if option.kind is Kind.MAP else ""
    if option.path:
        yield "`taxiway.toml`", f"{' or '.join(_places(option, TAXIWAY))}, {option.kind.value}"
        in_toml = "".join(f"{place} in TOML, " for place in _places(option, FLYWAY))
        yield "Flyway's files", f"{in_toml}`flyway.{option.key}{entry}` in conf"
    if option.environment_variable:
        yield "Environment", f"`{_variable(option)}`"
    yield "Command line", f"{f'`{_flag(option)}` or ' if option.flag else ''}`-{option.key}{entry}=…`"
    if option.default:
        default = option.default if isinstance(option.default, str) else ",".join(option.default)
        yield "Default", f"`{default}`"
    if option.path and not (option.overridable or option.in_environment):
        yield "Not in", "`[environments.<name>.flyway]`"
    if option.differs:
        yield "Not like Flyway", option.differs


def _places(option: Option, dialect: Dialect) -> Iterator[str]:
    """Where a file of the dialect may have the option, but for the overrides of an environment."""
    entry = ".<NAME>" if option.kind is Kind.MAP else ""
    tables = {**dialect.sections, "environments.<name>": dialect.of_environment}
    return (
        f"`{table}.{name}{entry}`"
        for table, names in tables.items()
        for name, one in names.items()
        if one is option
    )


def _flag(option: Option) -> str:
    match option.kind:
        case Kind.MAP:
            return f"{option.flag} NAME=VALUE"
        case Kind.BOOLEAN if option.flag:
            return f"{option.flag}`, `--no-{option.flag.removeprefix('--')}"
        case _:
            return str(option.flag)


_CLI_INTRODUCTION: Final = """\
<!-- Written by tools/reference.py from the commands' own help. Change that, not this file. -->

# Command line

Results go to standard output, errors to standard error. With `--output json` there is one JSON object on standard
output and no log. Settings can also be given in the environment and in files: [Configuration](configuration.md)
tells what each of them means, and which place wins.

Commands that work on a database can stand in one call, `taxiway clean migrate info`. They run in that order,
and the first failure is the last. Their results as JSON are `individualResults`; an error that is no result
comes beside them.

## Exit codes

| Code | Meaning |
| --- | --- |
"""

# What a caller does about each; docs/adr/0006-exit-codes.md says why.
EXIT_CODES: Final[Mapping[int, str]] = {
    exit_codes.SUCCESS: "Done, or nothing to do.",
    exit_codes.FAILED: "The operation failed: a migration, a validation, the schema history, a script; or its "
    "result could not be written to standard output.",
    exit_codes.USAGE: "Wrong usage or configuration: options, files, branch, keys, password. "
    "Trying again does not help.",
    exit_codes.NOT_KNOWN: "Of `why`: the object is there, and nobody on record has written it.",
    exit_codes.NOT_READY: "The environment was not ready: unreachable, locked, throttled, connection lost. "
    "Trying again may help.",
    exit_codes.BUG: "A bug in Taxiway; the only case with a traceback.",
    exit_codes.INTERRUPTED: "Interrupted (SIGINT). The open transaction is rolled back and the lock is free; the "
    "last line says what has stayed.",
    exit_codes.TERMINATED: "Terminated (SIGTERM). The open transaction is rolled back and the lock is free; the "
    "last line says what has stayed.",
}

_HELP_WIDTH: Final = 100

_FLYWAYS_STYLE: Final = """
## Flyway's command line

`taxiway` understands what is written for `flyway`: `-key=value` for every [setting](configuration.md), commands
and options in any order, blank arguments left out, but for those of `task`.

| Flyway | Here |
| --- | --- |
"""

_CALLBACKS: Final = """
## Callbacks

A script in a location that is named after an event runs at that moment: `beforeMigrate.sql`,
`afterMigrate__refresh_views.sql`.

"""


def render_cli(names: Iterable[str]) -> str:
    """The page of the commands: exit codes, Flyway's style, the help of each without the settings, callbacks."""
    rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    root = _context(taxiway, "taxiway", None)
    commands = (_context(command, name, root) for name in names if (command := taxiway.get_command(root, name)))
    helps = map(_render_help, (root, *(one for command in commands for one in _with_subcommands(command))))
    return "".join((_CLI_INTRODUCTION, rows, *helps, _FLYWAYS_STYLE, *_flyways_style(), _CALLBACKS, *_events()))


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    # Resilient, so that nothing is run and nothing is missed.
    return command.make_context(name, [], parent, resilient_parsing=True, terminal_width=_HELP_WIDTH)


def _with_subcommands(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            if command := context.command.get_command(context, name):
                yield _context(command, name, context)


def _render_help(context: click.Context) -> str:
    command, formatter = context.command, context.make_formatter()
    takes_settings = isinstance(command, SettingsCommand)
    command.format_usage(context, formatter)
    command.format_help_text(context, formatter)
    if isinstance(command, SettingsCommand):
        command.format_own_options(context, formatter)
    else:
        command.format_options(context, formatter)
    settings = "\nAnd every setting of [Configuration](configuration.md).\n" if takes_settings else ""
    return f"\n## {context.command_path}\n\n```text\n{formatter.getvalue().rstrip()}\n```\n{settings}"


def _flyways_style() -> Iterator[str]:
    for flyways, ours in FLAGS.items():
        yield f"| `{flyways}` | `{ours}` |\n"
    for key, ours in CALL_OPTIONS.items():
        yield f"| `-{key}=…` | `{ours}` |\n"
    for command, parameters in PARAMETERS.items():
        for key, ours in parameters.items():
            yield f"| `{command} -{key}=…`, `-{command}.{key}=…` | `{command} {ours}` |\n"
    yield f"| {', '.join(f'`{flag}`' for flag in sorted(IGNORED_FLAGS))} | accepted, without effect |\n"
    for word, instead in ELSEWHERE.items():
        yield f"| `{word}` | not here. {instead} |\n"


def _events() -> Iterator[str]:
    return (f"- `{event.value}`\n" for event in CallbackEvent)


_ENVIRONMENT_INTRODUCTION: Final = """\
<!-- Written by tools/reference.py from src/taxiway/runner/job.py and the table of options. Change those. -->

# Environment variables

The command line wins over these variables, and they win over all files, but for `[environments.<name>.flyway]`:
what stands there wins over both, as with Flyway. Their values are plain text: references such as `${secret:…}`
work in files only.

## The job of the container

Read by `taxiway run` only. An empty variable counts as one that is not set.

| Variable | Meaning |
| --- | --- |
"""

_ENVIRONMENT_OPTIONS: Final = """
## Options

Read by every command. [Configuration](configuration.md) has the details of each option. As with Flyway,
`flyway_<key>` and `environments_<name>_<key>`, with `_` for each dot and the key as it is written in files, are
variables as well, unless the configuration is in `flyway.conf`; `flyway_<key>` wins over `FLYWAY_<KEY>`.

| Variable | Option | Meaning |
| --- | --- | --- |
"""

_ENVIRONMENT_OTHERS: Final = """
## How a call answers

| Variable | Means |
| --- | --- |
| `TAXIWAY_LOG` | `json`: the log is one JSON object per line, as with `--log json` ([its shape](json-log.md)). |
| `NO_COLOR` | No colours, if it is not empty. |

## Variables of other programs

| Variable | Who reads it |
| --- | --- |
| `AWS_REGION`, `AWS_DEFAULT_REGION` | The region of secrets and tasks, when `REGION` is not set. |
| `TAXIWAY_ACTOR`, `GITHUB_ACTOR`, `GITLAB_USER_LOGIN` | `taxiway task` and `taxiway snapshot`, for who acts. |
| `GITHUB_API_URL` | `taxiway deploy-key create --register`, for a GitHub Enterprise Server. |
| `GITHUB_REF_NAME`, `GITHUB_SHA` | `taxiway snapshot create`, for what a snapshot is made for. |
| `AWS_PROFILE`, `AWS_ACCESS_KEY_ID`, … | The AWS SDK, for credentials. In a task it finds the role by itself. |
| `AWS_ENDPOINT_URL` | The AWS SDK: another address than AWS's, such as that of an emulator. |
| `PGHOST`, `PGPASSWORD`, `PGPASSFILE`, … | libpq, for connection parameters that no option sets. |
| `SSH_AUTH_SOCK` | ssh, for an SSH repository without `REPOSITORY_DEPLOY_KEY_SECRET`. |
| `TZ` | The time zone that `installed_on` is recorded in; without it, that of the machine. |
| `TMPDIR` | Where the clone of the repository lies while the job runs. |
"""


def render_environment(variables: Iterable[Variable], options: Iterable[Option]) -> str:
    """The page of all environment variables."""
    job = (f"| `{variable.name}` | {variable.help} |\n" for variable in variables)
    rows = (
        f"| `{_variable(option)}` | `{option.key}` | {option.help} |\n"
        for option in options
        if option.environment_variable
    )
    return "".join((_ENVIRONMENT_INTRODUCTION, *job, _ENVIRONMENT_OPTIONS, *rows, _ENVIRONMENT_OTHERS))


def _variable(option: Option) -> str:
    return f"{option.environment_variable}{'<NAME>' if option.kind is Kind.MAP else ''}"


_ERRORS_INTRODUCTION: Final = """\
<!-- Written by tools/reference.py from src/taxiway/errors.py. Change that, not this file. -->

# Errors

An error has a code that does not change between versions. It is the last line on standard error, `taxiwayCode` in
JSON, and `error.code` in Python. The line before it is the hint: what to do next.

The classes are in `taxiway.errors`. A class stands below the one that it derives from, so `except DatabaseError`
catches all of its kind. [Command line](cli.md#exit-codes) says what the exit codes mean.

| Code | Class | Exit code | Meaning |
| --- | --- | --- | --- |
"""


_STOPS_INTRODUCTION: Final = """
## Stops and bugs

What ends a command and is none of these errors has a code in JSON only. `migrations` has what is known to have
been applied until then. For people, the last line on standard error says where the command was.

| Code | Exit code | Meaning |
| --- | --- | --- |
"""

# By the code that flyway_error_json.stopped_json is given.
_STOPS: Final[Mapping[str, int]] = {
    "interrupted": exit_codes.INTERRUPTED,
    "terminated": exit_codes.TERMINATED,
    "bug": exit_codes.BUG,
}


def render_errors(root: type[errors.TaxiwayError]) -> str:
    """The page of all errors, in the order of the module, and of what else ends a command."""
    rows = (_render_error(error, depth) for error, depth in _tree(root, 0))
    stops = (f"| `{code}` | {number} | {EXIT_CODES[number]} |\n" for code, number in _STOPS.items())
    return "".join((_ERRORS_INTRODUCTION, *rows, _STOPS_INTRODUCTION, *stops))


def _tree(error: type[errors.TaxiwayError], depth: int) -> Iterator[tuple[type[errors.TaxiwayError], int]]:
    yield error, depth
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child, depth + 1)


def _render_error(error: type[errors.TaxiwayError], depth: int) -> str:
    meaning = " ".join((inspect.getdoc(error) or "").partition("\n\n")[0].split())
    exit_code = exit_codes.exit_code_for(error.__new__(error))
    indent = "&nbsp;&nbsp;" * depth
    return f"| `{error.code}` | {indent}{error.__name__} | {exit_code} | {_as_markdown(meaning)} |\n"


def _as_markdown(docstring: str) -> str:
    return re.sub(r"``(.+?)``", r"`\1`", docstring)


_RIGHTS_INTRODUCTION: Final = """\
<!-- Written by tools/reference.py from tools/rights.json, which tests record. Change that, not this file. -->

# Rights

The IAM actions that each command asks AWS for, recorded in an account in which every call is judged by the
policy of whoever makes it. Tests hold them to the calls in both directions: an action more or less fails. The
resources to name, and whole policies, are in the how-to pages: [tasks](../how-to/run-a-task.md#the-rights),
[infrastructure](../how-to/build-the-infrastructure.md#the-rights), [keys and
secrets](../how-to/make-keys-and-secrets.md#the-rights), [snapshots](../how-to/restore-a-snapshot.md#the-rights),
[tunnels](../how-to/open-a-tunnel.md#the-rights) and the [doctor](../how-to/check-everything.md#the-rights).

`infra deploy`, `destroy` and `status --drift` let CloudFormation work with the rights of whoever calls them:
what is not `cloudformation:…` there is its work, for a stack with an existing database or with every table.
Where a stack names things (`--stack`), all need `cloudformation:DescribeStacks` on it. `task run --snapshot`
needs that of `snapshot create`, too.

| Command | Actions |
| --- | --- |
"""


_BESIDES_INTRODUCTION: Final = """
## Besides

| Action | Needed for |
| --- | --- |
"""

# What no recorded call has needed, and when one does.
BESIDES: Final[Mapping[str, str]] = {
    "ecr:DescribeImages": "`doctor`, for an image in ECR",
    "ecs:ListClusters": "only to say what a misspelt name was meant to be",
    "ecs:ListTaskDefinitionFamilies": "only to say what a misspelt name was meant to be",
    "kms:Decrypt": "to read a secret with a KMS key of your own",
    "kms:GenerateDataKey": "to write a secret with a KMS key of your own",
    "rds:AddRoleToDBCluster": "`snapshot restore` of a cluster with associated roles; with `iam:PassRole`",
    "rds:AddRoleToDBInstance": "`snapshot restore` of an instance with associated roles; with `iam:PassRole`",
    "rds:CreateDBSnapshot": "`snapshot create` of an instance without a cluster",
    "rds:DescribeDBSnapshots": "`snapshot` commands for an instance without a cluster, or a database that is gone",
    "rds:RestoreDBInstanceFromDBSnapshot": "`snapshot restore` of an instance without a cluster",
    "sts:GetCallerIdentity": "`doctor`; it cannot be denied",
}


def render_rights(recorded: Mapping[str, Sequence[str]]) -> str:
    """The page of all actions by command. Those of one service stand together."""
    rows = (f"| `{command}` | {_by_service(actions) or 'none'} |\n" for command, actions in recorded.items())
    besides = (f"| `{action}` | {when} |\n" for action, when in BESIDES.items())
    return "".join((_RIGHTS_INTRODUCTION, *rows, _BESIDES_INTRODUCTION, *besides))


def _by_service(actions: Sequence[str]) -> str:
    services: dict[str, list[str]] = {}
    for action in actions:
        services.setdefault(action.partition(":")[0], []).append(action)
    return "<br>".join(", ".join(f"`{action}`" for action in some) for some in services.values())


def read_rights() -> dict[str, list[str]]:
    """What tests have recorded (tests/support/rights.py)."""
    recorded: dict[str, list[str]] = json.loads(
        Path(__file__).with_name("rights.json").read_text(encoding="utf-8")
    )
    return recorded


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/reference/cli.md": lambda: render_cli(COMMANDS),
    "docs/reference/configuration.md": lambda: render_configuration(OPTIONS),
    "docs/reference/environment.md": lambda: render_environment(VARIABLES, OPTIONS),
    "docs/reference/errors.md": lambda: render_errors(errors.TaxiwayError),
    "docs/reference/rights.md": lambda: render_rights(read_rights()),
}


def main(arguments: Sequence[str], root: Path) -> int:
    """Write the pages below the root, or only check them; the exit code."""
    stale = [name for name, render in PAGES.items() if _read(root / name) != render()]
    if list(arguments) == ["--check"]:
        for name in stale:
            print(f"{name} is not up to date: run python tools/reference.py", file=sys.stderr)
        return 1 if stale else 0
    if arguments:
        print("usage: python tools/reference.py [--check]", file=sys.stderr)
        return 2
    for name in stale:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(PAGES[name](), encoding="utf-8")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent.parent))
