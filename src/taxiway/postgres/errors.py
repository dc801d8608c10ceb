"""From libpq's errors to ours: by SQLSTATE where the server gave one, by libpq's words where it did not."""

import re
from typing import Final

from taxiway import errors
from taxiway.engine.advice import PERMISSION_DENIED, advise
from taxiway.postgres.libpq.result import ConnectionBroken, ServerError
from taxiway.postgres.login import Login

type DriverError = ServerError | ConnectionBroken

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
ACCESS_RULES: Final = "pg_hba.conf"
"""What a refusal names that has nothing to do with the password."""
_CERTIFICATE = (
    "certificate verify failed",
    "root certificate file",
    "server certificate for",
    "could not read root certificate",
)
_NO_SUCH_NAME = "could not translate host name"
_NO_TLS = "server does not support SSL"
_PASSWORD_FILE: Final = re.compile(r'password retrieved from file "([^"]*)"')

_SET_USER = "Set user (--user, FLYWAY_USER, or [database] in taxiway.toml), or name it in the URL."


def translate_connect_error(words: str, *, target: str, login: Login | None) -> errors.DatabaseError:
    """The error for a failed attempt to connect to ``target`` (``host:port/database``).

    ``words`` are libpq's. ``login`` is ``None`` when that was accepted already.
    """
    words = _first_reason(words)
    if login and (refusal := _login_refused(words, target=target, login=login)):
        return refusal
    if _NO_TLS in words:
        return errors.TlsUnavailable(
            f"{target}: the server does not support TLS, and sslmode asks for it.",
            hint="Turn TLS on at the server; or, where the network can be trusted, set sslmode=prefer in the URL, "
            "by --sslmode or by DB_SSLMODE.",
        )
    if any(phrase in words for phrase in _CERTIFICATE):
        return errors.CertificateRejected(
            f"{target} could not prove its identity: {words}",
            hint=_certificate_hint(words),
        )
    if 'database "' in words and "does not exist" in words:
        return errors.DatabaseNotFound(
            f"{target}: {words}", hint="Check the database name, or create the database first."
        )
    hint = "Check host, port, security group and whether the server is up; connectRetries waits for it."
    if _NO_SUCH_NAME in words:
        hint = "Check the name of the host (DB_HOST, host in [database], the URL), and whether it is known here."
    return errors.ConnectionFailed(
        f"Cannot connect to {target}{_who(login)}: {words}",
        hint=hint,
    )


def _certificate_hint(words: str) -> str:
    if "does not match host name" in words:
        return (
            "Give the name that is in the certificate as host; where another address is connected to, such as the "
            "end of a tunnel, give that as hostaddr (--hostaddr, DB_HOSTADDR)."
        )
    return (
        "Set sslrootcert to the file with the certificate authority of the server. Taxiway ships those of RDS; "
        "AWS's global-bundle.pem has those of newer regions."
    )


def _login_refused(words: str, *, target: str, login: Login) -> errors.AuthenticationFailed | None:
    nobody = "" if login.user_origin else " No user was given, so that of the operating system was taken."
    if _NONE_GIVEN in words:
        return errors.AuthenticationFailed(
            f"{target} wants a password{_who(login)}, and none was given.{nobody}",
            hint="Set FLYWAY_PASSWORD or PGPASSWORD, use a .pgpass file, or fill [database] in taxiway.toml.",
        )
    refusal = next((line for line in words.split("; ") if any(phrase in line for phrase in _AUTHENTICATION)), None)
    if not refusal and not ('role "' in words and "does not exist" in words):
        return None
    # The first refusal tells: with sslmode=prefer a second attempt, without TLS, has another reason.
    reason = refusal or words
    return errors.AuthenticationFailed(
        f"{target} refused the connection{_who(login)}: {reason}{'.' if nobody else ''}{nobody}",
        hint=_login_hint(reason, words, login),
    )


def _login_hint(reason: str, words: str, login: Login) -> str:
    if not login.user_origin:
        return _SET_USER
    if ACCESS_RULES in reason:
        return "Check user, database name and sslmode; the server's pg_hba.conf says who may connect how."
    file = _PASSWORD_FILE.search(words)
    password = login.password_origin or (file[1] if file else "")
    came = f"the password came from {password}" if password else "no password was given"
    return f"Check user and password: the user came from {login.user_origin}, {came}."


def _who(login: Login | None) -> str:
    return f" as user '{login.user}'" if login and login.user else ""


def translate_error(error: DriverError) -> errors.DatabaseError:
    """The error for a statement that failed on an open connection."""
    if isinstance(error, ConnectionBroken):
        return _lost(_first_reason(str(error)), sqlstate=None)
    found = error.diagnostics
    if found.severity in {"FATAL", "PANIC"}:
        return _lost(found.message, sqlstate=found.sqlstate)
    return errors.StatementFailed(
        found.message,
        sqlstate=found.sqlstate,
        position=found.position,
        detail=found.detail,
        server_hint=found.hint,
        context=found.context,
    )


def _lost(words: str, *, sqlstate: str | None) -> errors.ConnectionLost:
    return errors.ConnectionLost(
        f"The connection to the database was lost: {words}",
        sqlstate=sqlstate,
        hint="Run again; what was committed before has stayed.",
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


def _first_reason(text: str) -> str:
    """The words of libpq without its preamble, on one line; several hosts give several lines."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [
        line for line in lines if not line.startswith(("Multiple connection attempts", "Is the server running"))
    ]
    return "; ".join(kept) or "no reason given"
