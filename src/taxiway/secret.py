"""A type for confidential text, and the filter that keeps such text out of everything we print.

Terminology:

secret
    Text that must not be shown: a password, a private key.
redact
    Replace every occurrence of a secret, in any of the notations it may have been written in, by ``****``.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Final, final
from urllib.parse import quote, quote_plus

MASK: Final = "****"

# A line of a multi-line secret (a PEM key) is confidential on its own, because logs are cut into lines.
# Shorter ones are the decoration of the format and would mask ordinary words.
_SHORTEST_LINE = 12


@final
class Secret:
    """Confidential text. ``str()``, ``repr()`` and formatting show stars; :meth:`reveal` gives the text.

    Equality compares the text; a secret is not hashable, not picklable and not JSON, on purpose.
    """

    __slots__ = ("_text",)
    __hash__ = None  # type: ignore[assignment]  # a dict keyed by secrets would print them

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Call this at the point of use only."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a Secret cannot be pickled")


def reveal(value: str | Secret) -> str:
    """The text of a value that may or may not be secret."""
    return value.reveal() if isinstance(value, Secret) else value


@final
class Redactor:
    """Knows every secret of this run and masks them in text.

    Masked are the text itself, each line of a multi-line text, and the notations that it takes on its way
    through our tools: an SQL literal, a libpq connection string, a URL, JSON, a Python or shell quotation.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: Secret) -> None:
        """Mask this secret from now on. Empty text is ignored."""
        self._forms |= _notations(secret.reveal())
        # The longest first, so that a secret that contains another one is masked whole.
        forms = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, forms))) if forms else None

    def __call__(self, text: str) -> str:
        """The text with every known secret replaced by stars."""
        return self._pattern.sub(MASK, text) if self._pattern else text


def _notations(text: str) -> set[str]:
    texts = {text, text.strip()}
    if "\n" in text.strip():
        texts |= {line.strip() for line in text.splitlines() if len(line.strip()) >= _SHORTEST_LINE}
    return {notation(t) for t in texts if t for notation in _NOTATIONS}


def _backslashed(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


_NOTATIONS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: text.replace("'", "''"),
    lambda text: text.replace("\\", "\\\\").replace("'", "''"),
    _backslashed,
    lambda text: text.replace("'", "'\"'\"'"),
    lambda text: quote(text, safe=""),
    quote,
    quote_plus,
    lambda text: quote(text, safe="").lower(),
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: repr(text)[1:-1],
)
