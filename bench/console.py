"""What the programs that write a page of the documentation have in common: their options, words and files."""

import sys
from pathlib import Path


def name_options(**given: object) -> str:
    """Options as somebody would type them, those left out that are not given. A list is one option repeated."""
    pairs = [
        (name, one) for name, value in given.items() for one in (value if isinstance(value, list) else [value])
    ]
    return " ".join(
        f"--{name}" if one is True else f"--{name} {one}"
        for name, one in pairs
        if one is not None and one is not False
    )


def write_page(page: str, file: Path | None) -> None:
    """Write it to a file, or else to standard output."""
    if file:
        file.write_text(page, encoding="utf-8")
        say(f"written: {file}")
    else:
        print(page, end="")


def say(text: str) -> None:
    """Tell how far it is, on standard error."""
    print(text.rstrip(), file=sys.stderr, flush=True)
