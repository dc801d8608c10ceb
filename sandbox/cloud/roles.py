"""AWS clients of the emulator's own process: as the operator, and with the credentials of an assumed role."""

from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Self

import boto3
from botocore.config import Config


@dataclass(frozen=True, slots=True)
class Credentials:
    """What STS gives to whom has assumed a role."""

    role: str
    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: datetime

    @classmethod
    def forwarded(cls, access_key_id: str) -> Self:
        """Of whoever has made a call that another one is part of. The emulator looks at the key's id only."""
        return cls("", access_key_id, "forwarded", "forwarded", datetime.max.replace(tzinfo=UTC))


class Clients:
    """Makes clients that talk to the emulator over HTTP, as every client does, so that their calls are judged."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        # One session, because it keeps the service models, and a lock, because it is not for several threads.
        self._session = boto3.Session()
        self._lock = Lock()

    def as_operator(self, service: str, region: str) -> Any:  # noqa: ANN401 - the services have no common type
        """A client that may do everything."""
        return self._client(service, region, "AKIAOPERATOR", "operator", None)

    def assume(self, role: str, session_name: str, region: str) -> Credentials:
        """Assume a role. What it has to trust is looked at when a task is started."""
        sts = self.as_operator("sts", region)
        given = sts.assume_role(RoleArn=role, RoleSessionName=session_name)["Credentials"]
        return Credentials(
            role, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], given["Expiration"]
        )

    def with_credentials(self, credentials: Credentials, service: str, region: str) -> Any:  # noqa: ANN401
        """A client that may do what the role may."""
        return self._client(
            service, region, credentials.access_key_id, credentials.secret_access_key, credentials.session_token
        )

    def _client(self, service: str, region: str, key_id: str, key: str, token: str | None) -> Any:  # noqa: ANN401
        with self._lock:
            return self._session.client(
                service,
                endpoint_url=self._endpoint,
                region_name=region,
                aws_access_key_id=key_id,
                aws_secret_access_key=key,
                aws_session_token=token,
                # A fault that is switched on for one call shall be seen by that call.
                config=Config(retries={"total_max_attempts": 1}),
            )
