"""Asking before something is done that cannot simply be taken back."""

import sys

from taxiway import errors
from taxiway.cli.interrupts import has_terminal
from taxiway.cli.output import print_aside


def confirm(question: str, *, is_confirmed: bool) -> None:
    """Go on only if somebody agrees: with an option beforehand, or at the terminal now.

    Raises:
        NotConfirmed: The answer is no, or there is no terminal to ask at.
    """
    if is_confirmed:
        return
    if not has_terminal():
        raise errors.NotConfirmed(
            "This has to be confirmed, and there is no terminal to ask at.",
            hint="Look at what would be done with --dry-run, then give --yes.",
        )
    if not ask(question):
        raise errors.NotConfirmed(
            "Nothing was done: the answer was not 'yes'.", hint="Run it again to change that."
        )


def ask(question: str) -> bool:
    """Whether whoever sits at the terminal agrees. There has to be one, and "y" is typed too easily."""
    print_aside(f"{question} Type 'yes':")
    return sys.stdin.readline().strip().lower() == "yes"
