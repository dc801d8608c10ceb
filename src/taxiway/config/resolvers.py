"""References in the values of ``taxiway.toml``: texts that stand somewhere else.

Close to the resolvers of Flyway 13, which are written ``${resolver.key}``:

``${env:NAME}``
    An environment variable. Flyway's spelling ``${env.NAME}`` is the same.
``${secret:ID#KEY}``
    The value of one key of a JSON secret in AWS Secrets Manager. The ID is a name or an ARN.
``${secret:ID}``
    The whole text of a secret.
``$${``
    The characters ``${``.

A value may mix text and references. Names of resolvers are the same in any case. Flyway's filters
(``${env.NAME:D}``) do not exist, references do not nest, and values keep the white space around them, which Flyway
drops.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from taxiway import errors
from taxiway.nearest import find_nearest
from taxiway.secret import Secret, reveal

type SecretReader = Callable[[str, str | None], str | Secret]
"""From a secret's ID and key (``None``: the whole text) to its value; text where the value is not confidential."""

_TOKEN: Final = re.compile(r"(?P<escaped>\$\$\{)|(?P<opened>\$\{)(?:(?P<body>[^{}]*)(?P<closed>\}))?")
_BODY: Final = re.compile(r"(?P<resolver>[A-Za-z][A-Za-z0-9_-]*)(?P<separator>[:.])(?P<argument>.*)", re.DOTALL)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The characters of names in AWS Secrets Manager, and the colon of ARNs.
_SECRET: Final = re.compile(r"(?P<id>[A-Za-z0-9/_+=.@:-]+)(?:#(?P<key>[^#]+))?")


@dataclass(frozen=True, slots=True)
class Reference:
    """One ``${…}``: an environment variable's name, or a secret's ID with the key if there is one."""

    resolver: str
    name: str
    key: str | None = None


def references(text: str, *, origin: str) -> tuple[Reference, ...]:
    """All references in a value. Nothing is looked up, so this tells whether a value is well-formed.

    Raises:
        InvalidOption: A reference is malformed. The text is not shown: it may be a password by mistake.
        UnknownResolver: There is no resolver of that name.
    """
    return tuple(part for part in _parts(text, origin) if isinstance(part, Reference))


def without_references(text: str, *, origin: str) -> str:
    """The value with an ``x`` for every reference: its form, before anything is looked up.

    Raises:
        InvalidOption: A reference is malformed.
        UnknownResolver: There is no resolver of that name.
    """
    return "".join("x" if isinstance(part, Reference) else part for part in _parts(text, origin))


def resolve(text: str, *, origin: str, environment: Mapping[str, str], secret: SecretReader) -> str | Secret:
    """The value with every reference replaced; a secret as a whole as soon as one part of it is.

    Raises:
        InvalidOption: A reference is malformed.
        UnknownResolver: There is no resolver of that name.
        VariableNotSet: The environment has no such variable.
    """
    parts: list[str | Secret] = []
    for part in _parts(text, origin):
        match part:
            case str():
                parts.append(part)
            case Reference(resolver="env"):
                parts.append(_variable(part.name, origin, environment))
            case Reference():
                parts.append(secret(part.name, part.key))
    joined = "".join(map(reveal, parts))
    return Secret(joined) if any(isinstance(part, Secret) for part in parts) else joined


def _parts(text: str, origin: str) -> Iterator[str | Reference]:
    end = 0
    for found in _TOKEN.finditer(text):
        yield text[end : found.start()]
        yield "${" if found["escaped"] else _parse(found, origin)
        end = found.end()
    yield text[end:]


def _parse(found: re.Match[str], origin: str) -> Reference:
    place = f"the reference at character {found.start() + 1}"
    if not found["closed"]:
        raise _malformed(origin, f"{place} is not closed, or another one is nested in it")
    body = _BODY.fullmatch(found["body"])
    if not body:
        raise _malformed(origin, f"{place} has no resolver")
    parse = _RESOLVERS.get(body["resolver"].lower())
    if not parse:
        raise _unknown(body["resolver"], origin)
    reference = parse(body["separator"], body["argument"])
    if not reference:
        raise _malformed(origin, f"{place} has not the form of its resolver")
    return reference


def _env_reference(_separator: str, argument: str) -> Reference | None:
    return Reference("env", argument) if _VARIABLE.fullmatch(argument) else None


def _secret_reference(separator: str, argument: str) -> Reference | None:
    found = _SECRET.fullmatch(argument) if separator == ":" else None
    return Reference("secret", found["id"], found["key"]) if found else None


_RESOLVERS: Final = {"env": _env_reference, "secret": _secret_reference}


def _variable(name: str, origin: str, environment: Mapping[str, str]) -> str:
    try:
        return environment[name]
    except KeyError:
        raise errors.VariableNotSet(
            f"{origin}: the environment variable {name} is not set.",
            hint=f"Set {name} in the environment of this command, or change the value in the file.",
        ) from None


def _malformed(origin: str, phrase: str) -> errors.InvalidOption:
    return errors.InvalidOption(
        f"{origin}: {phrase}.",
        hint="Write ${env:NAME}, ${secret:ID#KEY} or ${secret:ID}; write $${ for the characters ${ themselves.",
    )


def _unknown(resolver: str, origin: str) -> errors.UnknownResolver:
    near = find_nearest(resolver, _RESOLVERS)
    return errors.UnknownResolver(
        f"{origin}: unknown resolver '{resolver}'. There are {' and '.join(_RESOLVERS)}.",
        hint=f"Did you mean '{near}'?" if near else "Write $${ if the characters ${ are meant themselves.",
    )
