"""Which of the values wins that several places give.

Precedence, high to low (Flyway 13): overrides of the environment, command line, environment variables, files,
defaults. In one place, what is given for the environment wins over what is given for all. Maps merge entry by
entry, but for the placeholders of overrides, which replace all others.

A database URL is a whole address. So a URL from a higher layer discards the host, port and database name of lower
ones, and whatever else it says itself (a user, a password, ``sslmode``…). A parameter from a higher layer wins
over the URL of a lower one, and beside a URL in the same layer the parameter wins. A host from a higher layer
discards the ``hostaddr`` of lower ones, which is the address of another host.

The variables without a prefix (``DB_HOST``, …) are another thing: deployment tools set them for any program. They
give way to a URL that whoever calls us has given, and to one in Flyway's files. Over a URL in ``taxiway.toml`` or
in any file of a clone they win: a repository must not decide where the passwords of a task go.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from taxiway import errors
from taxiway.config.layers import Given, Layer, Place, Scope
from taxiway.config.template import Template
from taxiway.config.url import parameters_in
from taxiway.nearest import find_nearest
from taxiway.secret import Secret, reveal

_PREFIXES: Final = ("flyway_", "taxiway_")
_ADDRESS: Final = frozenset({"host", "hostaddr", "port", "databasename"})
_OF_HOST: Final = frozenset({"hostaddr"})
# Options that a URL may set besides. A parameter of any other name, which no driver has, hides no option.
_ALSO_IN_URLS: Final = frozenset({"user", "password", "sslmode", "sslrootcert"})
_PLACEHOLDERS: Final = "placeholders."
# The environment that always exists, and the name that means none (Flyway 13)
_ALWAYS_THERE: Final = frozenset({"default", "-"})


def find_layers(places: Sequence[Place], environment: str, origin: str) -> list[Layer]:
    """The layers of places for one environment, the highest first as the places are.

    ``origin`` is where the environment was chosen, for the error.

    Raises:
        UnknownEnvironment: No place has it.
    """
    known = {name for place in places for name in place.environments}
    if environment not in known | _ALWAYS_THERE:
        raise _unknown_environment(environment, known, origin)
    overrides = _first([place.layer(Scope(environment, overrides=True)) for place in places])
    layers = [layer for place in places for layer in (place.layer(Scope(environment)), place.layer())]
    if any(key.startswith(_PLACEHOLDERS) for key in overrides):
        layers = [_without_placeholders(layer) for layer in layers]
    return [overrides, *layers]


def _first(layers: Iterable[Layer]) -> Layer:
    return {key: given for layer in reversed(list(layers)) for key, given in layer.items()}


def _without_placeholders(layer: Layer) -> Layer:
    return {key: given for key, given in layer.items() if not key.startswith(_PLACEHOLDERS)}


def _unknown_environment(name: str, known: Iterable[str], origin: str) -> errors.UnknownEnvironment:
    near = find_nearest(name, known)
    there_are = f"There are {', '.join(sorted(known))}." if known else "The configuration has none."
    if near is None:
        hint = (
            f"Add [environments.{name}] to the configuration file, or name another one as environment "
            "(--environment, flyway_environment)."
        )
    else:
        cases = " Upper and lower case differ." if near.casefold() == name.casefold() else ""
        hint = f"Did you mean '{near}'?{cases}"
    return errors.UnknownEnvironment(f"{origin}: there is no environment '{name}'. {there_are}", hint=hint)


def choose(layers: Sequence[Layer]) -> tuple[Given, ...]:
    """The value that wins for each key. An entry keeps the spelling of the lowest layer, usually the file's."""
    chosen: dict[str, Given] = {}
    for layer in layers:
        settled = _settled_by_url(chosen) | (_OF_HOST if "host" in chosen else frozenset())
        chosen |= {key: given for key, given in layer.items() if key not in chosen and key not in settled}
    entries = {key: given.entry for layer in layers for key, given in layer.items()}
    return tuple(replace(given, entry=entries[key]) for key, given in chosen.items())


def pass_over_parts(layers: Sequence[Layer], *, weaker: Collection[Given]) -> tuple[list[Layer], tuple[str, ...]]:
    """The layers without the variables of any program, if one of them has a URL; and a warning that names them.

    A URL among the ``weaker`` values does not count. Variables that the URL itself refers to have their effect,
    and are not named.
    """
    url = next((layer["url"] for layer in layers if "url" in layer), None)
    if url is None or any(given is url for given in weaker):
        return [*layers], ()
    kept: list[Layer] = [
        {key: given for key, given in layer.items() if not _is_of_any_program(given)} for layer in layers
    ]
    references = url.value.references if isinstance(url.value, Template) else ()
    names = [given.origin for layer in layers for given in layer.values() if _is_of_any_program(given)]
    unused = [name for name in names if name not in {reference.name for reference in references}]
    verb = "is" if len(unused) == 1 else "are"
    warning = f"{', '.join(unused)} {verb} passed over: the database is that of {url.origin}."
    return kept, (warning,) if unused else ()


def _is_of_any_program(given: Given) -> bool:
    """It comes from a variable that has no prefix, neither Flyway's nor ours."""
    variable = given.option.environment_variable or ""
    return given.origin == variable and not variable.lower().startswith(_PREFIXES)


def _settled_by_url(higher: Layer) -> frozenset[str]:
    if "url" not in higher:
        return frozenset()
    match higher["url"].value:
        case Template() as template:
            return _ADDRESS | (_ALSO_IN_URLS & parameters_in(template.form))
        case str() | Secret() as url:
            return _ADDRESS | (_ALSO_IN_URLS & parameters_in(reveal(url)))
    return _ADDRESS
