"""Rotations of ours that are under way: what a run has to know of them, and how it finishes one.

It works with the right to read a secret, which a run has, until there is something to finish.
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, final

from taxiway.aws.errors import translating
from taxiway.aws.session import Place, client
from taxiway.errors import RotationStale, SecretMalformed, SecretNotFound
from taxiway.model.arn import find_region
from taxiway.model.role import PendingPassword
from taxiway.model.settings import SecretReference
from taxiway.model.stored_secret import CURRENT, PENDING, ROTATION_PREFIX
from taxiway.secret import Secret

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

_READ: Final = "secretsmanager:GetSecretValue"
_MOVE: Final = "secretsmanager:UpdateSecretVersionStage"


@final
class AwsRotations:
    """What the engine asks of rotations (:class:`taxiway.engine.ports.Rotations`)."""

    def __init__(self, region: str | None, *, on_secret: Callable[[Secret], None]) -> None:
        """``on_secret`` is told every password before anybody else gets it. AWS is not asked for anything yet."""
        self._region = region
        self._on_secret = on_secret
        self._clients: dict[str | None, SecretsManagerClient] = {}

    def find_pending(self, secret: SecretReference) -> PendingPassword | None:
        """The password that a rotation of ours wants to be the current one; ``None`` if there is none.

        A rotation of AWS's own is not ours to finish, and one that is finished may have kept its stage.

        Raises:
            SecretMalformed: The pending version has no such key.
            AwsError: AWS refused or could not be asked.
        """
        answer = self._read(secret.secret_id, PENDING)
        if answer is None or not _is_ours(answer):
            return None
        password = _password(answer, secret)
        self._on_secret(password)
        return PendingPassword(secret=secret, password=password, version=answer["VersionId"])

    def read_current(self, secret: SecretReference) -> Secret:
        """The password that is the current one now.

        Raises:
            SecretNotFound: There is none any more.
            SecretMalformed: The current version has no such key.
            AwsError: AWS refused or could not be asked.
        """
        answer = self._read(secret.secret_id, CURRENT)
        if answer is None:
            raise SecretNotFound(
                f"Secret '{secret.secret_id}' has no current version any more.",
                hint=f"Give it a value: taxiway secrets put '{secret.secret_id}'",
            )
        password = _password(answer, secret)
        self._on_secret(password)
        return password

    def finish(self, pending: PendingPassword) -> None:
        """Make the pending version the current one: from now on everybody who reads the secret gets it.

        Harmless when it is current already.

        Raises:
            RotationStale: Another version has become pending since it was read.
            AwsError: AWS refused or could not be asked.
        """
        secret_id = pending.secret.secret_id
        latest, current = self._read(secret_id, PENDING), self._read(secret_id, CURRENT)
        if current is not None and current["VersionId"] == pending.version:
            return
        if latest is None or current is None or latest["VersionId"] != pending.version:
            raise RotationStale(secret_id)
        with translating(_MOVE, secret_id):
            # The version that loses the stage is named, so that AWS refuses if somebody was faster.
            self._connected(secret_id).update_secret_version_stage(
                SecretId=secret_id,
                VersionStage=CURRENT,
                MoveToVersionId=pending.version,
                RemoveFromVersionId=current["VersionId"],
            )

    def _read(self, secret_id: str, stage: str) -> Mapping[str, Any] | None:
        known = {"ResourceNotFoundException": lambda _: SecretNotFound(secret_id)}
        try:
            with translating(_READ, secret_id, known):
                answer: Mapping[str, Any] = self._connected(secret_id).get_secret_value(
                    SecretId=secret_id, VersionStage=stage
                )
        except SecretNotFound:
            return None
        return answer

    def _connected(self, secret_id: str) -> "SecretsManagerClient":
        """A secret is in the region of its ARN, and nowhere else."""
        region = find_region(secret_id) or self._region
        if region not in self._clients:
            self._clients[region] = client("secretsmanager", Place(region))
        return self._clients[region]


def _is_ours(answer: Mapping[str, Any]) -> bool:
    return answer["VersionId"].startswith(ROTATION_PREFIX) and CURRENT not in answer["VersionStages"]


def _password(answer: Mapping[str, Any], secret: SecretReference) -> Secret:
    try:
        value = json.loads(answer.get("SecretString", ""))[secret.key]
    except (ValueError, TypeError, KeyError):
        value = None
    if not isinstance(value, str) or not value:
        # Not "from" the cause, which may quote the text.
        raise SecretMalformed(
            f"A version of secret '{secret.secret_id}' has no text under the key '{secret.key}'.",
            hint=f"Put another value there: taxiway secrets put '{secret.secret_id}' --replace",
        )
    return Secret(value)
