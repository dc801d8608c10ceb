"""What an option is in the end, as people may see it."""

from typing import Final, NamedTuple

from taxiway.config.layers import Given, Resolved
from taxiway.config.option import Kind
from taxiway.config.url import mask_passwords

MASKED: Final = "*" * 8


class EffectiveOption(NamedTuple):
    """One line of ``taxiway config``: an option, or an entry of one that is a map.

    Attributes:
        value: As it would be written, with stars for what is confidential; empty when it is set nowhere.
        origin: Where it was set: ``--target``, ``FLYWAY_TARGET``, ``flyway.toml: flyway.target`` or ``default``.
    """

    key: str
    value: str
    origin: str
    is_secret: bool


def show(given: Given, raw: Resolved, *, is_secret: bool) -> EffectiveOption:
    """The line of a value whose references are replaced."""
    return EffectiveOption(
        key=given.key, value=_text(given, raw, is_secret=is_secret), origin=given.origin, is_secret=is_secret
    )


def _text(given: Given, raw: Resolved, *, is_secret: bool) -> str:
    match raw:
        case str() if given.option.key == "url":
            return mask_passwords(raw, MASKED)
        case str() if not is_secret:
            return raw.strip().lower() if given.option.kind is Kind.BOOLEAN else raw
        case tuple():
            return ", ".join(raw)
    return MASKED
