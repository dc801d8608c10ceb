"""Values that nobody is to see: from a prompt without echo, or from standard input. Never from an argument."""

import sys
import warnings
from typing import Final

from taxiway import errors
from taxiway.cli.interrupts import has_terminal
from taxiway.cli.output import print_aside
from taxiway.secret import Secret

# PutSecretValue, API reference, and room for a byte order mark and a line end
_MOST_CHARACTERS: Final = 65_540


def refuse_arguments(surplus: tuple[str, ...], what: str) -> None:
    """Nothing confidential is taken from the command line, where everybody on the machine can read it.

    Raises:
        SecretRejected: There is something where a value could have been meant. It is not shown.
    """
    if surplus:
        raise errors.SecretRejected(
            f"There is no argument for {what}: everybody on the machine can read the arguments of a process.",
            hint="Give it at the prompt or on standard input. A real one has been seen by now: use another.",
        )


def read_value(what: str) -> Secret:
    """The value: asked for twice at a terminal, else what standard input has, without its last line end.

    Raises:
        SecretRejected: The two are not the same, or there is no value.
        NotConfirmed: There is a terminal at half only, so that nobody can be asked unseen.
    """
    if sys.stdin is None:
        raise _nothing(what)
    if not sys.stdin.isatty():
        return read_stdin(what)
    if not has_terminal():
        raise errors.NotConfirmed(
            f"Nobody can be asked for {what}: standard error is not a terminal.",
            hint="Give it on standard input, or let --generate make one.",
        )
    first = prompt(f"{what[:1].upper()}{what[1:]}")
    if not first:
        raise _nothing(what)
    if prompt("The same again") != first:
        raise errors.SecretRejected(
            "The two are not the same. Nothing was changed.", hint="Run again, and type the same twice."
        )
    return first


def read_stdin(what: str) -> Secret:
    """What standard input has, without its last line end.

    Raises:
        SecretRejected: That is nothing, or more than any secret can have, or not UTF-8.
    """
    try:
        text = sys.stdin.read(_MOST_CHARACTERS)
    except UnicodeDecodeError:
        # Not "from" the cause, which has the bytes.
        raise errors.SecretRejected(f"Standard input is not UTF-8, so that {what} is none.", hint=_STDIN) from None
    text = text.removeprefix("\ufeff").removesuffix("\n").removesuffix("\r")
    if not text:
        raise _nothing(what)
    return Secret(text)


def prompt(question: str) -> Secret:
    """What is typed, unseen. Ctrl-D is nothing; Ctrl-C is a KeyboardInterrupt, with the terminal as it was."""
    from getpass import GetPassWarning, getpass

    try:
        with warnings.catch_warnings():
            # It would go on and show what is typed.
            warnings.simplefilter("error", GetPassWarning)
            return Secret(getpass(f"{question}: "))
    except GetPassWarning:
        raise errors.NotConfirmed(
            "This terminal cannot hide what is typed.", hint="Give the value on standard input."
        ) from None
    except EOFError:
        print_aside("")
        return Secret("")


_STDIN: Final = "Write it to standard input: taxiway … < FILE, or from the program that has it."


def _nothing(what: str) -> errors.SecretRejected:
    return errors.SecretRejected(f"Nothing was given as {what}.", hint=_STDIN)
