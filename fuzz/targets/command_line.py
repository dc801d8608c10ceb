"""Command lines in Flyway's style and in ours, up to the settings in them.

Holds: a command line that click can read, or a usage error; the settings of it are values, or a configuration
error; no argument in our style is lost.
"""

from contextlib import suppress
from typing import Final

import click

from fuzz.draw import Draw, settings_and
from fuzz.target import Target, check_error, repeated
from taxiway.cli.flyway_args import parse_command_line, wants_json
from taxiway.config.arguments import read_command_line
from taxiway.config.merge import find_visible_secrets
from taxiway.errors import ConfigError, TaxiwayError


def check(data: bytes) -> None:
    """See the top of this module."""
    arguments = Draw(data).texts()
    wants_json(arguments)
    try:
        line = parse_command_line(arguments)
    except click.UsageError as error:
        assert error.message.strip()
        return
    except TaxiwayError as error:
        check_error(error)
        return
    assert all(isinstance(one, str) for one in line.rest)
    with suppress(ConfigError):
        find_visible_secrets(line.settings)
        for given in read_command_line(line.settings).given:
            assert given.origin


TARGET: Final = Target(
    name="command_line",
    check=check,
    modules=("taxiway.cli.flyway_args", "taxiway.config.arguments", "taxiway.config.keys", "taxiway.cli.names"),
    seeds=tuple(
        settings_and("\0".join(arguments))
        for arguments in (
            ("-url=jdbc:postgresql://h/db", "-user=u", "-password=p", "migrate"),
            ("-placeholders.a=b", "-environments.prod.url=x", "-environment=prod", "info", "--json"),
            ("-outputType=json", "-color=always", "-X", "-q", "-n", "-community", "migrate", "--target", "1"),
            ("add", "-type=undo", "-add.description=x", "-init.from=y", "-force=true", "-nameOnly=maybe"),
            ("-url", "x"),
            ("-urll=x",),
            ("-outputTyp=json",),
            ("help", "migrate"),
            ("-?",),
            ("-v",),
            ("--version",),
            ("migrat",),
            ("check",),
            ("testConnection", " ", "-placeholders=x", "-mixed="),
            ("-tabel",),
            ("-o", "json", "-ojson", "-add.nothing=1", "add"),
            ("-vault.token=x", "-batch=true", "-dryRunOutput=x"),
        )
    ),
    words=(
        *(
            "-",
            "--",
            "=",
            "\0",
            "url",
            "placeholders.",
            "environments.",
            "flyway.",
            "migrate",
            "info",
            "add",
            "init",
        ),
        *(
            "-outputType=",
            "json",
            "-o",
            "help",
            "-X",
            "-force=",
            "true",
            "-add.",
            "-type=",
            "--target",
            "--config",
        ),
        *("-user=", "-password=", "-errorOverrides=", "--placeholder", "--version", "-vault.", "-color="),
    ),
    shapes={
        "settings": repeated("-mixed=true\0"),
        "placeholders": lambda times: b"\0".join(b"-placeholders.k%d=v" % number for number in range(times)),
        "words": repeated("a\0"),
        "flags": repeated("--x\0"),
        "unknown keys": lambda times: b"\0".join(b"-k%d=v" % number for number in range(times)),
        "a long key": repeated("a", before="-", after="=x"),
        "a long value": repeated("a=", before="-url="),
        "a long flag": repeated("a", before="-"),
        "dots": repeated("a.", before="-", after="=x"),
        "helps": repeated("help\0"),
    },
)
