"""Whether the server has that password for a role, found out by logging in with it.

Only superusers may read the verifiers that the server keeps, and RDS has none for its customers. So the question
is put as every client puts it: by SCRAM, which tells the server nothing that it does not know (RFC 5802).
"""

from collections.abc import Mapping
from typing import Final

from taxiway.model.role import PasswordCheck, PasswordState
from taxiway.postgres.libpq.attempt import LoginAttempt, attempt_login
from taxiway.postgres.libpq.connection import Connection
from taxiway.postgres.libpq.library import libpq
from taxiway.secret import Secret

_SECONDS: Final = 15
# Since 16, libpq can be told to insist on a method. Before, it gives a server that asks the password itself.
_KNOWS_METHODS: Final = 160000

_WRONG: Final = "28P01"
# They run when the password was accepted (PostgreSQL 14 to 18, postinit.c): CONNECT, limits or LOGIN lack then.
_BEHIND_THE_PASSWORD: Final = frozenset({"InitPostgres", "InitializeSessionUserId", "CheckMyDatabase"})
# Of the session that asks; they say nothing of the role, and could keep it out.
_OF_THE_SESSION: Final = ("options", "target_session_attrs", "service", "passfile", "hostaddr")


def check_password(
    connection: Connection, parameters: Mapping[str, str], role: str, password: Secret
) -> PasswordCheck:
    """Log in to the server of that connection, in the same way, as the role.

    Without SCRAM there is no answer: a server that trusts the address lets any password in.
    """
    if libpq().PQlibVersion() < _KNOWS_METHODS:
        return PasswordCheck(PasswordState.UNKNOWN, "libpq is older than 16")
    others = {name: value for name, value in parameters.items() if name not in _OF_THE_SESSION}
    place = {"host": connection.host, "hostaddr": connection.address, "port": connection.port}
    login = {"user": role, "password": password.reveal(), "require_auth": "scram-sha-256"}
    return _judge(attempt_login({**others, **place, **login}, seconds=_SECONDS))


def _judge(attempt: LoginAttempt) -> PasswordCheck:
    if attempt.succeeded or attempt.routine in _BEHIND_THE_PASSWORD:
        return PasswordCheck(PasswordState.SAME)
    if attempt.sqlstate == _WRONG:
        return PasswordCheck(PasswordState.OTHER)
    return PasswordCheck(PasswordState.UNKNOWN, attempt.words)
