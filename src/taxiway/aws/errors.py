"""From the errors of the AWS SDK to ours: by class and by service error code, never by message."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from taxiway.errors import (
    AwsAccessDenied,
    AwsError,
    AwsFailed,
    AwsThrottled,
    AwsUnreachable,
    CredentialsExpired,
    NoCredentials,
    TaxiwayError,
)

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_ACCESS_DENIED: Final = {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"}
_KEY_DENIED: Final = {
    "DecryptionFailure",
    "DisabledException",
    "EncryptionFailure",
    "KMSAccessDeniedException",
    "KMSDisabledException",
    "KMSInvalidStateException",
    "KMSNotFoundException",
}
_EXPIRED: Final = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_NOT_ACCEPTED: Final = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_THROTTLED: Final = {
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_NOT_AVAILABLE: Final = {
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "ServiceUnavailable",
    "ServiceUnavailableException",
}


# Whose rights are missing: the two that Taxiway runs as.
TASK_ROLE: Final = "the task role"
OPERATOR: Final = "whoever runs this command"


def translate(
    error: "ClientError | BotoCoreError", *, action: str, resource: str, identity: str = TASK_ROLE
) -> AwsError:
    """Our error for one of the SDK's. ``action`` as in an IAM policy, ``resource`` as the user called it."""
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        return _answered(error, action, resource, identity)
    if isinstance(
        error,
        exceptions.NoCredentialsError
        | exceptions.PartialCredentialsError
        | exceptions.CredentialRetrievalError
        | exceptions.ProfileNotFound
        | exceptions.SSOError
        | exceptions.TokenRetrievalError,
    ):
        return _no_credentials(str(error))
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return _unreachable(f"AWS did not answer {action}: {error}", identity)
    return AwsFailed(f"{action} on {resource} failed: {type(error).__name__}: {error}")


@contextmanager
def translating(
    action: str, resource: str, known: Mapping[str, Callable[["ClientError"], TaxiwayError]] | None = None
) -> Iterator[None]:
    """Let a call of the operator's raise our errors. ``known`` makes those that a service code means here.

    Raises:
        AwsError: What the SDK has raised.
        TaxiwayError: One of ``known``.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # slow to import
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ResponseParserError as error:
        # The page of a proxy, or of a gateway that has lost its service.
        raise _unreachable(f"What answered {action} was not AWS: {error}", OPERATOR) from error
    except ClientError as error:
        meant = (known or {}).get(error_code(error))
        if meant:
            raise meant(error) from error
        raise translate(error, action=action, resource=resource, identity=OPERATOR) from error
    except BotoCoreError as error:
        raise translate(error, action=action, resource=resource, identity=OPERATOR) from error


def error_code(error: "ClientError") -> str:
    """The service's code for what went wrong; ``Unknown`` if it gave none."""
    return error.response.get("Error", {}).get("Code", "Unknown")


def error_message(error: "ClientError") -> str:
    """The service's words for people."""
    return error.response.get("Error", {}).get("Message") or "no message"


def _answered(error: "ClientError", action: str, resource: str, identity: str) -> AwsError:
    code, words = error_code(error), error_message(error)
    if code in _ACCESS_DENIED:
        return _denied(action, resource, words, identity)
    if code in _KEY_DENIED:
        return _key_denied(action, resource, code, words, identity)
    if code in _EXPIRED:
        return CredentialsExpired(
            f"The AWS credentials have expired ({code}).", hint="Log in again: aws sso login, or renew the token."
        )
    if code in _NOT_ACCEPTED:
        return _no_credentials(f"AWS does not accept the credentials ({code}).")
    if code in _THROTTLED:
        return AwsThrottled(
            f"AWS is throttling {action} ({code}).", hint="Try again later, or ask AWS to raise the quota."
        )
    if code in _NOT_AVAILABLE:
        return _unreachable(f"AWS could not answer {action} ({code}): {words}", identity)
    return AwsFailed(f"{action} on {resource} failed ({code}): {words}")


def _denied(action: str, resource: str, words: str, identity: str) -> AwsAccessDenied:
    encrypted = " (and kms:Decrypt, if it is encrypted with a key of your own)" if identity == TASK_ROLE else ""
    return AwsAccessDenied(
        f"AWS denied {action} on {resource}: {words}",
        action=action,
        resource=resource,
        hint=f"Allow {action} on {resource} in the policy of {identity}{encrypted}, and check the name.",
    )


def _key_denied(action: str, resource: str, code: str, words: str, identity: str) -> AwsAccessDenied:
    # To write takes a data key (Secrets Manager manual, "Secret encryption and decryption").
    needed = "kms:GenerateDataKey" if code == "EncryptionFailure" else "kms:Decrypt"
    return AwsAccessDenied(
        f"The KMS key of {resource} could not be used for {action} ({code}): {words}",
        action=needed,
        resource=resource,
        hint=f"Allow {needed} on the key of {resource} in the policy of {identity}, and check that the key "
        "is enabled.",
    )


def _no_credentials(message: str) -> NoCredentials:
    return NoCredentials(
        message,
        hint="Give the task a task role; on your own machine log in with 'aws sso login' or set AWS_PROFILE.",
    )


def _unreachable(message: str, identity: str) -> AwsUnreachable:
    if identity == OPERATOR:
        hint = "Check the region, the network and AWS_ENDPOINT_URL, then try again."
    else:
        hint = (
            "Check the region and the network: a task in a private subnet needs a NAT gateway or a VPC endpoint "
            "for the service."
        )
    return AwsUnreachable(message, hint=hint)
