"""Finds and reads ``taxiway.toml``, and makes settings of it, the environment and the command line."""

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


def read_file(path: Path) -> Layer:
    """The layer of one file. A byte order mark at its start is dropped.

    Raises:
        ConfigFileUnreadable: It cannot be read, is not UTF-8 or not TOML.
        ConfigError: See :func:`taxiway.config.toml.parse_toml`.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise errors.ConfigFileUnreadable(
            f"{path} cannot be read: {error.strerror}.", hint="Name a file that exists and is readable."
        ) from error
    except UnicodeDecodeError as error:
        raise errors.ConfigFileUnreadable(
            f"{path} is not UTF-8: byte {error.start + 1} is wrong.", hint="Save the file as UTF-8."
        ) from None
    return parse_toml(text, name=path.name)


def load(
    arguments: Mapping[str, object],
    *,
    environ: Mapping[str, str],
    directory: Path,
    secret: SecretReader,
    file: Path | None = None,
) -> Loaded:
    """Settings from the command line, the environment, a file and the defaults.

    Without ``file`` it is ``taxiway.toml`` in ``directory``, if there is one. Parent folders are not searched, so
    what a command does depends on nothing outside the project.

    Raises:
        ConfigError: The file, a variable or an argument cannot be used.
        TaxiwayError: Whatever ``secret`` raises.
    """

    def resolve_value(text: str, origin: str) -> str | Secret:
        return resolve(text, origin=origin, environment=environ, secret=secret)

    path = file or directory / FILE_NAME
    # A dangling link is there: reading it fails, which is better than to go on without the settings.
    is_there = file is not None or path.exists(follow_symlinks=False)
    layers = [arguments_layer(arguments), environment_layer(environ), read_file(path) if is_there else {}]
    return merge(layers, resolve=resolve_value)
