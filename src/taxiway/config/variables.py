"""What the environment variables say."""

from collections.abc import Iterator, Mapping
from typing import Final

from taxiway.config.flyway_only import find_variable
from taxiway.config.keys import FlatKey, KeyCheck
from taxiway.config.layers import Given, Place, to_place
from taxiway.config.option import Kind, Option
from taxiway.config.options import OPTIONS

_DOTTED: Final = ("flyway_", "environments_")


def read_variables(environ: Mapping[str, str]) -> Place:
    """What the environment variables say, ``FLYWAY_PLACEHOLDERS_<NAME>`` in lower case as Flyway does it.

    Variables that no option has are ignored (Flyway 13, and they may be meant for other programs). An empty
    variable counts as not set where the option accepts nothing empty: deployment tools like to set all of them.
    ``flyway_<key>`` and ``environments_<name>_<key>``, with ``_`` for each dot, are variables as well; the first
    wins over ``FLYWAY_<KEY>`` (Flyway 13).

    Raises:
        UnsupportedOption: A variable of Flyway's would change what a command does.
    """
    given = [
        *(one for option in OPTIONS for one in _from_environment(option, environ)),
        *(one for name in sorted(environ) for one in _from_dotted_variable(name, environ[name])),
    ]
    check = KeyCheck("environment")
    for name in sorted(environ):
        if foreign := find_variable(name):
            check.foreign(name, environ[name], foreign)
    check.finish()
    return to_place(given, check.warnings)


def without_dotted(variables: Place) -> Place:
    """The variables that Flyway reads beside files in the syntax of ``flyway.conf``: not those in small letters.

    ``flyway_environment`` stays: it is the only name of that variable.
    """
    dotted = [one for one in variables.given if one.origin.startswith(_DOTTED) and not _is_only_name(one)]
    kept = [one for one in variables.given if one not in dotted]
    warnings = (
        f"{one.origin} has no effect: variables in small letters are read beside files in TOML only."
        for one in dotted
    )
    return to_place(kept, (*variables.warnings, *warnings))


def _is_only_name(given: Given) -> bool:
    return given.origin == given.option.environment_variable


def _from_environment(option: Option, environ: Mapping[str, str]) -> Iterator[Given]:
    start = option.environment_variable
    if start is None:
        return
    if option.kind is Kind.MAP:
        for name in sorted(environ):
            if entry := name.removeprefix(start) if name.startswith(start) else "":
                yield Given(option=option, value=environ[name], origin=name, entry=_entry(option, entry))
    elif (text := environ.get(start)) is not None and (text or option.may_be_empty):
        yield Given(option=option, value=text, origin=start)


def _entry(option: Option, name: str) -> str:
    """Names are in lower case, but for the one property that Flyway writes otherwise."""
    return "accessToken" if option.key == "jdbcProperties" and name == "ACCESSTOKEN" else name.lower()


def _from_dotted_variable(name: str, text: str) -> Iterator[Given]:
    if not name.startswith(_DOTTED):
        return
    key = FlatKey.parse(name.removeprefix("flyway_").replace("_", "."))
    found = key.find_option()
    if not found or not found[0].in_variables:
        return
    option, entry = found
    if (option.kind is Kind.MAP) == bool(entry) and (text or option.may_be_empty):
        yield Given(option=option, value=text, origin=name, entry=entry, scope=key.scope)
