"""From psycopg's exceptions to ours: by SQLSTATE where the server gave one, by libpq's words where it did not."""

import psycopg

from taxiway import errors
from taxiway.engine.advice import PERMISSION_DENIED, advise

_NO_SUCH_COLUMN = "42703"
_RELATION_EXISTS = "42P07"

_ANOTHER_NAME = "Set the option 'table' to a name that is free."

# While connecting there is no result to ask for an SQLSTATE: libpq gives words only. Those of the server are in
# the language of its lc_messages (English on RDS and Aurora); what is not recognised is a plain ConnectionFailed.
_NONE_GIVEN = "no password supplied"
_AUTHENTICATION = (
    "password authentication failed",
    "no pg_hba.conf entry",
    "pg_hba.conf rejects connection",
    "authentication failed for user",
    "is not permitted to log in",
    "authentication method requirement",
    "channel binding",
)
_CERTIFICATE = (
    "certificate verify failed",
    "root certificate file",
    "server certificate for",
    "server does not support SSL",
    "could not read root certificate",
)


def translate_connect_error(error: psycopg.Error, *, target: str, user: str | None) -> errors.DatabaseError:
    """The error for a failed attempt to connect to ``target`` (``host:port/database``)."""
    words = _first_reason(str(error))
    who = f" as user '{user}'" if user else ""
    if _NONE_GIVEN in words:
        return errors.AuthenticationFailed(
            f"{target} wants a password{who}, and none was given.",
            hint="Set FLYWAY_PASSWORD or PGPASSWORD, use a .pgpass file, or fill [database] in taxiway.toml.",
        )
    refusal = next((line for line in words.split("; ") if any(phrase in line for phrase in _AUTHENTICATION)), None)
    if refusal or ('role "' in words and "does not exist" in words):
        # The first refusal tells: with sslmode=prefer a second attempt, without TLS, has another reason.
        return errors.AuthenticationFailed(
            f"{target} refused the connection{who}: {refusal or words}",
            hint="Check user and password: FLYWAY_PASSWORD, the secret that taxiway.toml names, or .pgpass.",
        )
    if any(phrase in words for phrase in _CERTIFICATE):
        return errors.CertificateRejected(
            f"{target} could not prove its identity: {words}",
            hint="Set sslrootcert to the file with the certificate authority of the server.",
        )
    if 'database "' in words and "does not exist" in words:
        return errors.DatabaseNotFound(
            f"{target}: {words}", hint="Check the database name, or create the database first."
        )
    return errors.ConnectionFailed(
        f"Cannot connect to {target}{who}: {words}",
        hint="Check host, port, security group and whether the server is up; connectRetries waits for it.",
    )


def translate_error(error: psycopg.Error) -> errors.DatabaseError:
    """The error for a statement that failed on an open connection.

    Not made of the exception's text where the server gave a message: that text shows the statement too, with the
    values of secret placeholders.
    """
    diag = error.diag
    if _is_fatal(error):
        return errors.ConnectionLost(
            f"The connection to the database was lost: {diag.message_primary or _first_reason(str(error))}",
            sqlstate=error.sqlstate,
            hint="Run again; what was committed before has stayed.",
        )
    position = diag.statement_position
    return errors.StatementFailed(
        diag.message_primary or str(error),
        sqlstate=error.sqlstate,
        position=int(position) if position else None,
        detail=diag.message_detail,
        server_hint=diag.message_hint,
        context=diag.context,
    )


def permission_error(error: errors.DatabaseError, *, doing: str, user: str | None) -> errors.DatabaseError:
    """The same error, or PermissionDenied that says what was being done, when the server said so."""
    if error.sqlstate != PERMISSION_DENIED:
        return error
    return errors.PermissionDenied(
        f"{doing}: {error.message}", sqlstate=error.sqlstate, hint=advise(error, user=user)
    )


def error_of_ours(error: errors.DatabaseError, *, doing: str, user: str | None = None) -> errors.TaxiwayError:
    """The error for a statement that no script contains: it says what was being done, and what to do now."""
    if isinstance(error, errors.ConnectionLost):
        return error
    if error.sqlstate == _NO_SUCH_COLUMN:
        return errors.HistoryUnreadable(
            f"{doing}: {error.message}; another program's table has that name.",
            hint=_ANOTHER_NAME,
        )
    if error.sqlstate == _RELATION_EXISTS:
        # A view, an index and the like: the history table would have been found.
        return errors.HistoryUnreadable(
            f"{doing}: {error.message}, and it is not the schema history.", hint=_ANOTHER_NAME
        )
    if error.sqlstate == PERMISSION_DENIED:
        return permission_error(error, doing=doing, user=user)
    hint = advise(error, user=user) or "Remove the cause that the server names, then run again."
    return errors.DatabaseError(f"{doing}: {error.message}", sqlstate=error.sqlstate, hint=hint)


def _is_fatal(error: psycopg.Error) -> bool:
    """The session is over: the server said so, or libpq found the connection broken."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.diag.severity_nonlocalized in {"FATAL", "PANIC"}


def _first_reason(text: str) -> str:
    """The words of libpq without its preamble, on one line; several hosts give several lines."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [
        line for line in lines if not line.startswith(("Multiple connection attempts", "Is the server running"))
    ]
    return "; ".join(kept) or "no reason given"
