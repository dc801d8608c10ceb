"""``python -m taxiway``, and the installed command."""

import gc
import sys
from typing import Final

# Hardly anything that a run makes refers to itself, and all of it is gone in the end. By default Python looks for
# such garbage after every 2,000 new objects.
_NEW_OBJECTS: Final = 100_000
# That of exit_codes, which nothing is loaded for yet.
_INTERRUPTED: Final = 130


def main() -> None:
    """Run the command line and end the process with its exit code."""
    gc.set_threshold(_NEW_OBJECTS)
    try:
        from taxiway.cli.main import run
        from taxiway.runner.signals import ignore_signals
    except KeyboardInterrupt:
        # Nothing had begun. Python's traceback would only frighten.
        sys.exit(_INTERRUPTED)
    exit_code = run(sys.argv[1:], ends_process=True)
    ignore_signals()
    # Python looks once more when it ends.
    gc.freeze()
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
