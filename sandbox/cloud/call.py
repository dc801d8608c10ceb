"""One call of an AWS API, as the emulator has read it."""

import re
from dataclasses import dataclass
from typing import Any, Final

# Access keys of AssumeRole begin so, those of users with AKIA:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
_TEMPORARY_KEY: Final = "ASIA"
_SIGNATURE: Final = re.compile(r"Credential=([^/]+)/")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who has assumed a role. ``arn`` is that of the session."""

    role: str
    arn: str

    @property
    def role_name(self) -> str:
        """Without path and account."""
        return self.role.rpartition("/")[2]


class Call:
    """What is asked of which service."""

    def __init__(self, response: Any) -> None:  # noqa: ANN401 - moto's BaseResponse
        self._response = response
        self.service: str = response.boto3_service_name
        self.operation: str = response._get_action()  # noqa: SLF001 - the way that moto itself goes
        self.account: str = response.current_account
        self.region: str = response.region

    @property
    def action(self) -> str:
        """As in a policy."""
        return f"{self.service}:{self.operation}"

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - whatever the API has there
        """A parameter by its name in the API."""
        value = self._response._get_param(name)  # noqa: SLF001 - the way that moto itself goes
        return default if value is None else value

    def arn(self, resource: str, *, service: str | None = None) -> str:
        """The ARN of something in this account and region."""
        return f"arn:aws:{service or self.service}:{self.region}:{self.account}:{resource}"

    @property
    def access_key(self) -> str:
        """The id of the key that the request is signed with; empty if it is not."""
        signature = _SIGNATURE.search(self._response.headers.get("Authorization", ""))
        return signature[1] if signature else ""

    def find_caller(self) -> Caller | None:
        """Who has assumed a role and calls; None for everybody else."""
        if not self.access_key.startswith(_TEMPORARY_KEY):
            return None
        from moto.sts.models import sts_backends

        session = sts_backends[self.account]["aws"].get_assumed_role_from_access_key(self.access_key)
        return Caller(session.role_arn, session.arn) if session else None
