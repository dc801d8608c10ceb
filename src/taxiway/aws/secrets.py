"""Secrets from AWS Secrets Manager: deploy keys as plain text, database users as JSON.

Terminology:

secret id
    The name or the ARN of a secret.
key
    A name in a secret whose text is a JSON object, such as ``{"username": …, "password": …}``.
stage
    Which of its versions: ``AWSCURRENT``, or ``AWSPENDING`` while it is being rotated.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, final

from taxiway.aws.errors import TASK_ROLE, error_code, error_message, translate
from taxiway.aws.session import Place, client
from taxiway.errors import SecretMalformed, SecretNotFound, TaxiwayError
from taxiway.model.arn import find_region
from taxiway.nearest import find_nearest
from taxiway.secret import Secret

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError
    from types_boto3_secretsmanager import SecretsManagerClient

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"

# "JSON structure of AWS Secrets Manager secrets" (AWS manual): what a database secret holds besides the password.
_PUBLIC_KEYS: Final = frozenset(
    {"username", "host", "port", "dbname", "engine", "dbInstanceIdentifier", "dbClusterIdentifier"}
)

# Shorter values that nobody asked for are flags and numbers: to mask every "1" would spoil all that is printed.
_SHORTEST_UNASKED: Final = 6

# What json.loads makes of our texts: numbers stay as they were written.
type _Json = str | bool | list["_Json"] | dict[str, "_Json"] | None


def is_confidential(key: str | None) -> bool:
    """Whether the value of a key must not be shown; ``None`` stands for the whole text, which must not.

    Only the keys with which AWS describes where a database is, and as whom to log in, are public.
    """
    return key not in _PUBLIC_KEYS


@final
class SecretsManager:
    """Fetches secrets, each at most once.

    ``on_secret`` is told every confidential value before anybody else gets it: the whole text, each value that is
    asked for, and each other one of six characters or more, so that none of them can be printed by accident.
    """

    def __init__(
        self,
        region: str | None,
        *,
        on_secret: Callable[[Secret], None],
        stage: str = CURRENT,
        profile: str | None = None,
        identity: str = TASK_ROLE,
    ) -> None:
        """``region`` is that of secrets whose id is no ARN; None: the one that boto3 finds by itself.

        AWS is not asked for anything yet.

        ``identity`` is whose rights are missing when AWS denies something.
        """
        self._place_asked, self._identity = Place(region, profile), identity
        self._stage = stage
        self._on_secret = on_secret
        self._texts: dict[str, Secret] = {}
        self._clients: dict[str | None, SecretsManagerClient] = {}

    def get(self, secret_id: str, key: str | None = None) -> str | Secret:
        """The whole text, or the value of a key: a :class:`Secret` unless the key is a public one.

        Raises:
            SecretNotFound: There is no such secret in the region, or it was deleted.
            SecretMalformed: It has no such key, or is not JSON.
            AwsError: AWS refused or could not be asked.
        """
        if key is None:
            return self.text(secret_id)
        value = self.value(secret_id, key)
        if not is_confidential(key):
            return value.reveal()
        self._on_secret(value)
        return value

    def text(self, secret_id: str) -> Secret:
        """The whole text; that of a binary secret is read as UTF-8. Errors as :meth:`get`."""
        if secret_id not in self._texts:
            text = self._fetch(secret_id)
            self._tell(text)
            self._texts[secret_id] = Secret(text)
        return self._texts[secret_id]

    def value(self, secret_id: str, key: str) -> Secret:
        """The value of a key; a number is the text that it was written as. Errors as :meth:`get`."""
        content = _parse(self.text(secret_id).reveal())
        if not isinstance(content, dict):
            raise SecretMalformed(
                f"Secret '{secret_id}' is not a JSON object, so it has no key '{key}'.",
                hint='Store it as key/value pairs: {"username": "…", "password": "…"}.',
            )
        if key not in content:
            raise _no_such_key(secret_id, key, content)
        value = content[key]
        if isinstance(value, bool):
            return Secret(json.dumps(value))
        if not isinstance(value, str):
            raise SecretMalformed(
                f"Key '{key}' of secret '{secret_id}' is neither text nor a number.",
                hint="Store a plain value under that key.",
            )
        return Secret(value)

    def find_public(self, secret_id: str, key: str) -> str | None:
        """The value of a public key; ``None`` if the secret has no such key. Errors as :meth:`get`."""
        content = _parse(self.text(secret_id).reveal())
        if not isinstance(content, dict) or key not in content:
            return None
        return self.value(secret_id, key).reveal() or None

    def _fetch(self, secret_id: str) -> str:
        from botocore.exceptions import BotoCoreError, ClientError  # slow to import

        try:
            # boto3's types have it that both members are always there.
            answer: Mapping[str, Any] = self._connected(secret_id).get_secret_value(
                SecretId=secret_id, VersionStage=self._stage
            )
        except ClientError as error:
            raise self._refused(secret_id, error) from error
        except BotoCoreError as error:
            raise self._translated(error, secret_id) from error
        if "SecretString" in answer:
            return str(answer["SecretString"])
        return _decode(secret_id, answer["SecretBinary"])

    def _connected(self, secret_id: str) -> "SecretsManagerClient":
        """A secret is in the region of its ARN, and nowhere else."""
        region = find_region(secret_id) or self._place_asked.region
        if region not in self._clients:
            self._clients[region] = client("secretsmanager", replace(self._place_asked, region=region))
        return self._clients[region]

    def _refused(self, secret_id: str, error: "ClientError") -> TaxiwayError:
        place = self._connected(secret_id).meta.region_name
        match error_code(error):
            case "ResourceNotFoundException":
                reason, hint = (
                    "not found",
                    f"Mend its name, or make it: taxiway secrets put (or deploy-key create) --region {place}.",
                )
            case "InvalidRequestException":
                # The one state in which AWS refuses to give a value: it is marked as deleted.
                reason = "cannot be read in its present state"
                hint = f"Restore it: aws secretsmanager restore-secret --secret-id '{secret_id}'."
            case _:
                return self._translated(error, secret_id)
        return SecretNotFound(
            f"Secret '{secret_id}' in region {place}: {reason} ({error_message(error)})", hint=hint
        )

    def _translated(self, error: "ClientError | BotoCoreError", secret_id: str) -> TaxiwayError:
        action = "secretsmanager:GetSecretValue"
        return translate(error, action=action, resource=secret_id, identity=self._identity)

    def _tell(self, text: str) -> None:
        self._on_secret(Secret(text))
        for value in _confidential_values(_parse(text)):
            if len(value) >= _SHORTEST_UNASKED:
                self._on_secret(Secret(value))


def _parse(text: str) -> _Json:
    """The JSON content, or the text itself when it is not JSON."""
    try:
        content: _Json = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return text
    return content


def _confidential_values(content: _Json) -> Iterator[str]:
    """Every text in the content that does not stand under a public key of it."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for item in content:
            yield from _confidential_values(item)
    elif isinstance(content, dict):
        for key, value in content.items():
            if is_confidential(key):
                yield from _confidential_values(value)


def _no_such_key(secret_id: str, key: str, content: dict[str, _Json]) -> SecretMalformed:
    names = ", ".join(content) or "none"
    nearest = find_nearest(key, content)
    return SecretMalformed(
        f"Secret '{secret_id}' has no key '{key}'; its keys are: {names}.",
        hint=f"Did you mean '{nearest}'?" if nearest else "Use one of its keys, or add this one to the secret.",
    )


def _decode(secret_id: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        # Not "from" the cause, which carries the bytes.
        raise SecretMalformed(
            f"Secret '{secret_id}' is binary and not UTF-8 text.", hint="Store it as plain text."
        ) from None
