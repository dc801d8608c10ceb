"""Where the command line writes: results to standard output, the rest to standard error, nothing unredacted."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, override

import click

from taxiway import errors

if TYPE_CHECKING:
    from taxiway.secret import Redactor


class RedactingStream(io.TextIOBase):
    """A text stream that masks secrets, line by line: a secret is never cut in two by the size of a write.

    Writing never fails: work that has begun is not given up for its log. After the first failure nothing is
    written any more, and ``failure`` has its cause.
    """

    def __init__(self, stream: TextIO, redact: Callable[[str], str]) -> None:
        self._stream, self._redact, self._rest = stream, redact, ""
        self.failure: OSError | None = None

    @override
    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            self._put(self._redact("\n".join(lines)) + "\n")
        return len(text)

    @override
    def flush(self) -> None:
        """Flush whole lines; the rest of a line waits for its end (:meth:`finish`)."""
        self._put("")

    def finish(self) -> None:
        """Write what is left of an unfinished line."""
        rest, self._rest = self._rest, ""
        self._put(self._redact(rest))

    def write_redacted(self, value: object) -> None:
        """Write a value as JSON, redacted text by text: a secret such as ``1`` must not break the JSON."""
        from taxiway.secret import redact_strings

        self.finish()
        # What another encoding does not have is escaped as JSON does it, not as Python does.
        ascii_only = not self.encoding.lower().startswith("utf")
        self._put(json.dumps(redact_strings(value, self._redact), indent=2, ensure_ascii=ascii_only) + "\n")

    def _put(self, text: str) -> None:
        """Write at once, because a log is read while it is written."""
        if self.failure is not None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            self.failure = error
            _discard(self._stream)

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
def redacted_streams(redactor: "Redactor") -> Iterator[RedactingStream]:
    """Standard output and error pass through the redactor: prints, tracebacks and warnings of libraries too.

    Yields the one of standard output, which knows whether what was written has arrived.
    """
    before = sys.stdout, sys.stderr
    out, err = (RedactingStream(_writable(stream), redactor) for stream in before)
    sys.stdout, sys.stderr = out, err
    try:
        yield out
    finally:
        try:
            out.finish()
            err.finish()
        finally:
            sys.stdout, sys.stderr = before


def _writable(stream: TextIO | None) -> TextIO:
    """The stream, made to take every character; nowhere, if whoever started us has closed it (``>&-``)."""
    if stream is None:
        # Never closed: the file that is opened next would get the number of the missing stream, and with it what
        # C libraries print.
        return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8", closefd=False)
    if isinstance(stream, io.TextIOWrapper):
        # A file name that the encoding of the terminal does not have is no reason to stop half way.
        stream.reconfigure(errors="backslashreplace")
    return stream


def _discard(stream: TextIO) -> None:
    """Let what is still buffered go nowhere: Python would write it at exit, fail again, and end with 120."""
    with suppress(OSError):  # also what a stream without a file says
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def print_result(text: str) -> None:
    """A result, for people or for the next program in a pipe."""
    click.echo(text)


def print_json(value: dict[str, Any]) -> None:
    """A result as indented JSON, with its texts redacted."""
    if isinstance(sys.stdout, RedactingStream):
        sys.stdout.write_redacted(value)
    else:
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
    if error.result and error.result.count:
        count = error.result.count
        lines.append(
            f"{count} {'migration was' if count == 1 else 'migrations were'} applied before it, and stay."
        )
    if error.hint:
        lines.append(f"Hint: {error.hint}")
    lines.append(f"Code: {error.code}")
    click.echo("\n".join(lines), err=True)
