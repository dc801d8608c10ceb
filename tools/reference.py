"""Writes the reference pages that are made from tables in the code.

``python tools/reference.py`` writes them; ``--check`` changes nothing and fails when one is not up to date.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from taxiway.config.option import Group, Kind, Option
from taxiway.config.options import OPTIONS

_CONFIGURATION_INTRODUCTION: Final = """\
<!-- Written by tools/reference.py from src/taxiway/config/options.py. Change those, not this file. -->

# Configuration

An option can be set on the command line, in an environment variable, or in `taxiway.toml`. The command line wins
over the environment, the environment over the file, the file over the default. Placeholders merge name by name.
Names are Flyway's; the places where Taxiway is not like Flyway are marked.

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

A key that is not in this page is an error, which names the nearest key that is.

## References

A text in `taxiway.toml` may hold references to texts that stand elsewhere:

| Reference | Stands for |
| --- | --- |
| `${env:NAME}` | the environment variable; it is an error when it is not set. `${env.NAME}` is the same |
| `${secret:ID#KEY}` | the value of one key of a JSON secret in AWS Secrets Manager. The ID is a name or an ARN |
| `${secret:ID}` | the whole text of a secret |
| `$${` | the characters `${` |

Text and references can be mixed: `"db-${env:STAGE}.example.com"`. A reference is looked up only when no variable
and no argument sets the same option. White space around the values stays. References work in `taxiway.toml` only;
they are not resolved in `placeholderPrefix`, `placeholderSuffix` and `placeholderSeparator`.

A number, a boolean or a list may be given as a text when it holds a reference: `port = "${env:DB_PORT}"`. It is
then read like the text of an environment variable.

## Environment variables

Lists are separated by commas. An empty variable counts as one that is not set, unless the option accepts an empty
value. Variables that start with `FLYWAY_` and belong to no option are ignored.

## Passwords

`taxiway.toml` is part of a repository, so a password in it must be a reference, and a URL in it must not have one.
There is no flag for a password, because everybody on the machine can read the arguments of a process. Values that
are confidential are never shown, and options that are shown refuse them. In a secret, the keys `username`, `host`,
`port`, `dbname`, `engine`, `dbInstanceIdentifier` and `dbClusterIdentifier` are not confidential; all else is.

## The URL and its parts

A URL is a whole address. A URL that is set in a higher place (an environment variable, say) discards the host, the
port and the database name that are set in a lower one (the file), and whatever else it says itself, such as a user
or `sslmode`. A part that is set in a higher or the same place wins over the URL.
"""


def render_configuration(options: Sequence[Option]) -> str:
    """The page of all options, by group."""
    parts = [_CONFIGURATION_INTRODUCTION]
    for group in Group:
        parts.append(f"\n## {group.value}\n")
        parts.extend(_render_option(option) for option in options if option.group is group)
    return "".join(parts)


def _render_option(option: Option) -> str:
    lines = [f"\n### {option.key}\n", f"{option.help}\n", *(f"- {name}: {text}" for name, text in _facts(option))]
    return "\n".join(lines) + "\n"


def _facts(option: Option) -> Iterable[tuple[str, str]]:
    is_map = option.kind is Kind.MAP
    yield "`taxiway.toml`", f"`{option.path}{'.<NAME>' if is_map else ''}`, {option.kind.value}"
    yield "Environment", f"`{option.environment_variable}{'<NAME>' if is_map else ''}`"
    if option.flag:
        yield "Command line", f"`{option.flag}{' NAME=VALUE' if is_map else ''}`"
    if option.default:
        default = option.default if isinstance(option.default, str) else ",".join(option.default)
        yield "Default", f"`{default}`"
    if option.differs:
        yield "Not like Flyway", option.differs


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/reference/configuration.md": lambda: render_configuration(OPTIONS),
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
