"""The targets, one module each."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from fuzz.target import Target

NAMES: Final = (
    "command_line",
    "database_url",
    "encoding",
    "expression",
    "file_name",
    "flyway_conf",
    "flyway_toml",
    "git_address",
    "option_value",
    "placeholders",
    "private_key",
    "properties",
    "redactor",
    "script_configuration",
    "sql",
    "taxiway_toml",
    "version",
    "wildcard",
)


def get_target(name: str) -> Target:
    """A target; only its own module is imported, so that the fuzzer can watch what that imports."""
    target = import_module(f"fuzz.targets.{name}").TARGET
    assert isinstance(target, Target)
    return target


def all_targets() -> Mapping[str, Target]:
    """Every target by its name."""
    return {name: get_target(name) for name in NAMES}
