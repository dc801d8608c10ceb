"""Where to look for scripts."""

from typing import Final, NamedTuple, Self

FILESYSTEM: Final = "filesystem"
CLASSPATH: Final = "classpath"


class Location(NamedTuple):
    """A prefix and a path, such as ``filesystem:sql``. Paths are POSIX paths without a trailing slash.

    A path may have the wildcards ``**``, ``*`` and ``?``; here they are plain text.
    """

    prefix: str
    path: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``[prefix:]path``. Without a prefix it is ``filesystem:`` (Flyway 13: ``classpath:``).

        Raises:
            ValueError: The prefix is not one that Taxiway knows, or the path is empty.
        """
        prefix, colon, path = text.strip().partition(":")
        if not colon:
            prefix, path = FILESYSTEM, prefix
        if prefix not in {FILESYSTEM, CLASSPATH}:
            raise ValueError(f"unknown location prefix '{prefix}:' in '{text}': use 'filesystem:' or 'classpath:'")
        # Java's File drops doubled and trailing slashes and keeps "." and ".."; the first slash of a name on the
        # class path means nothing (Flyway, LocationParser).
        parts = [part for part in path.split("/") if part]
        cleaned = ("/" if path.startswith("/") and prefix == FILESYSTEM else "") + "/".join(parts)
        if not cleaned:
            raise ValueError(f"location '{text}' has no path")
        return cls(prefix, cleaned)

    def __str__(self) -> str:
        return f"{self.prefix}:{self.path}"
