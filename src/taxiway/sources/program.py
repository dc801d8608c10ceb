"""Scripts that are not SQL, run as child processes: the engine's :class:`taxiway.engine.ports.Programs`.

Terminology:

program
    A file, and the command that runs it; a file without a command runs by itself.
piece
    A part of a line that is too long to be held until it ends.
"""

import codecs
import errno
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, final

from taxiway.errors import ProgramUnavailable
from taxiway.model.migration import Program
from taxiway.secret import Secret, reveal

_CHUNK_BYTES: Final = 1 << 16
# How many characters of a line are told at once, and how many are held behind them: more than any secret has.
_PIECE: Final = 1 << 16
# How far to go back for a place where a line can be cut.
_STEP: Final = 1 << 8
# How often to look whether a program has ended whose output somebody else keeps open.
_POLL_MILLISECONDS: Final = 100
# How long a program may take to end when it is asked to, before it is made to.
_GRACE_SECONDS: Final = 5.0


@final
class ChildPrograms:
    """Programs of this machine, each in a process group of its own.

    What masks secrets is needed to find out where a line may be cut: of a secret that is cut in two, neither half
    would be masked by those who are told of the line.
    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact

    def run(
        self, program: Program, environment: Mapping[str, str | Secret], *, on_line: Callable[[str], None]
    ) -> int:
        """Run a program with these variables besides our own environment, and return its exit status.

        The status is negative if a signal has ended it. Each line that it prints, to standard error too, is told
        at once, unmasked; bytes that are not UTF-8 are replaced, and a line that does not end is told in pieces.
        It has no input. What it leaves running in the background is not waited for. An exception, that of an
        interruption included, ends it with all that it has started.

        Raises:
            ProgramUnavailable: It cannot be started.
        """
        variables = {**os.environ, **{name: reveal(value) for name, value in environment.items()}}
        with _running(_command(program), variables, program) as process:
            for line in _lines(process, self._redact):
                on_line(line.rstrip("\r"))
            return process.wait()


def _command(program: Program) -> list[str]:
    if not program.command:
        _make_executable(program)
        return [program.file]
    name, *arguments = program.command
    return [_find(name, program), *arguments, program.file]


def _find(name: str, program: Program) -> str:
    """The absolute path of what runs the program. Flyway 13 runs ``python``, which not every machine has."""
    names = (name, "python3") if name == "python" else (name,)
    found = next((path for one in names if (path := shutil.which(one))), None)
    if found is None and name == "python":
        # Empty in programs that have Python built in
        found = sys.executable or None
    if found is None:
        raise ProgramUnavailable(
            f"it is run by '{name}', which was not found on the PATH.",
            path=program.file,
            hint=f"Install {name}, or put it on the PATH.",
        )
    return found


def _make_executable(program: Program) -> None:
    """As Flyway 13: a file that is a program by itself has to be executable, for its owner at least."""
    if os.access(program.file, os.X_OK):
        return
    path = Path(program.file)
    try:
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    except OSError as error:
        raise ProgramUnavailable(
            f"the file is not executable, and cannot be made so: {error.strerror or error}.",
            path=program.file,
            hint=f"Run 'chmod u+x' on it, and commit that ('git update-index --chmod=+x {path.name}').",
        ) from error


@contextmanager
def _running(
    command: list[str], variables: Mapping[str, str], program: Program
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own. When the block is left by an exception, that session is ended."""
    try:
        process = subprocess.Popen(  # noqa: S603  # no shell; that programs may run has been asked for by name
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(variables),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    else:
        try:
            yield process
        except BaseException:
            _end(process)
            raise
        finally:
            if process.stdout:
                process.stdout.close()
        return
    # Raised here and not above: Python's exception may show the command, and would go along as the context.
    raise _not_started(reason, program)


def _not_started(reason: str, program: Program) -> ProgramUnavailable:
    hint = "Check that the file is there and may be run."
    if reason == os.strerror(errno.ENOEXEC):
        hint = "Begin the file with a line such as '#!/bin/sh', or give it a suffix that says what runs it."
    return ProgramUnavailable(f"it cannot be started: {reason}.", path=program.file, hint=hint)


def _lines(process: subprocess.Popen[bytes], redact: Callable[[str], str]) -> Iterator[str]:
    """The lines of the output as they come, until it ends, or the program has ended and nothing is left of it."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    line = _Line(redact)
    for chunk in _chunks(process):
        first, *others = decoder.decode(chunk).split("\n")
        yield from line.add(first)
        for following in others:
            yield line.end()
            yield from line.add(following)
    yield from line.add(decoder.decode(b"", final=True))
    if rest := line.end():
        yield rest


class _Line:
    """The line that is being printed, as far as it has come and is not told yet."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._parts: list[str] = []
        self._length = 0

    def add(self, text: str) -> Iterator[str]:
        """Take in what comes next; gives pieces as long as there is too much."""
        self._parts.append(text)
        self._length += len(text)
        while self._length > 2 * _PIECE:
            held = self.end()
            cut = self._find_cut(held)
            yield held[:cut]
            self._parts, self._length = [held[cut:]], len(held) - cut

    def end(self) -> str:
        """What is left to be told."""
        text = "".join(self._parts)
        self._parts, self._length = [], 0
        return text

    def _find_cut(self, text: str) -> int:
        """Where both sides, masked alone, are what they are together; at the end if there is no such place."""
        masked = self._redact(text)
        cuts = range(_PIECE, 0, -_STEP)
        return next(
            (cut for cut in cuts if self._redact(text[:cut]) + self._redact(text[cut:]) == masked), len(text)
        )


def _chunks(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    if process.stdout is None:  # pragma: no cover - it was started with a pipe
        return
    descriptor = process.stdout.fileno()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    while True:
        has_ended = process.poll() is not None
        if poll.poll(0 if has_ended else _POLL_MILLISECONDS):
            chunk = os.read(descriptor, _CHUNK_BYTES)
            if not chunk:
                return
            yield chunk
        elif has_ended:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the program to end, with everything that it started, and make it end if it does not."""
    try:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    finally:
        # Another Ctrl-C ends the patience, not the duty.
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The group lives on while one of its members does. macOS says PermissionError when only the status is left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
