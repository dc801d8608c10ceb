"""User and password of the database from Secrets Manager, also while the password is being changed.

A rotation changes the password in the database and the secret in two steps ("Lambda function rotation strategies",
AWS manual), and RDS does the same with the secrets that it manages. A login that was right when it was read may be
refused a moment later; then the secret is read again.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, final

from taxiway.aws.secrets import CURRENT, PENDING, SecretsManager
from taxiway.errors import SecretNotFound, TaxiwayError
from taxiway.model.event import SecretReadAgain, Warned
from taxiway.model.settings import DatabaseSettings, SecretReference
from taxiway.secret import Secret, reveal

# "JSON structure of AWS Secrets Manager secrets" (AWS manual), and libpq's names for the same
_LOGIN: Final[Mapping[str, str]] = {"user": "username", "password": "password"}
_ADDRESS: Final[Mapping[str, str]] = {"host": "host", "port": "port", "dbname": "dbname"}

type _Values = Mapping[str, str | Secret]


@final
class SecretLogin:
    """The login that the settings name: as a whole by ``secret``, or user and password by references."""

    def __init__(self, database: DatabaseSettings, open_secrets: Callable[[str], SecretsManager]) -> None:
        """``database`` is taken apart; ``open_secrets`` gives the secrets of a stage. Nothing is read yet."""
        self._open_secrets = open_secrets
        self._secret = database.secret
        lacking = {name for name in _LOGIN if not getattr(database, name)} if database.secret else set[str]()
        self._to_read = {name: SecretReference(database.secret, _LOGIN[name]) for name in sorted(lacking)}
        self._references = {**database.references, **self._to_read}
        self._values: _Values = {}
        self._address: Mapping[str, str] | None = None

    def read_address(self) -> Mapping[str, str]:
        """Read what only the secret says. Returns the address in it: ``host``, ``port``, ``dbname``.

        Raises:
            SecretError, AwsError: It could not be read, or has no user or no password.
        """
        if not self._secret:
            return {}
        secrets = self._open_secrets(CURRENT)
        self._values = _read(secrets, self._to_read)
        found = {name: secrets.find_public(self._secret, key) for name, key in _ADDRESS.items()}
        return {name: value for name, value in found.items() if value}

    def log_in(self, database: DatabaseSettings) -> DatabaseSettings:
        """The settings for another connection: with what was read last."""
        return self._with(database, self._values, "secret")

    def log_in_again(
        self, refused: DatabaseSettings, on_event: Callable[[SecretReadAgain | Warned], None]
    ) -> DatabaseSettings | None:
        """The settings with another login than the ``refused`` one; ``None`` if the secret has no other.

        The secret is read again. If it says the same, a rotation may have changed the database already, with the
        value that it is going to make the current one.
        """
        names = " and ".join(f"'{name}'" for name in sorted({one.secret_id for one in self._references.values()}))
        for stage in (CURRENT, PENDING):
            values = self._read_again(stage, names, on_event)
            if values is None or _is_same(refused, values):
                continue
            if stage == CURRENT:
                on_event(SecretReadAgain(secret=names))
            else:
                message = (
                    f"The server refused the current value of secret {names}: trying the pending one, AWSPENDING."
                )
                on_event(Warned(message=message))
            self._values = values
            return self._with(refused, values, f"version {stage} of secret")
        return None

    def _read_again(
        self, stage: str, names: str, on_event: Callable[[SecretReadAgain | Warned], None]
    ) -> _Values | None:
        """The values of a stage; ``None`` if there is no such stage, or nobody can be asked."""
        try:
            return _read(self._open_secrets(stage), self._references)
        except SecretNotFound:
            # No rotation is under way.
            return None
        except TaxiwayError as error:
            # What the server has refused is the cause, and this is not.
            reason = error.message
        on_event(Warned(message=f"The server refused the login, and {names} could not be read again: {reason}"))
        return None

    def _with(self, database: DatabaseSettings, values: _Values, place: str) -> DatabaseSettings:
        if not values:
            return database
        user, password = values.get("user", database.user), values.get("password", database.password)
        origins = {name: f"{place} '{self._references[name].secret_id}'" for name in values}
        return replace(
            database,
            user=reveal(user) if user else None,
            password=password if isinstance(password, Secret) or password is None else Secret(password),
            origins={**database.origins, **origins},
        )


def _is_same(database: DatabaseSettings, values: _Values) -> bool:
    return all(reveal(getattr(database, name) or "") == reveal(value) for name, value in values.items())


def _read(secrets: SecretsManager, references: Mapping[str, SecretReference]) -> _Values:
    return {name: secrets.get(one.secret_id, one.key) for name, one in references.items()}
