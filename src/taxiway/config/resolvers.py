"""References in the values of configuration files: texts that stand somewhere else.

``${env:NAME}``
    An environment variable. Flyway's spelling ``${env.NAME}`` is the same.
``${placeholder:NAME}``
    The value of a placeholder of the user's. Flyway's spelling has a dot as well.
``${secret:ID#KEY}``
    The value of one key of a JSON secret in AWS Secrets Manager. The ID is a name or an ARN.
``${secret:ID}``
    The whole text of a secret.

Names of resolvers are the same in any case, and references do not nest. A value may mix text and references.

What is a reference depends on whose file it is. In ``taxiway.toml`` every ``${`` begins one, and ``$${`` stands
for the characters. In ``flyway.toml`` a reference of Flyway's is one only with a dot in it, so that ``${`` and
``${name}`` are plain text; ``${resolver.key:filter}`` keeps only some characters, ``$${a.b}`` stands for
``${a.b}``, a value ``!{…}`` is what stands between the braces, and white space around the value is dropped
(Flyway 13).
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from taxiway import errors
from taxiway.config.template import Reference, Template
from taxiway.nearest import find_nearest

_TOKEN: Final = re.compile(r"(?P<escaped>\$\$\{)|(?P<opened>\$\{)(?:(?P<body>[^{}]*)(?P<closed>\}))?")
_BODY: Final = re.compile(r"(?P<resolver>[A-Za-z][A-Za-z0-9_-]*)(?P<separator>[:.])(?P<argument>.*)", re.DOTALL)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The characters of names in AWS Secrets Manager, the colon of ARNs, and the mark in the names that RDS gives
# ("rds!cluster-…").
_SECRET: Final = re.compile(r"(?P<id>[A-Za-z0-9/_+=.@:!-]+)(?:#(?P<key>[^#]+))?")

# Flyway's own pattern lets the name of a resolver span braces; there is no sense in that.
_FLYWAY_TOKEN: Final = re.compile(
    r"(?P<escaped>\$\$\{[^.{}]+\.[^.{}]+\})"
    r"|\$\{(?P<ours>(?:env|secret|placeholder):[^{}]*)\}"
    r"|\$\{(?P<resolver>[^.{}]+)\.(?P<key>[^.{}:]+)(?::(?P<filter>[^{}]*))?\}",
    re.IGNORECASE,
)
# What is behind the first dot or colon is not looked at twice: it may be long.
_NESTED: Final = re.compile(r"\$\{[^{}]*\$\{[^{}.:]*[.:][^{}]*+\}")
_VERBATIM: Final = re.compile(r"!\{(?P<text>.*)\}", re.DOTALL)

_OF_PAID_EDITIONS: Final = frozenset(
    {"vault", "dapr", "googlesecrets", "gcsm", "azurekeyvault", "azureadinteractive"}
    | {"git", "localsecret", "localdb", "clone"}
)


def parse_template(text: str, *, origin: str) -> Template:
    """A value of ``taxiway.toml``.

    Raises:
        InvalidOption: A reference is malformed. The text is not shown: it may be a password by mistake.
        UnknownResolver: There is no resolver of that name.
        UnsupportedOption: The resolver is one of Flyway's paid editions.
    """
    return Template(tuple(part for part in _parts(text, origin) if part != ""))


def parse_flyway_template(text: str, *, origin: str) -> Template:
    """A value of ``flyway.toml``. Raises as :func:`parse_template`."""
    stripped = text.strip()
    if verbatim := _VERBATIM.fullmatch(stripped):
        return Template((verbatim["text"],))
    if nested := _NESTED.search(stripped):
        raise _malformed(origin, f"the reference at character {nested.start() + 1} has another one in it")
    return Template(tuple(part for part in _flyway_parts(stripped, origin) if part != ""))


def plain_template(text: str, *, origin: str) -> Template:  # noqa: ARG001 - the same signature as the others
    """A value where nothing is a reference."""
    return Template((text,))


def _parts(text: str, origin: str) -> Iterator[str | Reference]:
    end = 0
    for found in _TOKEN.finditer(text):
        yield text[end : found.start()]
        yield "${" if found["escaped"] else _parse(found, origin)
        end = found.end()
    yield text[end:]


def _parse(found: re.Match[str], origin: str) -> Reference:
    place = _place(found)
    if not found["closed"]:
        raise _malformed(origin, f"{place} is not closed, or another one is nested in it")
    return _parse_body(found["body"], place, origin)


def _parse_body(text: str, place: str, origin: str) -> Reference:
    body = _BODY.fullmatch(text)
    if not body:
        raise _malformed(origin, f"{place} has no resolver")
    parse = _get_resolver(body["resolver"], origin)
    reference = parse(body["separator"], body["argument"])
    if not reference:
        raise _malformed(origin, f"{place} has not the form of its resolver")
    return reference


def _flyway_parts(text: str, origin: str) -> Iterator[str | Reference]:
    end = 0
    for found in _FLYWAY_TOKEN.finditer(text):
        yield text[end : found.start()]
        if found["escaped"]:
            yield found["escaped"][1:]
        elif found["ours"]:
            yield _parse_body(found["ours"], _place(found), origin)
        else:
            yield _parse_flyway(found, origin)
        end = found.end()
    yield text[end:]


def _parse_flyway(found: re.Match[str], origin: str) -> Reference:
    reference = _get_resolver(found["resolver"].strip(), origin)(".", found["key"].strip())
    if not reference:
        raise _malformed(origin, f"{_place(found)} has not the form of its resolver")
    return Reference(reference.resolver, reference.name, kept=found["filter"])


def _place(found: re.Match[str]) -> str:
    return f"the reference at character {found.start() + 1}"


def _env_reference(_separator: str, argument: str) -> Reference | None:
    return Reference("env", argument) if _VARIABLE.fullmatch(argument) else None


def _placeholder_reference(_separator: str, argument: str) -> Reference | None:
    return Reference("placeholder", argument) if argument else None


def _secret_reference(separator: str, argument: str) -> Reference | None:
    found = _SECRET.fullmatch(argument) if separator == ":" else None
    return Reference("secret", found["id"], found["key"]) if found else None


_RESOLVERS: Final = {"env": _env_reference, "placeholder": _placeholder_reference, "secret": _secret_reference}


def _get_resolver(name: str, origin: str) -> Callable[[str, str], Reference | None]:
    folded = name.lower()
    if folded in _OF_PAID_EDITIONS:
        raise errors.UnsupportedOption(
            f"{origin}: the resolver '{name}' of Flyway's paid editions is not in Taxiway.",
            hint="Write ${secret:ID#KEY} for AWS Secrets Manager, or ${env.NAME}.",
        )
    if folded not in _RESOLVERS:
        near = find_nearest(name, _RESOLVERS)
        raise errors.UnknownResolver(
            f"{origin}: unknown resolver '{name}'. There are env, placeholder and secret.",
            hint=f"Did you mean '{near}'?" if near else "Write $${ if the characters ${ are meant themselves.",
        )
    return _RESOLVERS[folded]


def _malformed(origin: str, phrase: str) -> errors.InvalidOption:
    return errors.InvalidOption(
        f"{origin}: {phrase}.",
        hint="Write ${env:NAME}, ${secret:ID#KEY} or ${secret:ID}; write $${ for the characters ${ themselves.",
    )
