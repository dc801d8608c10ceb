"""Who connects, and where that was said: what the error for a refused login tells. It never has the password."""

import os
from typing import NamedTuple

from taxiway.model.settings import DatabaseSettings
from taxiway.secret import reveal

_SOMEWHERE = "the settings"


class Login(NamedTuple):
    """The user, and where user and password are from; an origin is empty when nobody gave anything.

    A ``.pgpass`` file is not among the origins: libpq names it in its refusal.
    """

    user: str | None = None
    user_origin: str = ""
    password_origin: str = ""


def find_login(settings: DatabaseSettings) -> Login:
    """The login of settings whose URL was taken apart, or what libpq's variables and its service file add.

    A service may have both or none of them, so it is named with what libpq takes otherwise.
    """
    service = reveal(settings.parameters.get("service", "")) or os.environ.get("PGSERVICE")
    origins = settings.origins
    if settings.user:
        user, user_origin = settings.user, origins.get("user", _SOMEWHERE)
    elif service:
        user, user_origin = None, f"service '{service}', PGUSER or the operating system"
    else:
        user = os.environ.get("PGUSER") or None
        user_origin = "PGUSER" if user else ""
    if settings.password:
        password_origin = origins.get("password", _SOMEWHERE)
    elif service:
        password_origin = f"service '{service}', PGPASSWORD or .pgpass"
    else:
        password_origin = "PGPASSWORD" if os.environ.get("PGPASSWORD") else ""
    return Login(user=user, user_origin=user_origin, password_origin=password_origin)
