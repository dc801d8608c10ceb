"""Where user and password come from, when they are not for every connection the same."""

from collections.abc import Callable
from typing import Protocol

from taxiway.model.event import SecretReadAgain, Warned
from taxiway.model.settings import DatabaseSettings


class Credentials(Protocol):
    """Asked before each connection. Settings are taken apart (:func:`taxiway.postgres.url.parse_url`)."""

    def log_in(self, database: DatabaseSettings, /) -> DatabaseSettings:
        """The settings with user and password for a new connection.

        Raises:
            SecretError, AwsError: They could not be had.
        """
        ...

    def log_in_again(
        self, refused: DatabaseSettings, on_event: Callable[[SecretReadAgain | Warned], None], /
    ) -> DatabaseSettings | None:
        """The settings with another login, since the server has ``refused`` that one; ``None`` without another."""
        ...
