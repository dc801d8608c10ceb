"""From layers to settings: what wins is resolved, converted, checked and put in its place."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from taxiway import errors
from taxiway.config import parse
from taxiway.config.arguments import read_arguments
from taxiway.config.confidential import is_confidential
from taxiway.config.effective import EffectiveOption, show
from taxiway.config.layers import (
    Given,
    Layer,
    Resolved,
    defaults_layer,
    invalid,
    to_layer,
)
from taxiway.config.option import Group, Kind, Option
from taxiway.config.options import BY_KEY, OPTIONS
from taxiway.config.precedence import choose
from taxiway.config.template import Reference, ReferenceReader, Template
from taxiway.config.url import passwords_in
from taxiway.model.settings import SecretReference, Settings
from taxiway.secret import Redactor, Secret, reveal

if TYPE_CHECKING:
    from collections.abc import Callable

    from taxiway.model.role import Role

_PLACEHOLDERS: Final = "placeholders."
# What Python makes of a byte of a variable that is not UTF-8
_HALF: Final = re.compile("[\ud800-\udfff]")
_ORIGINS: Final = ("database", "origins")
_REFERENCES: Final = ("database", "references")
_LOGIN: Final = frozenset({"user", "password"})
# Far more than anybody writes, and far less than Python can do.
_DEEPEST_PLACEHOLDER: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The settings, where each came from, and what of it is confidential.

    Attributes:
        origins: By key, as in ``outOfOrder`` and ``placeholders.DATABASE_NAME``: ``--out-of-order``,
            ``FLYWAY_OUT_OF_ORDER``, ``taxiway.toml: flyway.outOfOrder`` or ``default``.
        secrets: For the caller's :class:`~taxiway.secret.Redactor`.
        effective: Every option as people may see it, in the order of the table.
        files: The configuration files that were read, the lowest first.
        warnings: What was read and has no effect.
        read_roles: Reads the passwords of the declared roles, and returns these.
    """

    settings: Settings
    origins: Mapping[str, str]
    secrets: tuple[Secret, ...]
    effective: tuple[EffectiveOption, ...]
    files: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    read_roles: "Callable[[], tuple[Role, ...]]" = tuple


def no_references(_reference: Reference, _origin: str) -> str:
    """The reader of those whose values have no references, which is never asked."""
    raise AssertionError("values of programs are plain text")


def merge(
    layers: Sequence[Layer],
    *,
    read: ReferenceReader = no_references,
    groups: Collection[Group] = tuple(Group),
) -> Loaded:
    """Settings from layers, the highest first; the defaults are added.

    Only values that win are resolved: a secret that a higher layer overrides is never fetched. Options of other
    ``groups`` keep their defaults, but references may name what stands in them.

    Raises:
        InvalidOption: A value that its option does not accept, or values that do not go together.
    """
    chosen = choose([*(only(groups, layer) for layer in layers), defaults_layer()])
    _check_placeholder_names(chosen)
    reader = _Reader(to_layer(choose(layers)), read)
    read_values = [(given, *reader.read(given)) for given in chosen]
    resolved = [(given, raw) for given, raw, _ in read_values]
    values = [(given, value) for given, _, value in read_values]
    _check_together(values)
    origins = {given.key: given.origin for given in chosen}
    return Loaded(
        settings=_to_settings(
            [
                *((given.field, value) for given, value in values),
                (_ORIGINS, origins),
                (_REFERENCES, _login_references(chosen)),
            ]
        ),
        origins=origins,
        secrets=_distinct([*(one for given, value in values for one in _secrets(given, value)), *reader.found]),
        effective=_effective(resolved, values),
    )


def _login_references(chosen: Iterable[Given]) -> dict[str, SecretReference]:
    """Where user and password stand, if each of them is nothing but a value of a secret."""
    return {
        given.option.key: SecretReference(reference.name, reference.key)
        for given in chosen
        if given.option.key in _LOGIN and isinstance(given.value, Template)
        for reference in given.value.parts
        if isinstance(reference, Reference) and reference.is_whole_secret and len(given.value.parts) == 1
    }


def only(groups: Collection[Group], layer: Layer) -> Layer:
    """What a layer has of the options of these groups."""
    return {key: given for key, given in layer.items() if given.option.group in groups}


def find_visible_secrets(arguments: Mapping[str, object]) -> tuple[str, ...]:
    """The arguments with something confidential in them, as ``--url`` and ``--placeholder APP_PASSWORD``.

    Everybody on a machine can read the arguments of a process. Flyway's users give passwords there all the same.
    """
    return tuple(one.origin for one in read_arguments(arguments).given if _is_visible_secret(one))


def _is_visible_secret(given: Given) -> bool:
    if given.option.key == "url":
        return isinstance(given.value, str) and bool(passwords_in(given.value))
    return bool(given.value) and (given.option.kind is Kind.SECRET or is_confidential(given.entry))


def _check_placeholder_names(chosen: Iterable[Given]) -> None:
    """Names of built-in placeholders cannot be given (Flyway 13)."""
    by_key = {given.key: given for given in chosen}
    reserved = f"flyway{by_key['placeholderSeparator'].value}"
    for given in by_key.values():
        if given.option.key == "placeholders" and given.entry.lower().startswith(reserved.lower()):
            raise invalid(
                given.option,
                given.origin,
                f"names of placeholders must not begin with '{reserved}': those are built in",
                hint=f"Rename the placeholder '{given.entry}'.",
            )


def _check_together(values: Iterable[tuple[Given, object]]) -> None:
    """Errors cannot be overridden of statements that are sent together (Flyway 13)."""
    by_key = {given.key: (given, value) for given, value in values}
    overrides, has_overrides = by_key["errorOverrides"]
    if by_key["batch"][1] and has_overrides:
        raise invalid(
            overrides.option,
            overrides.origin,
            "errorOverrides and batch cannot be used together",
            hint="Remove batch, which makes no difference here.",
        )


# --- resolving


@dataclass(slots=True)
class _Reading:
    """What is met while one value is filled in.

    Attributes:
        secrets: What came from variables whose names speak of secrets.
        is_confidential: It has such a part, here or in a placeholder.
        depth: How many placeholders refer to one another in it.
    """

    secrets: list[Secret] = field(default_factory=list)
    is_confidential: bool = False
    depth: int = 0

    def add(self, *secrets: Secret) -> None:
        """These are in the value."""
        self.secrets += secrets
        self.is_confidential |= bool(secrets)


class _Filled(NamedTuple):
    """A placeholder whose references are filled in."""

    value: str | Secret
    is_confidential: bool
    depth: int


class _Reader:
    """Fills in references; those to placeholders stand for values that are chosen as well.

    Each placeholder is filled in once, however many refer to it: with references to references a few lines could
    take for ever.

    Attributes:
        found: What came from variables whose names speak of secrets. It makes a secret of a value that may be one;
            others stay what they are, because a ``${secret:…}`` was not asked for.
    """

    def __init__(self, chosen: Layer, read: ReferenceReader) -> None:
        self._chosen = chosen
        self._read_other = read
        self._open: list[str] = []
        self._filled: dict[str, _Filled] = {}
        self.found: list[Secret] = []

    def read(self, given: Given) -> tuple[Resolved, object]:
        """The value with its references replaced, and what it stands for. No error shows what is confidential.

        Raises:
            InvalidOption: A reference leads nowhere, or the option does not accept the value.
        """
        reading = _Reading()
        raw = self._fill(given, reading)
        if given.option.may_be_secret and reading.is_confidential and isinstance(raw, str):
            raw = Secret(raw)
        try:
            value = convert(given, raw)
        except errors.InvalidOption as error:
            error.redact(Redactor([*reading.secrets, *self.found]))
            raise
        # To mask every "true" and every "5" would spoil all that is printed.
        if given.option.kind not in {Kind.BOOLEAN, Kind.INTEGER}:
            self.found += reading.secrets
        return raw, value

    def _fill(self, given: Given, reading: _Reading) -> Resolved:
        reading.add(*given.confidential)
        read = partial(self._read, reading)
        match given.value:
            case Template() as template:
                return template.fill(read, given.origin)
            case tuple() as items:
                return self._fill_items(items, read, given.origin)
            case str() | Secret() as text:
                return text

    def _fill_items(self, items: Iterable[str | Template], read: ReferenceReader, origin: str) -> Resolved:
        texts = [item.fill(read, origin) if isinstance(item, Template) else item for item in items]
        secrets = [text for text in texts if isinstance(text, Secret)]
        return secrets[0] if secrets else tuple(map(reveal, texts))

    def _read(self, reading: _Reading, reference: Reference, origin: str) -> str | Secret:
        if reference.resolver == "placeholder":
            filled = self._placeholder(reference.name, origin)
            reading.is_confidential |= filled.is_confidential
            reading.depth = max(reading.depth, filled.depth)
            return filled.value
        value = self._read_other(reference, origin)
        if reference.resolver == "env" and is_confidential(reference.name):
            reading.add(Secret(reveal(reference.keep(value))))
        return value

    def _placeholder(self, name: str, origin: str) -> _Filled:
        key = f"{_PLACEHOLDERS}{name}".lower()
        given = self._chosen.get(key)
        if given is None or key in self._open:
            phrase = "refers to itself" if given else "is not set"
            raise errors.InvalidOption(
                f"{origin}: the placeholder '{name}' {phrase}.", hint=f"Set placeholders.{name} to a text."
            )
        if key not in self._filled:
            self._filled[key] = self._fill_placeholder(key, given)
        filled = self._filled[key]
        if len(self._open) + filled.depth > _DEEPEST_PLACEHOLDER:
            raise _too_deep(name, origin)
        return filled

    def _fill_placeholder(self, key: str, given: Given) -> _Filled:
        if len(self._open) >= _DEEPEST_PLACEHOLDER:
            raise _too_deep(given.entry, given.origin)
        reading = _Reading()
        self._open.append(key)
        value = convert(given, self._fill(given, reading))
        self._open.pop()
        if not isinstance(value, str | Secret):  # pragma: no cover - placeholders are texts
            raise TypeError(key)
        self.found += reading.secrets
        return _Filled(value, reading.is_confidential, reading.depth + 1)


def _too_deep(name: str, origin: str) -> errors.InvalidOption:
    return errors.InvalidOption(
        f"{origin}: the placeholder '{name}' leads to more than {_DEEPEST_PLACEHOLDER} others, one after another.",
        hint="Write the text itself where so many lead to it.",
    )


# --- converting


def convert(given: Given, raw: Resolved) -> object:
    """The value that a text stands for.

    Raises:
        InvalidOption: The option does not accept it.
    """
    try:
        return _converted(given, raw)
    except ValueError as error:
        raise invalid(given.option, given.origin, str(error).rstrip(".")) from None


def _converted(given: Given, raw: Resolved) -> object:
    option = given.option
    if option.kind is Kind.LIST and not isinstance(raw, Secret):
        raw = _items(raw)
    if not raw and not option.may_be_empty:
        raise ValueError("the value is empty")
    parse_text = option.parse or (parse.boolean if option.kind is Kind.BOOLEAN else str)
    _check_characters(option, raw)
    match raw:
        case Secret():
            return _allowed(given, raw)
        case tuple():
            return option.collect(map(parse_text, raw))
        case text if option.kind is Kind.SECRET or is_confidential(given.entry):
            return Secret(text)
        case text:
            return parse_text(text)


def _check_characters(option: Option, raw: Resolved) -> None:
    """No text may have a NUL; what the database is given has to be Unicode. Names of files may be any bytes."""
    texts = raw if isinstance(raw, tuple) else (raw,)
    if any(isinstance(text, str) and "\0" in text for text in texts):
        raise ValueError("the value has a NUL character")
    if option.group is Group.HISTORY and any(isinstance(text, str) and _HALF.search(text) for text in texts):
        raise ValueError("the value has bytes that are not UTF-8")


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


def _to_settings(values: Iterable[tuple[Sequence[str], object]]) -> Settings:
    """The settings with these values, each with the way to it. What has no way has no place in the settings."""
    tree: _Tree = {}
    for way, value in values:
        if way:
            *above, name = way
            branch = tree
            for step in above:
                branch = branch.setdefault(step, {})
            branch[name] = value
    settings: Settings = _with(Settings(), tree)
    return settings


type _Tree = dict[str, Any]


def _with(part: Any, tree: _Tree) -> Any:  # noqa: ANN401 - the settings, a part or a map of them
    """A copy with the values set that the tree has. Each part is copied once, however many values it takes."""
    if isinstance(part, Mapping):
        return {**part, **tree}
    values = {
        name: _with(getattr(part, name), value) if isinstance(value, dict) else value
        for name, value in tree.items()
    }
    return part._replace(**values) if hasattr(part, "_replace") else replace(part, **values)


def _secrets(given: Given, value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
        if given.option.key == "url":
            yield from passwords_in(value.reveal())


def _distinct(secrets: Iterable[Secret]) -> tuple[Secret, ...]:
    """Secrets cannot be keys of a dictionary; their texts can, for as long as it takes."""
    return tuple({secret.reveal(): secret for secret in secrets}.values())


def _effective(
    resolved: Sequence[tuple[Given, Resolved]], values: Sequence[tuple[Given, object]]
) -> tuple[EffectiveOption, ...]:
    order = {option.key: position for position, option in enumerate(OPTIONS)}
    given = [
        show(one, raw, is_secret=isinstance(value, Secret))
        for (one, raw), (_, value) in zip(resolved, values, strict=True)
    ]
    set_keys = {one.option.key for one, _ in resolved}
    unset = [
        EffectiveOption(key=key, value="", origin="default", is_secret=False)
        for key, option in BY_KEY.items()
        if key not in set_keys and option.kind is not Kind.MAP
    ]
    return tuple(sorted((*given, *unset), key=lambda one: order[_option_key(one.key)]))


def _option_key(key: str) -> str:
    return key if key in BY_KEY else key.partition(".")[0]
