"""What to do about a refusal of the server, by its SQLSTATE (PostgreSQL manual, appendix A)."""

import re
from typing import Final

from taxiway.errors import DatabaseError
from taxiway.model.identifier import quote_identifier

PERMISSION_DENIED: Final = "42501"
READ_ONLY: Final = "25006"

# No fault of a script: a lock timeout, a deadlock, a cancelled statement, a lack of disk, memory or connections.
_PASSING: Final = ("55P03", "40P01", "57014", "53")

# The server quotes no name here. In another language than English nothing is found, and nothing is named.
_DENIED: Final = re.compile(r"permission denied for (?P<object>schema (?P<schema>.+)|.+)$")


def advise(error: DatabaseError, *, user: str | None) -> str | None:
    """One sentence that says what to do, where the SQLSTATE tells it; ``None`` where it does not.

    ``user`` is whom privileges are to be granted to, if that is known.
    """
    state = error.sqlstate or ""
    if state == READ_ONLY:
        return "Connect to the writer of the cluster; this session may only read."
    if state == PERMISSION_DENIED:
        return _grant(error.message, user)
    if state.startswith(_PASSING):
        return "Nothing is wrong with the scripts: run again when the cause that the server names is gone."
    return None


def _grant(message: str, user: str | None) -> str:
    denied = _DENIED.search(message)
    if denied and denied["schema"] and user:
        # Since PostgreSQL 15 a user has USAGE of the schema public, and no CREATE.
        privileges = "CREATE" if denied["schema"] == "public" else "USAGE, CREATE"
        grant = f"GRANT {privileges} ON SCHEMA {quote_identifier(denied['schema'])} TO {quote_identifier(user)}"
        return f"Have an administrator run '{grant}', then run again."
    whom = f"user {user}" if user else "the database user"
    what = f"the privileges on {denied['object']} that it lacks" if denied else "what it lacks"
    return f"Grant {whom} {what}, or connect as another one; then run again."
