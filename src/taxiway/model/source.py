"""A file that a source delivers."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, NamedTuple

# Not more than the allocator keeps at hand: memory that is new for each chunk takes longer than all that is done
# with it.
CHUNK_BYTES: Final = 1 << 17


class SourceFile(NamedTuple):
    """A file below a location.

    Attributes:
        script: Path relative to the location, with ``/``.
        path: Absolute path, for people and for errors; in a Git clone, the path in the repository.
        open: Opens it for reading. Raises OSError.
        file: Absolute path of the file on this machine, for programs; empty for one that has none.
    """

    script: str
    path: str
    open: Callable[[], BinaryIO]
    file: str = ""

    @property
    def name(self) -> str:
        """The file name without folders."""
        return self.script.rpartition("/")[2]

    def chunks(self) -> Iterator[bytes]:
        """The content, at most :data:`CHUNK_BYTES` at once.

        Raises:
            OSError: It cannot be read.
        """
        with self.open() as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
