"""Statements that begin, end or divide a transaction."""

import re
from typing import Final

from taxiway.model.script import Statement

# What ends or names a part of a transaction gets on with no savepoint of ours, nor does what has to come first in
# one (PostgreSQL manual, SET TRANSACTION: not in a subtransaction).
_CONTROLS: Final = re.compile(
    r"(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE)\b"
    r"|SET\s+(?:(?:LOCAL|SESSION)\s+)?TRANSACTION\w*\b",
    re.IGNORECASE,
)
# What may leave a script in another transaction than the one that was opened for it, or in none
_ENDS: Final = re.compile(
    r"(?:COMMIT|END|ROLLBACK|ABORT)\b|PREPARE\s+TRANSACTION\b|(?:BEGIN|START)\b", re.IGNORECASE
)

# The tag of ROLLBACK AND CHAIN is that of ROLLBACK TO SAVEPOINT, which ends nothing.
_CHAINS: Final = re.compile(r"(?:ROLLBACK|ABORT)\s+(?:(?:WORK|TRANSACTION)\s+)?AND\s+CHAIN\b", re.IGNORECASE)
_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def controls_transaction(statement: Statement) -> bool:
    """Whether it begins, ends or divides a transaction, or has to come first in one."""
    return bool(_CONTROLS.match(statement.text, statement.first_token - statement.offset))


def may_end_transaction(statement: Statement) -> bool:
    """Whether it may end the transaction that it runs in, or begin one."""
    return bool(_ENDS.match(statement.text, statement.first_token - statement.offset))


def rolls_back_and_chains(statement: Statement) -> bool:
    """Whether it ends the transaction and opens another one at once."""
    text = statement.text[statement.first_token - statement.offset :]
    return bool(_CHAINS.match(_COMMENT.sub(" ", text)))
