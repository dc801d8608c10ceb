"""Words that people try as commands, and what is said of those that are none."""

from collections.abc import Iterable, Mapping
from typing import Final

from taxiway.nearest import find_nearest

# Flyway's name
ALIASES: Final[Mapping[str, str]] = {"testConnection": "test-connection"}

# What may stand in one call, one behind the other
DATABASE_COMMANDS: Final = frozenset(
    {"migrate", "info", "validate", "undo", "baseline", "repair", "clean", "test-connection"}
)

_NO_COMPARISON: Final = "Schemas are not compared here: use pg_dump --schema-only and a tool that compares texts."

# Flyway's commands that are not here, with what to use instead.
ELSEWHERE: Final[Mapping[str, str]] = {
    "check": "Use 'taxiway validate' and 'taxiway info'.",
    "auth": "There is no licence and no account here: every command and setting is there for everybody.",
    "diff": _NO_COMPARISON,
    "diffText": _NO_COMPARISON,
    "model": _NO_COMPARISON,
    "generate": "Use 'taxiway add' for a new file, and write the SQL.",
    "prepare": "Use 'taxiway info' to see what is pending.",
    "deploy": "Use 'taxiway migrate'.",
    "mcp": "Use 'taxiway info --output json': programs can read that.",
}


def explain_word(word: str, commands: Iterable[str]) -> str:
    """Why a word cannot stand where a command is expected, and what to write."""
    if word in ELSEWHERE:
        return f"Flyway's command '{word}' is not here. {ELSEWHERE[word]}"
    known = list(commands)
    near = find_nearest(word, known)
    hint = f" Did you mean '{near}'?" if near else f" The commands here are {', '.join(known)}."
    return f"There is no command '{word}'.{hint}"
