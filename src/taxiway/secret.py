"""A type for confidential text, and the filter that keeps such text out of everything we print.

Terminology:

secret
    Text that must not be shown: a password, a private key.
redact
    Replace every occurrence of a secret, in any of the notations it may have been written in, by ``****``.
piece
    A part of a secret that the server shows: cut at a length, or as one token in small letters.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import starmap, takewhile
from operator import eq
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import Final, final

MASK: Final = "****"

# A line of a multi-line secret (a PEM key) is confidential on its own, because logs are cut into lines.
# Shorter ones are the decoration of the format and would mask ordinary words.
_SHORTEST_LINE = 12

# Cut pieces are shorter than this; to compare more, from wherever a secret may begin, could take the square of it.
_LONGEST_CUT: Final = 1024

# Shorter pieces would mask ordinary words, and tell as little.
_SHORTEST_PIECE = 4
# PostgreSQL shows a token of a script in double quotes ("syntax error at or near", "unrecognized role option").
_QUOTED: Final = re.compile(f'(?<=")[^"]{{{_SHORTEST_PIECE},}}(?=")')
# It cuts the values of a row after 64 bytes and COPY data after 100, which it marks, and names after 63, which it
# does not: there the closing quote is the end.
_CUT: Final = ("...", '"')
# Outside of quotes PostgreSQL makes small letters of a name; in UTF-8 of its ASCII letters only.
_SMALL_LETTERS: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
# What stands in a URL, a connection string, JSON or an ARN beside the password is no secret. A deploy key's first
# and last line are the same for every key.
_MADE_OF_PARTS: Final = re.compile(r"://|^arn:|\b(?:host|dbname|user|password)\s*=", re.IGNORECASE)
_ARMOUR: Final = "-----"


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

    Masked are also the pieces that PostgreSQL shows, in capital and small letters: a quoted token of four
    characters or more that is part of a secret, and the beginning of a secret before an ellipsis or a closing
    quote. So a table whose name is part of a password is shown as stars, which is the better of the two mistakes.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._forms: set[str] = set()
        self._wholes: set[str] = set()
        self._masker: _Masker | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: Secret) -> None:
        """Mask this secret from now on. Empty text is ignored."""
        self._forms |= _notations(secret.reveal())
        self._wholes |= {_fold(whole) for whole in _wholes(secret.reveal())}
        # Made at the next use: to make one takes milliseconds, and secrets come several at a time.
        self._masker = None

    def __call__(self, text: str) -> str:
        """The text with every known secret, and every piece of one, replaced by stars."""
        if self._masker is None:
            self._masker = _Masker(self._forms, self._wholes)
        return self._masker(text)


class _Masker:
    """Masks these forms as they are, and every piece of these wholes, which are in small letters."""

    def __init__(self, forms: Iterable[str], wholes: Iterable[str]) -> None:
        # The longest first, so that a secret that contains another one is masked whole. One by one, because a
        # regular expression of them all takes longer to compile than a run has text. What is stars is masked.
        self._forms = [form for form in sorted(forms, key=len, reverse=True) if form.strip(MASK)]
        self._wholes = tuple(wholes)
        self._all_wholes = "\n".join(self._wholes)
        self._starts = tuple(whole[:_LONGEST_CUT] for whole in self._wholes)
        beginnings = _any_of({whole[:_SHORTEST_PIECE] for whole in self._wholes})
        # Looked for ahead, because the next one may begin inside this one.
        self._beginning = _compile(beginnings and f"(?={beginnings})")

    def __call__(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        if self._beginning:
            text = _QUOTED.sub(self._mask_quoted, text)
            text = self._mask_cut(text, self._beginning)
        return text

    def _mask_quoted(self, found: re.Match[str]) -> str:
        return MASK if _fold(found[0]) in self._all_wholes else found[0]

    def _mask_cut(self, text: str, beginning: re.Pattern[str]) -> str:
        folded = _fold(text)
        kept: list[str] = []
        done = 0
        for found in beginning.finditer(folded):
            start = found.start()
            end = start + self._agreement(folded, start)
            if start >= done and text.startswith(_CUT, end):
                kept += text[done:start], MASK
                done = end
        return "".join([*kept, text[done:]])

    def _agreement(self, folded: str, start: int) -> int:
        """How many characters from here on are the beginning of a secret."""
        pairs = (zip(one, folded[start : start + len(one)], strict=False) for one in self._starts)
        return max(len(list(takewhile(bool, starmap(eq, pair)))) for pair in pairs)


def redact_strings(value: object, redact: Callable[[str], str]) -> object:
    """A JSON value with its texts redacted. Names and numbers stay, so that it keeps its shape for programs.

    To redact the text that JSON is written as would break it: a secret may be ``1`` or ``success``.
    """
    match value:
        case str():
            return redact(value)
        case Mapping():
            return {name: redact_strings(one, redact) for name, one in value.items()}
        case list() | tuple():
            return [redact_strings(one, redact) for one in value]
    return value


def _any_of(texts: Iterable[str]) -> str:
    return "|".join(map(re.escape, texts))


def _compile(expression: str) -> re.Pattern[str] | None:
    return re.compile(expression) if expression else None


def _fold(text: str) -> str:
    return text.translate(_SMALL_LETTERS)


def _notations(text: str) -> set[str]:
    texts = {text, text.strip(), *_lines(text)}
    return {form for one in texts if one for form in _written(one)}


def _lines(text: str) -> set[str]:
    """The lines of a multi-line text that are confidential on their own."""
    if "\n" not in text.strip():
        return set()
    return {line.strip() for line in text.splitlines() if len(line.strip()) >= _SHORTEST_LINE}


def _wholes(text: str) -> set[str]:
    """The texts whose every piece is confidential: none if only a part is, which is then a secret of its own."""
    if _MADE_OF_PARTS.search(text) or _is_json(text):
        return set()
    texts = _lines(text) or {text.strip()}
    return {one for one in texts if len(one) >= _SHORTEST_PIECE and not one.startswith(_ARMOUR)}


def _is_json(text: str) -> bool:
    import json

    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


# RFC 3986, 2.3
_UNRESERVED: Final = f"{ascii_letters}{digits}_.-~"
_URL_ESCAPE: Final = re.compile(r"%[0-9A-F]{2}")


def _url_encoded(text: str, *, safe: str = "") -> str:
    """As :func:`urllib.parse.quote` does it, which takes longer to load than a run needs for its secrets.

    A variable may hold bytes that are no text, which Python reads as halves of surrogate pairs.
    """
    kept = f"{_UNRESERVED}{safe}"
    return "".join(
        chr(byte) if chr(byte) in kept else f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass")
    )


def _written(text: str) -> Iterator[str]:
    """The text in every notation."""
    import json

    yield text
    yield text.replace("'", "''")
    yield text.replace("\\", "\\\\").replace("'", "''")
    yield text.replace("\\", "\\\\").replace("'", "\\'")
    yield text.replace("'", "'\"'\"'")
    path, everything = _url_encoded(text, safe="/"), _url_encoded(text)
    for encoded in (everything, path, everything.replace("%20", "+")):
        yield encoded
        # The same URL encoding with %2f for %2F
        yield _URL_ESCAPE.sub(lambda escape: escape[0].lower(), encoded)
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
