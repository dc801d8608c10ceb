"""From layers to settings: what is highest wins, is resolved, converted, checked and put in its place.

Precedence, high to low (Flyway 13): command line, environment, file, defaults. Maps merge entry by entry.

A database URL is a whole address. So a URL from a higher layer discards the host, port and database name of lower
ones, and whatever else it says itself (a user, a password, ``sslmode``…). A parameter from a higher layer wins
over the URL of a lower one, and beside a URL in the same layer the parameter wins.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from taxiway.config import parse
from taxiway.config.layers import Given, Layer, Raw, arguments_layer, defaults_layer, invalid
from taxiway.config.option import Kind
from taxiway.config.url import parameters_in, passwords_in
from taxiway.model.settings import Settings
from taxiway.secret import Secret, reveal

type Resolve = Callable[[str, str], str | Secret]
"""From a text with references, and its origin, to the text that is meant."""

_ADDRESS: Final = frozenset({"host", "port", "databasename"})
# Flyway prints placeholder values; these names say that nobody should see them.
_CONFIDENTIAL: Final = re.compile(r"passw|pwd|secret|token|credential|(private|api|access)_?key", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings, where each came from, and what of it is confidential.

    Attributes:
        origins: By key, as in ``outOfOrder`` and ``placeholders.DATABASE_NAME``: ``--out-of-order``,
            ``FLYWAY_OUT_OF_ORDER``, ``taxiway.toml: flyway.outOfOrder`` or ``default``.
        secrets: For the caller's :class:`~taxiway.secret.Redactor`.
    """

    settings: Settings
    origins: Mapping[str, str]
    secrets: tuple[Secret, ...]


def merge(layers: Sequence[Layer], *, resolve: Resolve) -> Loaded:
    """Settings from layers, the highest first; the defaults are added.

    Only values that win are resolved: a secret that a higher layer overrides is never fetched.

    Raises:
        InvalidOption: A value that its option does not accept.
    """
    chosen = list(_chosen([*layers, defaults_layer()]))
    _check_placeholder_names(chosen)
    values = [(given, _value(given, resolve)) for given in chosen]
    settings = Settings()
    for given, value in values:
        settings = _with(settings, given.field, value)
    return Loaded(
        settings=settings,
        origins={given.key: given.origin for given in chosen},
        secrets=tuple(secret for given, value in values for secret in _secrets(given, value)),
    )


def find_visible_secrets(arguments: Mapping[str, object]) -> tuple[str, ...]:
    """The arguments with something confidential in them, as ``--url`` and ``--placeholder APP_PASSWORD``.

    Everybody on a machine can read the arguments of a process. Flyway's users give passwords there all the same.
    """
    given = arguments_layer(arguments).values()
    return tuple(one.origin for one in given if _CONFIDENTIAL.search(one.entry) or _is_url_with_password(one))


def _is_url_with_password(given: Given) -> bool:
    return given.option.key == "url" and isinstance(given.value, str) and bool(passwords_in(given.value))


def _chosen(layers: Sequence[Layer]) -> Iterator[Given]:
    """The value that wins for each key. An entry keeps the spelling of the lowest layer, usually the file's."""
    chosen: dict[str, Given] = {}
    for layer in layers:
        settled = _settled_by_url(chosen)
        chosen |= {key: given for key, given in layer.items() if key not in chosen and key not in settled}
    entries = {key: given.entry for layer in layers for key, given in layer.items()}
    return (replace(given, entry=entries[key]) for key, given in chosen.items())


def _settled_by_url(higher: Layer) -> frozenset[str]:
    if "url" not in higher:
        return frozenset()
    url = higher["url"].value
    return _ADDRESS | (parameters_in(reveal(url)) if isinstance(url, str | Secret) else frozenset())


def _check_placeholder_names(chosen: Iterable[Given]) -> None:
    """Names of built-in placeholders cannot be given (Flyway 13)."""
    by_key = {given.key: given for given in chosen}
    reserved = f"flyway{by_key['placeholderSeparator'].value}"
    for given in by_key.values():
        if given.entry.lower().startswith(reserved.lower()):
            raise invalid(
                given.option,
                given.origin,
                f"names of placeholders must not begin with '{reserved}': those are built in",
                hint=f"Rename the placeholder '{given.entry}'.",
            )


def _value(given: Given, resolve: Resolve) -> object:
    try:
        return _converted(given, _resolved(given, resolve))
    except ValueError as error:
        raise invalid(given.option, given.origin, str(error).rstrip(".")) from None


def _resolved(given: Given, resolve: Resolve) -> Raw:
    match given.value:
        case str() as text if given.may_refer:
            return resolve(text, given.origin)
        case tuple() as items if given.may_refer:
            texts = [resolve(item, given.origin) for item in items]
            secrets = [text for text in texts if isinstance(text, Secret)]
            return secrets[0] if secrets else tuple(map(reveal, texts))
    return given.value


def _converted(given: Given, raw: Raw) -> object:
    option = given.option
    if option.kind is Kind.LIST and not isinstance(raw, Secret):
        raw = _items(raw)
    if not raw and not option.may_be_empty:
        raise ValueError("the value is empty")
    parse_text = option.parse or (parse.boolean if option.kind is Kind.BOOLEAN else str)
    match raw:
        case Secret():
            return _allowed(given, raw)
        case tuple():
            return tuple(map(parse_text, raw))
        case text if option.kind is Kind.SECRET or _CONFIDENTIAL.search(given.entry):
            return Secret(text)
        case text:
            return parse_text(text)


def _items(raw: str | tuple[str, ...]) -> tuple[str, ...]:
    items = raw.split(",") if isinstance(raw, str) else raw
    return tuple(item.strip() for item in items if item.strip())


def _allowed(given: Given, secret: Secret) -> Secret:
    if given.option.may_be_secret:
        return secret
    raise invalid(
        given.option,
        given.origin,
        "the value is confidential, and this option is shown in messages",
        hint="Take it from a public key of the secret, such as 'username' or 'host', or from ${env:NAME}.",
    )


def _with(part: Any, way: Sequence[str], value: object) -> Any:  # noqa: ANN401 - the settings, a part or a map of them
    """A copy with one value set."""
    name, *rest = way
    if isinstance(part, Mapping):
        return {**part, name: value}
    return replace(part, **{name: _with(getattr(part, name), rest, value) if rest else value})


def _secrets(given: Given, value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
        if given.option.key == "url":
            yield from passwords_in(value.reveal())
