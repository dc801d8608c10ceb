"""Where the command line writes: results to standard output, the rest to standard error, nothing unredacted."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, override

import click

from taxiway import errors

if TYPE_CHECKING:
    from taxiway.secret import Redactor


class RedactingStream(io.TextIOBase):
    """A text stream that masks secrets, line by line: a secret is never cut in two by the size of a write."""

    def __init__(self, stream: TextIO, redact: Callable[[str], str]) -> None:
        self._stream, self._redact, self._rest = stream, redact, ""

    @override
    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            self._stream.write(self._redact("\n".join(lines)) + "\n")
            # A log is read while it is written.
            self._stream.flush()
        return len(text)

    @override
    def flush(self) -> None:
        """Flush whole lines; the rest of a line waits for its end (:meth:`finish`)."""
        self._stream.flush()

    def finish(self) -> None:
        """Write what is left of an unfinished line."""
        rest, self._rest = self._rest, ""
        self._stream.write(self._redact(rest))
        self._stream.flush()

    @override
    def isatty(self) -> bool:
        return self._stream.isatty()

    @override
    def writable(self) -> bool:
        return True

    @override
    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # TextIOBase declares a plain attribute
        """Of the stream beneath."""
        return self._stream.encoding


@contextmanager
def redacted_streams(redactor: "Redactor") -> Iterator[None]:
    """Standard output and error pass through the redactor: prints, tracebacks and warnings of libraries too."""
    before = sys.stdout, sys.stderr
    streams = RedactingStream(sys.stdout, redactor), RedactingStream(sys.stderr, redactor)
    sys.stdout, sys.stderr = streams
    try:
        yield
    finally:
        for stream in streams:
            stream.finish()
        sys.stdout, sys.stderr = before


def print_result(text: str) -> None:
    """A result, for people or for the next program in a pipe."""
    click.echo(text)


def print_json(value: dict[str, Any]) -> None:
    """A result as indented JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_log(line: str) -> None:
    """Something that happened meanwhile. Warnings stand out on a terminal."""
    click.echo(click.style(line, fg="yellow") if line.startswith("WARNING: ") else line)


def print_error(error: errors.TaxiwayError) -> None:
    """Message, excerpt, the server's further words and the hint, on standard error."""
    lines = [click.style("ERROR: ", fg="red", bold=True) + error.message]
    if isinstance(error, errors.MigrationFailed):
        lines += ["", error.excerpt, ""] if error.excerpt else []
        lines += [f"Server {name}: {text}" for name, text in error.details.items()]
        lines.append(
            "The migration was rolled back: the database is as it was before it."
            if error.rolled_back
            else "WARNING: the migration was NOT rolled back completely."
        )
    if error.hint:
        lines.append(f"Hint: {error.hint}")
    lines.append(f"Code: {error.code}")
    click.echo("\n".join(lines), err=True)
