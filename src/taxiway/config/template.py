"""Values with references in them, read and not yet looked up. How they are written: :mod:`.resolvers`.

Terminology:

template
    A value in its parts: texts and references.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from taxiway import errors
from taxiway.secret import Secret, reveal

# Far more than anybody writes. References to texts with references could make a few lines fill the memory.
_LONGEST: Final = 1024 * 1024

type SecretReader = Callable[[str, str | None], str | Secret]
"""From a secret's ID and key (``None``: the whole text) to its value; text where the value is not confidential."""


class Reference(NamedTuple):
    """One ``${…}``: the name of a variable or placeholder, or a secret's ID with the key if there is one.

    ``kept`` has Flyway's letters for the characters that a filter keeps; ``None`` keeps all.
    """

    resolver: str
    name: str
    key: str | None = None
    kept: str | None = None

    @property
    def is_whole_secret(self) -> bool:
        """It stands for a value of a secret as it is."""
        return self.resolver == "secret" and self.kept is None

    def keep(self, value: str | Secret) -> str | Secret:
        """Of the text that is meant what the filter keeps."""
        if self.kept is None:
            return value
        kept = "".join(char for char in reveal(value) if _is_kept(char, self.kept))
        return Secret(kept) if isinstance(value, Secret) else kept


type ReferenceReader = Callable[[Reference, str], str | Secret]
"""From a reference, and the origin of the value that has it, to the text that is meant."""


@dataclass(frozen=True, slots=True)
class Template:
    """A value that has been read and not looked up."""

    parts: tuple[str | Reference, ...] = field(repr=False)

    @property
    def references(self) -> tuple[Reference, ...]:
        """All references in it."""
        return tuple(part for part in self.parts if isinstance(part, Reference))

    @property
    def form(self) -> str:
        """The value with an ``x`` for every reference: what can be known before anything is looked up."""
        return "".join("x" if isinstance(part, Reference) else part for part in self.parts)

    def fill(self, read: ReferenceReader, origin: str) -> str | Secret:
        """The value with every reference replaced; a secret as a whole as soon as one part of it is.

        Raises:
            InvalidOption: It is longer than any value needs to be.
        """
        texts = [part if isinstance(part, str) else part.keep(read(part, origin)) for part in self.parts]
        joined = _joined([reveal(text) for text in texts], origin)
        return Secret(joined) if any(isinstance(text, Secret) for text in texts) else joined


def _joined(texts: Sequence[str], origin: str) -> str:
    if sum(map(len, texts)) > _LONGEST:
        raise errors.InvalidOption(
            f"{origin}: with its references replaced, the value is longer than {_LONGEST} characters.",
            hint="Refer to shorter texts, or to fewer.",
        )
    return "".join(texts)


def _is_kept(char: str, letters: str) -> bool:
    """``A`` keeps letters, ``a`` ASCII letters, ``D`` digits, ``d`` ASCII digits (Flyway 13)."""
    return (char.isalpha() and ("A" in letters or ("a" in letters and char.isascii()))) or (
        char.isdecimal() and ("D" in letters or ("d" in letters and char.isascii()))
    )
