"""The beginning of a project: its configuration file and its folder of scripts."""

import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from taxiway import errors
from taxiway.authoring.flyway_conf import convert_conf
from taxiway.authoring.toml import render_project
from taxiway.config.files import FILE_NAME, FLYWAY_NAMES
from taxiway.config.toml import parse_toml
from taxiway.model.result import InitResult


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """What is asked for. ``source`` is a flyway.conf whose settings are taken over."""

    name: str | None = None
    file_name: str = FILE_NAME
    source: Path | None = None


def init_project(new: NewProject, *, directory: Path) -> InitResult:
    """Write the configuration file, and make the folder of scripts. What is there is never replaced.

    Beside a configuration of Flyway's, which goes on to hold, the file has no settings unless some are taken over:
    it would win over the other one, and lead to another database. The scripts of such a project are there, too.

    The file is read before it is written: one that the other commands would refuse is refused here.

    Raises:
        FileAlreadyExists: The configuration file is there.
        ConfigFileUnreadable: The file to convert cannot be read.
        ConfigError: It has a setting that does not exist, that cannot be had here, or that our file cannot say.
        InvalidOption: Another file than a ``taxiway.toml`` is asked for.
    """
    path = directory / new.file_name
    _refuse_other_files(path)
    name = new.name or directory.resolve().name
    project_id = str(uuid.uuid4())
    beside = _files_of_flyway(path.parent)
    settings = convert_conf(new.source) if new.source else ({} if beside else _EXAMPLE)
    examples = _LOGIN if settings is _EXAMPLE else ()
    text = render_project(name, project_id, settings, remarks=_remarks(beside), examples=examples)
    parse_toml(text)
    _write_new(path, text)
    has_scripts = bool(beside) or "flyway.locations" in settings
    location = None if has_scripts else _make_folder(directory / "sql")
    overrules = bool(beside and settings)
    return InitResult(path=str(path), project_id=project_id, location=location, beside=beside, overrules=overrules)


def _files_of_flyway(directory: Path) -> tuple[str, ...]:
    """Those that are read there, by their names."""
    there = (tuple(name for name in names if os.path.lexists(directory / name)) for names in FLYWAY_NAMES)
    return next(filter(None, there), ())


def _remarks(beside: Sequence[str]) -> list[str]:
    return [f"Settings in this file win over those of {' and '.join(beside)}; all others hold."] if beside else []


def _refuse_other_files(path: Path) -> None:
    """Under another name it would be read as a file of Flyway's, where ``[database]`` means nothing."""
    if path.name != FILE_NAME:
        raise errors.InvalidOption(
            f"{path.name} cannot be made: files of Flyway's are read here, and not written.",
            hint=f"Name a {FILE_NAME} as file name (--file-name), or none.",
        )


def _make_folder(path: Path) -> str:
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise errors.InvalidOption(
            f"The folder {path} cannot be made: {error.strerror}.",
            hint="Make a folder for the scripts, and name it in flyway.locations.",
        ) from error
    return str(path)


_EXAMPLE: Final[Mapping[str, object]] = {
    "database.host": "${env:DB_HOST}",
    "database.name": "${env:DB_NAME}",
}
# In comments: a reference to a variable that is not set would bar the login by .pgpass or by a URL.
_LOGIN: Final = (
    "Without these two: FLYWAY_USER and FLYWAY_PASSWORD, those of the URL, or libpq's own, such as ~/.pgpass.",
    'user = "${env:DB_USER}"',
    'password = "${env:DB_PASSWORD}"',
)


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise errors.FileAlreadyExists(
            f"{path} is there already.", hint="Edit it, or start in another folder."
        ) from None
    except OSError as error:
        raise errors.InvalidOption(
            f"{path} cannot be written: {error.strerror}.", hint="Name another place, or mend its rights."
        ) from error
