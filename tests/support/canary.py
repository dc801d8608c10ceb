"""Looking for secrets where they must not be, in every notation that they could have been written in."""

import base64
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote, quote_plus

# Shorter than this, what base64 makes of a text is also in the midst of others.
_SHORTEST_ENCODED: Final = 8
_SECONDS_BETWEEN_LOOKS: Final = 0.005


def notations(text: str) -> frozenset[str]:
    """As it is, in an SQL literal, in a URL, in JSON, in a shell, in Python, in hexadecimal digits and in base64."""
    written = {
        text,
        text.replace("'", "''"),
        text.replace("\\", "\\\\").replace("'", "''"),
        quote(text, safe=""),
        quote(text),
        quote_plus(text),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        text.replace("'", "'\"'\"'"),
        repr(text)[1:-1],
    }
    return frozenset(written | set(_encoded(text.encode())))


def _encoded(data: bytes) -> Iterator[str]:
    if len(data) < _SHORTEST_ENCODED:
        return
    yield data.hex()
    # Three bytes are four characters, so that what a text becomes depends on how much stands before it.
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"x" * before + data).decode().rstrip("=")
            # The first and the last characters have bits of what stands beside it.
            yield text[0 if before == 0 else before + 1 : -1]


def find_secrets[Name](secrets: Mapping[Name, str], text: str) -> set[Name]:
    """The names of those secrets that the text shows, whole or one line of them. Capitals do not matter."""
    seen = text.lower()
    return {
        name
        for name, secret in secrets.items()
        if any(notation.lower() in seen for line in _lines(secret) for notation in notations(line))
    }


def _lines(secret: str) -> Iterable[str]:
    """The whole, and each line: the first and last ones of a private key are the same for every key."""
    return {secret, *(line for line in secret.splitlines() if line and not line.startswith("-----"))}


class ChildWatch:
    """What can be read of the processes below one, while they run: arguments and environments.

    A process that lives shorter than between two looks may be missed; the wrappers of ``Job`` miss none.
    """

    def __init__(self, root: int) -> None:
        self.seen: set[str] = set()
        self._root, self._is_over = root, threading.Event()

    def _look(self) -> None:
        own = _read(self._root, "cmdline")
        if own:
            self.seen.add(own)
        for process in _descendants(self._root):
            arguments = _read(process, "cmdline")
            # Between fork and exec a child has arguments and environment of its parent.
            if arguments and arguments != own:
                self.seen |= {arguments, _read(process, "environ")}

    def _watch(self) -> None:
        while not self._is_over.wait(_SECONDS_BETWEEN_LOOKS):
            self._look()

    @classmethod
    @contextmanager
    def of(cls, root: int) -> Iterator[Self]:
        """Watch inside the block."""
        watch = cls(root)
        thread = threading.Thread(target=watch._watch)
        thread.start()
        try:
            yield watch
        finally:
            watch._is_over.set()
            thread.join()


def _read(process: int, name: str) -> str:
    try:
        return Path(f"/proc/{process}/{name}").read_bytes().replace(b"\0", b"\n").decode(errors="replace")
    except OSError:
        return ""


def _descendants(root: int) -> Iterator[int]:
    parents = dict(filter(None, map(_parent, Path("/proc").glob("[0-9]*"))))
    found = {root}
    # A child has a higher number than its parent, but where the numbers begin anew.
    for process in sorted(parents):
        if parents[process] in found:
            found.add(process)
            yield process


def _parent(process: Path) -> tuple[int, int] | None:
    """Its number, and that of its parent (proc_pid_stat(5)); the name before them may have blanks in it."""
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(process.name), int(fields[1])
