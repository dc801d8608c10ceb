"""The name that was probably meant."""

from collections.abc import Collection, Iterable
from typing import Final

_NAMES_SHOWN: Final = 10


def find_nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word closest to a misspelt one, or None if none is close.

    Case, hyphens and underscores do not count, so ``out-of-order`` finds ``outOfOrder``. A short word may differ
    more than a long one: one wrong letter is a large part of it.
    """
    from difflib import get_close_matches

    plain = {_letters(candidate): candidate for candidate in known}
    cutoff = 0.6 if len(word) <= 5 else 0.75
    return next((plain[match] for match in get_close_matches(_letters(word), plain, n=1, cutoff=cutoff)), None)


def hint_of_names(
    word: str, known: Collection[str], *, shown: Collection[str] | None = None, otherwise: str
) -> str:
    """A hint: the name that was probably meant, else some that there are, else what to do without any.

    ``shown`` are those that mean something to people, if not all do.
    """
    if near := find_nearest(word, known):
        return f"Did you mean '{near}'?"
    names = known if shown is None else shown
    return f"There are: {', '.join(sorted(names)[:_NAMES_SHOWN])}." if names else otherwise


def _letters(word: str) -> str:
    return word.replace("-", "").replace("_", "").lower()
