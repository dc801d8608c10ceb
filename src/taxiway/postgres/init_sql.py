"""The setting ``initSql``: statements for each new session, before anything else (Flyway 13)."""

from typing import Final

from taxiway import errors
from taxiway.model.script import ReplacedText, Statement
from taxiway.postgres.libpq.channel import TransactionStatus
from taxiway.postgres.libpq.connection import Connection
from taxiway.postgres.send import send
from taxiway.sql.statements import split

_NAME: Final = "initSql"


def run_init_sql(connection: Connection, text: str) -> None:
    """Run it, split like a script. Placeholders are not replaced: those of Flyway are not known yet either.

    Raises:
        ScriptError: It cannot be split.
        InvalidOption: The server refuses a statement, or a transaction was opened and not ended.
        ConnectionLost: The session is over.
    """
    replaced = ReplacedText(text, text)
    for statement in split(replaced, path=_NAME, server_version_num=connection.server_version):
        if refusal := _run(connection, statement):
            # Raised here, where the server's own words do not go along as the context.
            raise refusal
    if connection.transaction_status is not TransactionStatus.IDLE:
        raise errors.InvalidOption(
            f"{_NAME} leaves a transaction open.", hint=f"End it with COMMIT in the option {_NAME}."
        )


def _run(connection: Connection, statement: Statement) -> errors.InvalidOption | None:
    try:
        send(connection, statement)
    except errors.StatementFailed as error:
        offset = statement.offset + error.position - 1 if error.position else statement.first_token
        place = statement.part.locate(offset)
        return errors.InvalidOption(
            f"{_NAME}, line {place.line}, column {place.column}: {error.message}",
            hint=f"Correct the option {_NAME}: no session can be used without it.",
        )
    return None
