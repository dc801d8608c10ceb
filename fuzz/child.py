"""``python -m fuzz.child TARGET [ARGUMENT …]``: one target in this process, until the fuzzer's arguments end it.

Everything of Taxiway is imported here for the first time, under the eyes of the fuzzer, which then knows which
branches an input takes. Its hook into regular expressions stays off: atheris 3.1 knows neither possessive
repetition nor a position to begin at, and the lexer needs both.
"""

import sys
from collections.abc import Sequence

import atheris


def main(arguments: Sequence[str]) -> None:
    """Fuzz; ends the process."""
    name, *options = arguments
    with atheris.instrument_imports(include=["taxiway", "tomllib", "urllib.parse", "fuzz.targets"]):
        from fuzz.targets import get_target

        target = get_target(name)
    atheris.Setup([sys.argv[0], *options], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
