"""What the environment variables say."""

from collections.abc import Iterator, Mapping

from taxiway.config.flyway_only import find_variable
from taxiway.config.keys import FlatKey, KeyCheck
from taxiway.config.layers import Given, Layer, Place, to_place
from taxiway.config.option import Kind, Option
from taxiway.config.options import OPTIONS


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """What the environment variables say for all environments."""
    return read_variables(environ).layer()


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
    return to_place(given, check.warnings)


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
    if not name.startswith(("flyway_", "environments_")):
        return
    key = FlatKey.parse(name.removeprefix("flyway_").replace("_", "."))
    found = key.find_option()
    if found and (found[0].kind is Kind.MAP) == bool(found[1]) and (text or found[0].may_be_empty):
        yield Given(option=found[0], value=text, origin=name, entry=found[1], scope=key.scope)
