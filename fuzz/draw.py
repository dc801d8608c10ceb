"""From the bytes of an input to what a target is called with."""

from collections.abc import Sequence


class Draw:
    """Choices from the first bytes, one byte each, and text from the rest.

    The fuzzer's own reader is not used, so that the corpus can be replayed where the fuzzer does not run.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def choose[T](self, options: Sequence[T]) -> T:
        """One of these; the first one when no byte is left."""
        byte = self._data[self._position : self._position + 1]
        self._position += 1
        return options[byte[0] % len(options)] if byte else options[0]

    def boolean(self) -> bool:
        """False when no byte is left, and for ``0`` in ASCII."""
        return self.choose((False, True))

    def rest(self) -> bytes:
        """The bytes that nothing was chosen by."""
        return self._data[self._position :]

    def text(self) -> str:
        """The rest as the text of a file, which has no halves of surrogate pairs."""
        return self.rest().decode("utf-8", "replace")

    def texts(self) -> list[str]:
        """The rest as arguments of a process: separated by zero bytes, and any byte may be in one."""
        return self.rest().decode("utf-8", "surrogateescape").split("\0")


def settings_and(text: str, settings: str = "") -> bytes:
    """An input: one character of ASCII for each choice, and the text."""
    return settings.encode("ascii") + text.encode("utf-8", "surrogateescape")
