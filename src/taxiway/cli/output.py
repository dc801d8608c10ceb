"""Where the command line writes: results to standard output, the rest to standard error, nothing unredacted."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TextIO, override

from taxiway import errors

if TYPE_CHECKING:
    from taxiway.model.result import MigrateResult, UndoResult
    from taxiway.reports.log import LogLine
    from taxiway.secret import Redactor


# What colours are written with
_ESCAPE: Final = "\x1b"


class RedactingStream(io.TextIOBase):
    """A text stream that masks secrets, line by line: a secret is never cut in two by the size of a write.

    Writing never fails: work that has begun is not given up for its log. After the first failure nothing is
    written any more, and ``failure`` has its cause.
    """

    def __init__(self, stream: TextIO, redact: Callable[[str], str]) -> None:
        self._stream, self._redact, self._rest = stream, redact, ""
        self._copy: TextIO | None = None
        self.failure: OSError | None = None
        self.has_document = False

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

    def close_copy(self) -> None:
        """Nothing is copied any more."""
        if self._copy is not None:
            with suppress(OSError):  # what was written has been flushed, or its failure noted
                self._copy.close()
            self._copy = None

    def copy_to(self, file: TextIO) -> None:
        """Write everything from now on to a file as well, without colours."""
        self._copy = file

    def write_redacted(self, value: object, *, indent: int | None = 2) -> None:
        """Write a value as JSON, redacted text by text: a secret such as ``1`` must not break the JSON."""
        import json

        from taxiway.secret import redact_strings

        self.finish()
        # What another encoding does not have is escaped as JSON does it, not as Python does.
        ascii_only = not self.encoding.lower().startswith("utf")
        text = json.dumps(redact_strings(value, self._redact), indent=indent, ensure_ascii=ascii_only)
        self.has_document = True
        self._put(text + "\n")

    def write_checked(self, line: str) -> None:
        """Write a line whose parts have been redacted: a secret such as ``1`` must not break the whole."""
        self.finish()
        self._put(line + "\n")

    def _put(self, text: str) -> None:
        """Write at once, because a log is read while it is written."""
        self._put_copy(text)
        if self.failure is not None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            self.failure = error
            _discard(self._stream)

    def _put_copy(self, text: str) -> None:
        if self._copy is None:
            return
        try:
            self._copy.write(_unstyled(text))
            self._copy.flush()
        except OSError as error:
            self.failure, self._copy = error, None

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
            out.close_copy()
            err.close_copy()


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


def copy_output(path: str, *, result_only: bool) -> None:
    """From now on, write whatever goes to standard output and error to a file as well (Flyway 13, ``outputFile``).

    With ``result_only`` what goes to standard error is left out: the file is to be JSON.

    Raises:
        InvalidOption: The file cannot be written.
    """
    try:
        file = open(path, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - the streams close it when they are finished
    except OSError as error:
        raise errors.InvalidOption(
            f"The output file {path} cannot be written: {error.strerror}.",
            hint="Name a file in an existing folder.",
        ) from error
    for stream in (sys.stdout,) if result_only else (sys.stdout, sys.stderr):
        if isinstance(stream, RedactingStream):
            stream.copy_to(file)


def _unstyled(text: str) -> str:
    if _ESCAPE not in text:
        return text
    import click

    return click.unstyle(text)


def _echo(text: str, *, newline: bool = True, err: bool = False, color: bool | None = None) -> None:
    """Write a text. Whether its colours, if it has some, stay is for click to say."""
    if _ESCAPE in text:
        import click

        click.echo(text, nl=newline, err=err, color=color)
        return
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{text}\n" if newline else text)
    stream.flush()


def _styled(text: str, color: str, *, bold: bool = False) -> str:
    import click

    return click.style(text, fg=color, bold=bold or None)


def print_result(text: str, *, newline: bool = True) -> None:
    """A result, for people or for the next program in a pipe."""
    _echo(text, newline=newline)


def print_json(value: dict[str, Any]) -> None:
    """A result as indented JSON, with its texts redacted."""
    if isinstance(sys.stdout, RedactingStream):
        sys.stdout.write_redacted(value)
    else:
        import json

        _echo(json.dumps(value, indent=2, ensure_ascii=False))


def has_printed_document() -> bool:
    """Whether standard output has a JSON value, or will have it in a moment."""
    return isinstance(sys.stdout, RedactingStream) and sys.stdout.has_document


def print_checked(line: str, *, err: bool) -> None:
    """A line whose parts have been redacted."""
    stream = sys.stderr if err else sys.stdout
    if isinstance(stream, RedactingStream):
        stream.write_checked(line)
    else:
        _echo(line, err=err)


def print_json_line(value: dict[str, Any]) -> None:
    """One object of a log that is JSON, on standard output, with its texts redacted."""
    if isinstance(sys.stdout, RedactingStream):
        sys.stdout.write_redacted(value, indent=None)
    else:
        import json

        _echo(json.dumps(value, ensure_ascii=False))


def print_log(line: "LogLine", *, in_json: bool, to_stderr: bool, color: bool | None) -> None:
    """Something that happened meanwhile. Warnings stand out on a terminal; JSON goes to standard error."""
    from taxiway.reports.log import Level

    if in_json and isinstance(sys.stderr, RedactingStream):
        sys.stderr.write_redacted({"level": line.level.value, "message": line.text}, indent=None)
        return
    text = _styled(str(line), "yellow") if line.level is Level.WARNING else str(line)
    _echo(text, err=to_stderr, color=color)


def print_aside(text: str) -> None:
    """Something beside the result, on standard error."""
    _echo(text, err=True)


def print_warning(text: str, *, color: bool | None = None) -> None:
    """A warning that is no line of the log, on standard error."""
    _echo(_styled(text, "yellow"), err=True, color=color)


def print_error(error: errors.TaxiwayError, *, color: bool | None = None) -> None:
    """Message, excerpt, the server's further words and the hint, on standard error."""
    lines = [_styled("ERROR: ", "red", bold=True) + error.message]
    if isinstance(error, errors.MigrationFailed | errors.CallbackFailed):
        lines += ["", error.excerpt, ""] if error.excerpt else []
        lines += [f"Server {name}: {text}" for name, text in error.details.items()]
    if isinstance(error, errors.MigrationFailed):
        lines.append(_aftermath(error))
    if error.result and error.result.count:
        lines.append(_before(error.result))
    if error.hint:
        lines.append(f"Hint: {error.hint}")
    lines.append(f"Code: {error.code}")
    _echo("\n".join(lines), err=True, color=color)


def _aftermath(error: errors.MigrationFailed) -> str:
    if error.rolled_back:
        return "The migration was rolled back: the database is as it was before it."
    return "WARNING: NOT everything was rolled back."


def _before(result: "MigrateResult | UndoResult") -> str:
    """What the commands before the failure have done."""
    from taxiway.model.result import UndoResult

    word = "undone" if isinstance(result, UndoResult) else "applied"
    if result.count == 1:
        return f"1 migration was {word} before it, and stays."
    return f"{result.count} migrations were {word} before it, and stay."
