"""Logging in to the database with a token of IAM instead of a password.

A token is a request that was signed and is never sent: it says who may log in where, and is valid for 15 minutes.
It counts at the login only; a session may last longer ("IAM database authentication", Amazon RDS User Guide).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, final

from taxiway.aws.errors import translate
from taxiway.aws.session import Place, client
from taxiway.model.endpoint import find_rds_endpoint
from taxiway.model.settings import DatabaseSettings
from taxiway.secret import Secret, reveal

if TYPE_CHECKING:
    from types_boto3_rds import RDSClient

_PORT: Final = "5432"
# The parts that are confidential. The others are names that messages need: to mask every piece of a token would
# mask the user and the host.
_CONFIDENTIAL: Final = ("X-Amz-Signature", "X-Amz-Security-Token")


@final
class IamLogin:
    """Makes a token for each connection."""

    def __init__(self, region: str | None, *, on_secret: Callable[[Secret], None]) -> None:
        """``region`` None: that of the host's name, or the one that boto3 finds. AWS is not asked for anything."""
        self._region = region
        self._on_secret = on_secret
        self._makers: dict[str | None, RDSClient] = {}

    def read_address(self) -> Mapping[str, str]:
        """Nothing: a token has no address that is not in the settings."""
        return {}

    def log_in(self, database: DatabaseSettings) -> DatabaseSettings:
        """The settings for another connection: with a new token as password.

        ``database`` has one host and a user.

        Raises:
            MissingOption: There is no region anywhere.
            AwsError: There are no credentials to sign with.
        """
        host = reveal(database.parameters["host"])
        port = database.iam_port or int(reveal(database.parameters.get("port", "")) or _PORT)
        token = self._make_token(host, port, database.user or "")
        return replace(database, password=token, origins={**database.origins, "password": "IAM"})

    def log_in_again(self, _refused: DatabaseSettings, _on_event: object) -> None:
        """There is no other login: the next token would say the same."""

    def _make_token(self, host: str, port: int, user: str) -> Secret:
        from botocore.exceptions import BotoCoreError, ClientError  # slow to import

        endpoint = find_rds_endpoint(host)
        region = self._region or (endpoint.region if endpoint else None)
        maker = self._makers.get(region) or client("rds", Place(region))
        self._makers[region] = maker
        try:
            token = maker.generate_db_auth_token(
                DBHostname=host, Port=port, DBUsername=user, Region=maker.meta.region_name
            )
        except (BotoCoreError, ClientError) as error:
            raise translate(error, action="rds-db:connect", resource=f"{host}:{port}") from error
        self._tell(token)
        return Secret(token)

    def _tell(self, token: str) -> None:
        from urllib.parse import parse_qs

        parts = parse_qs(token.partition("?")[2])
        for name in _CONFIDENTIAL:
            for value in parts.get(name, []):
                self._on_secret(Secret(value))
