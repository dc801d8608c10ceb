"""What a tool says when a command has ended, in a form that is the same for both tools."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """How a command ended. Only ``validate`` can be invalid; only Flyway may hang; nobody may crash."""

    OK = "ok"
    INVALID = "invalid"
    REFUSED = "refused"
    HANGS = "hangs"
    CRASHES = "crashes"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended, and what it tells.

    Attributes:
        lines: ``migrate``: initial and final version, then each migration that was run. ``info``: each entry.
            ``validate``: how many were compared, or each problem. ``baseline``: the version. ``repair``: each
            row that was removed, deleted, aligned. ``clean``: each schema that was cleaned, dropped. Parts of a
            line are separated by ``|``; one that is not there is empty.
        code: Of a refusal, in the tool's own words; not compared.
    """

    outcome: Outcome
    lines: tuple[str, ...] = ()
    code: str = ""


def line(*parts: object) -> str:
    """One line of an answer."""
    return "|".join("" if part is None else str(part) for part in parts)


def ok(lines: Iterable[str]) -> Answer:
    """The answer of a command that succeeded."""
    return Answer(Outcome.OK, tuple(lines))
