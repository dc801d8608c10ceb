"""Secrets Manager for whoever looks after secrets: making them, changing them, moving their stages."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, final

from taxiway.aws.errors import error_message, translating
from taxiway.aws.session import Place, client
from taxiway.errors import SecretBlocked, SecretExists, SecretMalformed, SecretNotFound, TaxiwayError
from taxiway.model.stored_secret import CURRENT, NewSecret, StoredSecret
from taxiway.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.exceptions import ClientError
    from types_boto3_secretsmanager import SecretsManagerClient

_NOT_FOUND: Final = "ResourceNotFoundException"


@final
class SecretStore:
    """The calls of Secrets Manager that an operator makes; each needs the IAM action that its errors name.

    ``on_secret`` is told every value before anybody else gets it.
    """

    def __init__(self, place: Place, *, on_secret: "Callable[[Secret], None]") -> None:
        """AWS is not asked for anything yet."""
        self._client: SecretsManagerClient = client("secretsmanager", place)
        self._on_secret = on_secret

    @property
    def region(self) -> str:
        """Where the secrets are."""
        return self._client.meta.region_name

    def find(self, secret_id: str) -> StoredSecret | None:
        """What is known of a secret, one that is marked as deleted too; ``None`` if there is none.

        Raises:
            AwsError: AWS refused or could not be asked.
        """
        known = {_NOT_FOUND: lambda _: SecretNotFound(secret_id)}
        try:
            with translating("secretsmanager:DescribeSecret", secret_id, known):
                answer: Mapping[str, Any] = self._client.describe_secret(SecretId=secret_id)
        except SecretNotFound:
            return None
        return _stored(answer)

    def read(self, secret_id: str) -> Secret:
        """The text of the current version.

        Raises:
            SecretNotFound: There is no such secret, or it has no value.
            SecretBlocked: It is marked as deleted.
            SecretMalformed: It is binary.
            AwsError: AWS refused or could not be asked.
        """
        known = {_NOT_FOUND: lambda _: self._missing(secret_id), **self._blocked(secret_id)}
        with translating("secretsmanager:GetSecretValue", secret_id, known):
            answer: Mapping[str, Any] = self._client.get_secret_value(SecretId=secret_id, VersionStage=CURRENT)
        if "SecretString" not in answer:
            raise SecretMalformed(
                f"Secret '{secret_id}' is binary.", hint="Store it as text: taxiway secrets put --replace."
            )
        text = Secret(str(answer["SecretString"]))
        self._on_secret(text)
        return text

    def create(self, secret: NewSecret, *, version: str) -> str:
        """Make a secret; its ARN. A repeated call with the same ``version`` makes it once.

        Raises:
            SecretExists: Somebody has made one of that name meanwhile.
            SecretBlocked: One of that name is marked as deleted.
            AwsError: AWS refused or could not be asked.
        """
        arguments: dict[str, Any] = {"KmsKeyId": secret.kms_key} if secret.kms_key else {}
        if secret.tags:
            arguments["Tags"] = [{"Key": name, "Value": value} for name, value in secret.tags]
        known = {
            "ResourceExistsException": lambda _: SecretExists(
                f"Secret '{secret.name}' was made by somebody else meanwhile.",
                hint="Look at it: taxiway secrets list. To put another value into it, give --replace.",
            ),
            **self._blocked(secret.name),
        }
        with translating("secretsmanager:CreateSecret", secret.name, known):
            answer = self._client.create_secret(
                Name=secret.name,
                Description=secret.description,
                SecretString=secret.text.reveal(),
                ClientRequestToken=version,
                **arguments,
            )
        return answer["ARN"]

    def put(self, secret_id: str, text: Secret, *, version: str, stage: str = CURRENT) -> None:
        """Give a secret another value, as the version of that stage.

        A version that had the stage loses it; the one that was current becomes ``AWSPREVIOUS``. A repeated call
        with the same ``version`` does it once.

        Raises:
            SecretNotFound, SecretBlocked: There is no such secret, or it is marked as deleted.
            AwsError: AWS refused or could not be asked.
        """
        known = {_NOT_FOUND: lambda _: self._missing(secret_id), **self._blocked(secret_id)}
        with translating("secretsmanager:PutSecretValue", secret_id, known):
            self._client.put_secret_value(
                SecretId=secret_id,
                SecretString=text.reveal(),
                ClientRequestToken=version,
                VersionStages=[stage],
            )

    def take_stage(self, secret_id: str, stage: str, version: str) -> None:
        """Take a stage away from a version. Raises as :meth:`put`."""
        known = {_NOT_FOUND: lambda _: self._missing(secret_id), **self._blocked(secret_id)}
        with translating("secretsmanager:UpdateSecretVersionStage", secret_id, known):
            self._client.update_secret_version_stage(
                SecretId=secret_id, VersionStage=stage, RemoveFromVersionId=version
            )

    def _missing(self, secret_id: str) -> SecretNotFound:
        return SecretNotFound(
            f"There is no secret '{secret_id}' with a value in region {self.region}.",
            hint=f"Make it: taxiway secrets put '{secret_id}'",
        )

    def _blocked(self, secret_id: str) -> "dict[str, Callable[[ClientError], TaxiwayError]]":
        # What AWS says of one that is marked as deleted, and of one that a service manages.
        return {
            "InvalidRequestException": lambda error: SecretBlocked(
                f"Secret '{secret_id}' cannot be used in its present state ({error_message(error)})",
                hint=f"If it is marked as deleted: aws secretsmanager restore-secret --secret-id '{secret_id}'. "
                f"Otherwise look at it: aws secretsmanager describe-secret --secret-id '{secret_id}'.",
            )
        }


def _stored(answer: Mapping[str, Any]) -> StoredSecret:
    return StoredSecret(
        name=answer["Name"],
        arn=answer["ARN"],
        kms_key=answer.get("KmsKeyId"),
        owner=answer.get("OwningService"),
        is_rotated=bool(answer.get("RotationEnabled")),
        changed_at=_moment(answer.get("LastChangedDate")),
        rotated_at=_moment(answer.get("LastRotatedDate")),
        deletes_at=_moment(answer.get("DeletedDate")),
        stages={
            version: frozenset(stages) for version, stages in (answer.get("VersionIdsToStages") or {}).items()
        },
    )


def _moment(value: datetime | None) -> datetime | None:
    return value.astimezone(UTC) if value else None
