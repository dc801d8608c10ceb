import pytest
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from taxiway import errors
from taxiway.aws.errors import translate

ACTION = "secretsmanager:GetSecretValue"


def refused(code: str, message: str = "words of AWS") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetSecretValue")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("AccessDeniedException", errors.AwsAccessDenied),
        ("DecryptionFailure", errors.AwsAccessDenied),
        ("KMSAccessDeniedException", errors.AwsAccessDenied),
        ("ThrottlingException", errors.AwsThrottled),
        ("TooManyRequestsException", errors.AwsThrottled),
        ("ExpiredTokenException", errors.CredentialsExpired),
        ("UnrecognizedClientException", errors.NoCredentials),
        ("InternalServiceError", errors.AwsUnreachable),
        ("InvalidParameterException", errors.AwsFailed),
    ],
)
def test_the_service_code_decides(code: str, expected: type[errors.AwsError]) -> None:
    error = translate(refused(code), action=ACTION, resource="db@reader")
    assert type(error) is expected
    assert "words" not in type(error).__name__


def test_the_words_of_the_service_decide_nothing() -> None:
    error = translate(refused("SomethingNew", "AccessDenied: throttled"), action=ACTION, resource="db@reader")
    assert type(error) is errors.AwsFailed
    assert error.message == f"{ACTION} on db@reader failed (SomethingNew): AccessDenied: throttled"


def test_an_answer_without_a_code_is_still_an_error_of_ours() -> None:
    error = translate(ClientError({}, "GetSecretValue"), action=ACTION, resource="db@reader")
    assert error.message == f"{ACTION} on db@reader failed (Unknown): no message"


def test_a_denial_says_what_to_allow_on_what() -> None:
    error = translate(refused("AccessDeniedException"), action=ACTION, resource="db@reader")
    assert isinstance(error, errors.AwsAccessDenied)
    assert (error.action, error.resource) == (ACTION, "db@reader")
    assert f"Allow {ACTION} on db@reader" in str(error.hint)


def test_a_denied_key_names_the_permission_for_keys() -> None:
    error = translate(refused("DecryptionFailure"), action=ACTION, resource="db@reader")
    assert isinstance(error, errors.AwsAccessDenied)
    assert error.action == "kms:Decrypt"
    assert "kms:Decrypt" in str(error.hint)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exceptions.NoCredentialsError(), errors.NoCredentials),
        (exceptions.PartialCredentialsError(provider="env", cred_var="x"), errors.NoCredentials),
        (exceptions.CredentialRetrievalError(provider="x", error_msg="y"), errors.NoCredentials),
        (exceptions.ProfileNotFound(profile="x"), errors.NoCredentials),
        (exceptions.UnauthorizedSSOTokenError(), errors.NoCredentials),
        (exceptions.EndpointConnectionError(endpoint_url="x"), errors.AwsUnreachable),
        (exceptions.ConnectTimeoutError(endpoint_url="x"), errors.AwsUnreachable),
        (exceptions.ReadTimeoutError(endpoint_url="x"), errors.AwsUnreachable),
        (exceptions.ProxyConnectionError(proxy_url="x"), errors.AwsUnreachable),
        (exceptions.ConnectionClosedError(endpoint_url="x"), errors.AwsUnreachable),
        (exceptions.SSLError(endpoint_url="x", error=OSError("y")), errors.AwsUnreachable),
        (exceptions.ParamValidationError(report="x"), errors.AwsFailed),
    ],
)
def test_errors_without_an_answer_are_told_apart_by_class(
    error: BotoCoreError, expected: type[errors.AwsError]
) -> None:
    assert type(translate(error, action=ACTION, resource="db@reader")) is expected
