"""The whole reading of a configuration file, from the file to the settings, for the targets of three syntaxes."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from fuzz.draw import Draw
from fuzz.target import SECRET, check_error, without_secret
from taxiway.config.load import load
from taxiway.config.option import Kind
from taxiway.config.options import OPTIONS
from taxiway.errors import TaxiwayError
from taxiway.secret import Redactor, Secret

ENVIRON: Final = {"STAGE": "prod", "APP_PASSWORD": SECRET, "URL": "postgresql://h/db", "LINES": "a\nb=c"}
MODULES: Final = ("taxiway.config.merge", "taxiway.config.template", "taxiway.config.effective")
WORDS: Final = (
    *("url", "user", "password", "schemas", "locations", "placeholders", "target", "table", "encoding", "mixed"),
    *("environments", "environment", "default", "prod", "jdbcProperties", "errorOverrides", "cherryPick"),
    *("ignoreMigrationPatterns", "initSql", "connectRetries", "lockRetryCount", "baselineVersion", "color"),
    *("sqlMigrationSuffixes", "placeholderPrefix", "placeholderSeparator", "installedBy", "resolvers"),
    *("${env:STAGE}", "${env.STAGE}", "${env:APP_PASSWORD}", "${secret:a#b}", "${placeholder:a}", "$${", "!{"),
    *("postgresql://", "jdbc:postgresql://", "filesystem:", "classpath:", "true", "false", "1", "latest", "\n"),
)


def each_option(line: str) -> tuple[str, ...]:
    """The line for every option of files: ``path`` and ``key`` are its names, ``value`` one that it may take."""
    values = {Kind.BOOLEAN: "true", Kind.INTEGER: "5", Kind.LIST: '["*:missing"]', Kind.MAP: '{a = "b"}'}
    return tuple(
        line.format(path=option.path, key=option.key, value=values.get(option.kind, '"${env:STAGE}"'))
        for option in OPTIONS
        if option.in_files
    )


def check_file(name: str) -> Callable[[bytes], None]:
    """The check for a file of that name. Its first byte chooses whether the file belongs to a clone.

    Holds: settings or an error, which has no secret in it; nothing that people see of the settings has one that
    the redactor of the settings' secrets would leave.
    """

    def check(data: bytes) -> None:
        draw = Draw(data)
        is_in_clone = draw.boolean()
        directory = _directory(name)
        (directory / name).write_bytes(_without_secret(draw.rest()))
        try:
            loaded = load(
                {},
                environ=ENVIRON,
                directory=directory,
                inside=directory if is_in_clone else None,
                secret=lambda _name, _key: Secret(SECRET),
            )
            roles = loaded.read_roles()
        except TaxiwayError as error:
            check_error(error)
            return
        redact = Redactor([*loaded.secrets, *(role.password for role in roles if role.password is not None)])
        shown = [f"{one.key} {one.value} {one.origin}" for one in loaded.effective]
        for text in (*shown, *loaded.warnings, repr(loaded.settings), repr(roles)):
            assert SECRET not in text or SECRET not in redact(text), "a secret is shown"

    return check


def _without_secret(content: bytes) -> bytes:
    return without_secret(content.decode("latin-1")).encode("latin-1")


@cache
def _directory(name: str) -> Path:
    """An empty directory; the caches of Python keep it until the process ends."""
    _KEPT.append(tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-"))
    return Path(_KEPT[-1].name)


_KEPT: Final[list["tempfile.TemporaryDirectory[str]"]] = []
