"""A file that a source delivers."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file below a location.

    Attributes:
        script: Path relative to the location, with ``/``.
        path: Absolute path, for people and for errors; in a Git clone, the path in the repository.
        read: Returns the content. Raises OSError.
        file: Absolute path of the file on this machine, for programs; empty for one that has none.
    """

    script: str
    path: str
    read: Callable[[], bytes]
    file: str = ""

    @property
    def name(self) -> str:
        """The file name without folders."""
        return self.script.rpartition("/")[2]
