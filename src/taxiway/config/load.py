"""Finds and reads ``taxiway.toml``, and makes settings of it, the environment and the command line."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from taxiway import errors
from taxiway.config.layers import Layer, arguments_layer, environment_layer
from taxiway.config.merge import Loaded, merge
from taxiway.config.resolvers import SecretReader, resolve
from taxiway.config.toml import parse_toml
from taxiway.secret import Secret

FILE_NAME: Final = "taxiway.toml"

# Far more than anybody writes. A link to /dev/zero would be read until the memory is full.
_MOST_BYTES: Final = 1024 * 1024


def read_file(path: Path) -> Layer:
    """The layer of one file. A byte order mark at its start is dropped.

    Raises:
        ConfigFileUnreadable: It cannot be read, is larger than 1 MiB, not UTF-8 or not TOML.
        ConfigError: See :func:`taxiway.config.toml.parse_toml`.
    """
    try:
        text = _read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise errors.ConfigFileUnreadable(
            f"{path.name} is not UTF-8: byte {error.start + 1} is wrong.", hint="Save the file as UTF-8."
        ) from None
    return parse_toml(text, name=path.name)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise errors.ConfigFileUnreadable(
            f"{path} cannot be read: {error.strerror}.", hint="Name a file that exists and is readable."
        ) from error
    if len(content) > _MOST_BYTES:
        raise errors.ConfigFileUnreadable(
            f"{path.name} is larger than 1 MiB.", hint="Name the configuration file of the project."
        )
    return content


def load(
    arguments: Mapping[str, object],
    *,
    environ: Mapping[str, str],
    directory: Path,
    secret: SecretReader,
    file: Path | None = None,
    inside: Path | None = None,
) -> Loaded:
    """Settings from the command line, the environment, a file and the defaults.

    Without ``file`` it is ``taxiway.toml`` in ``directory``, if there is one. Parent folders are not searched, so
    what a command does depends on nothing outside the project. ``inside`` is the clone that the file belongs to,
    when it belongs to one: no symbolic link may lead out of it.

    Raises:
        ConfigError: The file, a variable or an argument cannot be used.
        TaxiwayError: Whatever ``secret`` raises.
    """

    def resolve_value(text: str, origin: str) -> str | Secret:
        return resolve(text, origin=origin, environment=environ, secret=secret)

    path = file or directory / FILE_NAME
    # A dangling link is there: reading it fails, which is better than to go on without the settings.
    is_there = file is not None or path.exists(follow_symlinks=False)
    if is_there and inside is not None:
        _check_inside(path, inside)
    layers = [arguments_layer(arguments), environment_layer(environ), read_file(path) if is_there else {}]
    return merge(layers, resolve=resolve_value)


def _check_inside(path: Path, inside: Path) -> None:
    """Otherwise a repository could make the task show files of the container, or wait for a pipe."""
    # Not Path.resolve(): that of Python 3.12 raises RuntimeError for a link that leads to itself.
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(inside)):
        raise errors.ConfigFileUnreadable(
            f"{path.name} is a symbolic link that points outside the repository.",
            hint="Commit the file itself in the place of the link.",
        )
    if not real.is_file():
        raise errors.ConfigFileUnreadable(
            f"{path.name} is not a file.", hint=f"Commit {path.name} as a regular file, or remove it."
        )
