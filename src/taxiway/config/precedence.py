"""Which of the values wins that several places give.

Precedence, high to low (Flyway 13): overrides of the environment, command line, environment variables, files,
defaults. In one place, what is given for the environment wins over what is given for all. Maps merge entry by
entry, but for the placeholders of overrides, which replace all others.

A database URL is a whole address. So a URL from a higher layer discards the host, port and database name of lower
ones, and whatever else it says itself (a user, a password, ``sslmode``…). A parameter from a higher layer wins
over the URL of a lower one, and beside a URL in the same layer the parameter wins.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from taxiway import errors
from taxiway.config.layers import Given, Layer, Place, Scope
from taxiway.config.resolvers import Template
from taxiway.config.url import parameters_in
from taxiway.nearest import find_nearest
from taxiway.secret import Secret, reveal

_ADDRESS: Final = frozenset({"host", "port", "databasename"})
_PLACEHOLDERS: Final = "placeholders."
# The environment that always exists, and the name that means none (Flyway 13)
_ALWAYS_THERE: Final = frozenset({"default", "-"})


def find_layers(places: Sequence[Place], environment: str) -> list[Layer]:
    """The layers of places for one environment, the highest first as the places are.

    Raises:
        UnknownEnvironment: No place has it.
    """
    known = {name for place in places for name in place.environments}
    if environment not in known | _ALWAYS_THERE:
        raise _unknown_environment(environment, known)
    overrides = _first([place.layer(Scope(environment, overrides=True)) for place in places])
    layers = [layer for place in places for layer in (place.layer(Scope(environment)), place.layer())]
    if any(key.startswith(_PLACEHOLDERS) for key in overrides):
        layers = [_without_placeholders(layer) for layer in layers]
    return [overrides, *layers]


def _first(layers: Iterable[Layer]) -> Layer:
    return {key: given for layer in reversed(list(layers)) for key, given in layer.items()}


def _without_placeholders(layer: Layer) -> Layer:
    return {key: given for key, given in layer.items() if not key.startswith(_PLACEHOLDERS)}


def _unknown_environment(name: str, known: Iterable[str]) -> errors.UnknownEnvironment:
    near = find_nearest(name, known)
    there_are = f"There are {', '.join(sorted(known))}." if known else "The configuration files have none."
    return errors.UnknownEnvironment(
        f"There is no environment '{name}'. {there_are}",
        hint=f"Did you mean '{near}'? Upper and lower case differ."
        if near
        else f"Add [environments.{name}] to the configuration file, or name another one with --environment.",
    )


def choose(layers: Sequence[Layer]) -> tuple[Given, ...]:
    """The value that wins for each key. An entry keeps the spelling of the lowest layer, usually the file's."""
    chosen: dict[str, Given] = {}
    for layer in layers:
        settled = _settled_by_url(chosen)
        chosen |= {key: given for key, given in layer.items() if key not in chosen and key not in settled}
    entries = {key: given.entry for layer in layers for key, given in layer.items()}
    return tuple(replace(given, entry=entries[key]) for key, given in chosen.items())


def _settled_by_url(higher: Layer) -> frozenset[str]:
    if "url" not in higher:
        return frozenset()
    match higher["url"].value:
        case Template() as template:
            return _ADDRESS | parameters_in(template.form)
        case str() | Secret() as url:
            return _ADDRESS | parameters_in(reveal(url))
    return _ADDRESS
