"""The real AWS SDK against the emulated endpoint of the sandbox."""

import json
import socket
from collections.abc import Callable
from itertools import count

import boto3
import pytest
from types_boto3_secretsmanager import SecretsManagerClient

from sandbox.aws import AwsEndpoint
from taxiway import errors
from taxiway.aws.rotations import AwsRotations
from taxiway.aws.secrets import SecretsManager
from taxiway.model.settings import SecretReference
from taxiway.secret import Secret

pytestmark = pytest.mark.usefixtures("aws_environment")
numbers = count(1)


@pytest.fixture
def store(owner: SecretsManagerClient) -> Callable[[str | bytes], str]:
    """Stores a new secret and gives its name."""

    def create(content: str | bytes) -> str:
        name = f"postgresql@auroradb@sample/{next(numbers)}"
        if isinstance(content, bytes):
            owner.create_secret(Name=name, SecretBinary=content)
        else:
            owner.create_secret(Name=name, SecretString=content)
        return name

    return create


@pytest.fixture
def told() -> list[Secret]:
    return []


@pytest.fixture
def secrets(told: list[Secret]) -> SecretsManager:
    return SecretsManager(None, on_secret=told.append)


type Store = Callable[[str | bytes], str]

DATABASE_USER = json.dumps({"username": "reader", "password": "hunter2 é", "port": 5432, "engine": "postgres"})


def test_the_whole_text_comes_as_it_was_stored(store: Store, secrets: SecretsManager) -> None:
    assert secrets.text(store("-----BEGIN\nkey\n")).reveal() == "-----BEGIN\nkey\n"


def test_binary_content_is_read_as_text(store: Store, secrets: SecretsManager) -> None:
    assert secrets.text(store("schlüssel".encode())).reveal() == "schlüssel"


def test_binary_content_that_is_no_text_is_refused_and_not_shown(store: Store, secrets: SecretsManager) -> None:
    with pytest.raises(errors.SecretMalformed, match="not UTF-8") as caught:
        secrets.text(store(b"hunter2\xff"))
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


def test_a_key_gives_its_value(store: Store, secrets: SecretsManager) -> None:
    assert secrets.get(store(DATABASE_USER), "password") == Secret("hunter2 é")


@pytest.mark.parametrize(("key", "value"), [("username", "reader"), ("port", "5432"), ("engine", "postgres")])
def test_a_public_key_gives_plain_text(store: Store, secrets: SecretsManager, key: str, value: str) -> None:
    assert secrets.get(store(DATABASE_USER), key) == value


def test_a_secret_is_looked_for_in_the_region_of_its_arn(
    aws_endpoint: AwsEndpoint, secrets: SecretsManager, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = boto3.client("secretsmanager", region_name="us-west-2")
    arn = elsewhere.create_secret(Name=f"elsewhere/{next(numbers)}", SecretString=DATABASE_USER)["ARN"]
    assert secrets.get(arn, "username") == "reader"
    assert secrets.text(store("here")).reveal() == "here"
    with pytest.raises(errors.SecretNotFound, match="in region us-west-2") as caught:
        secrets.text(arn.replace("elsewhere", "nowhere"))
    assert "--region us-west-2" in (caught.value.hint or "")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    assert SecretsManager(None, on_secret=lambda _: None).get(arn, "username") == "reader"


def test_a_rotation_is_looked_for_in_the_region_of_the_secrets_arn() -> None:
    elsewhere = boto3.client("secretsmanager", region_name="us-west-2")
    arn = elsewhere.create_secret(Name=f"elsewhere/{next(numbers)}", SecretString=DATABASE_USER)["ARN"]
    rotations = AwsRotations(None, on_secret=lambda _: None)
    assert rotations.read_current(SecretReference(arn, "password")) == Secret("hunter2 é")


def test_without_a_key_it_is_the_whole_text_and_a_secret(store: Store, secrets: SecretsManager) -> None:
    assert secrets.get(store(DATABASE_USER)) == Secret(DATABASE_USER)


@pytest.mark.parametrize(
    ("written", "text"), [("1.50", "1.50"), ("007e1", None), ("12345678901234567890", "12345678901234567890")]
)
def test_a_number_is_the_text_that_it_was_written_as(
    store: Store, secrets: SecretsManager, written: str, text: str | None
) -> None:
    name = store(f'{{"pin": {written}}}')
    if text is None:
        with pytest.raises(errors.SecretMalformed, match="not a JSON object"):
            secrets.get(name, "pin")
    else:
        assert secrets.get(name, "pin") == Secret(text)


def test_a_truth_value_is_written_as_in_json(store: Store, secrets: SecretsManager) -> None:
    assert secrets.get(store('{"ssl": true}'), "ssl") == Secret("true")


@pytest.mark.parametrize("value", ["null", "[1]", "{}"])
def test_a_value_that_is_not_plain_is_refused(store: Store, secrets: SecretsManager, value: str) -> None:
    with pytest.raises(errors.SecretMalformed, match="neither text nor a number"):
        secrets.get(store(f'{{"password": {value}}}'), "password")


def test_a_missing_key_is_answered_with_the_names_of_the_others(store: Store, secrets: SecretsManager) -> None:
    with pytest.raises(errors.SecretMalformed) as caught:
        secrets.get(store(DATABASE_USER), "pasword")
    assert "has no key 'pasword'; its keys are: username, password, port, engine." in caught.value.message
    assert caught.value.hint == "Did you mean 'password'?"
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("text", ["hunter2", '["hunter2"]', '"hunter2"', '{"hunter2"'])
def test_a_key_of_what_is_no_object_is_refused(store: Store, secrets: SecretsManager, text: str) -> None:
    with pytest.raises(errors.SecretMalformed, match="is not a JSON object") as caught:
        secrets.get(store(text), "password")
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_every_confidential_value_is_told_whether_asked_for_or_not(
    store: Store, secrets: SecretsManager, told: list[Secret]
) -> None:
    text = '{"username": "reader", "password": "hunter2", "more": {"host": "h", "tokens": ["token1", 234567]}}'
    secrets.get(store(text), "username")
    assert [secret.reveal() for secret in told] == [text, "hunter2", "token1", "234567"]


def test_a_short_value_is_told_when_it_is_asked_for(
    store: Store, secrets: SecretsManager, told: list[Secret]
) -> None:
    """Else every 1 of the output would be masked, because the secret holds ``"retries": 1``."""
    name = store('{"pin": "12345", "retries": 1, "on": true}')
    secrets.get(name, "pin")
    assert [secret.reveal() for secret in told[1:]] == ["12345"]


def test_a_secret_is_fetched_once(store: Store, secrets: SecretsManager, owner: SecretsManagerClient) -> None:
    name = store(DATABASE_USER)
    secrets.get(name, "password")
    owner.put_secret_value(SecretId=name, SecretString='{"password": "changed"}')
    assert secrets.get(name, "password") == Secret("hunter2 é")


def test_an_arn_is_as_good_as_a_name(store: Store, secrets: SecretsManager, owner: SecretsManagerClient) -> None:
    arn = owner.describe_secret(SecretId=store(DATABASE_USER))["ARN"]
    assert secrets.get(arn, "username") == "reader"


def test_a_secret_that_is_not_there_is_named_with_its_region(
    secrets: SecretsManager, aws_endpoint: AwsEndpoint
) -> None:
    with pytest.raises(errors.SecretNotFound) as caught:
        secrets.text("postgresql@nobody")
    assert f"Secret 'postgresql@nobody' in region {aws_endpoint.region}: not found" in caught.value.message
    assert "taxiway secrets put" in str(caught.value.hint)
    assert f"--region {aws_endpoint.region}" in str(caught.value.hint)


def test_the_region_can_be_given(store: Store, told: list[Secret]) -> None:
    name = store("text")
    with pytest.raises(errors.SecretNotFound, match="in region us-west-2"):
        SecretsManager("us-west-2", on_secret=told.append).text(name)


def test_a_deleted_secret_can_be_restored(
    store: Store, secrets: SecretsManager, owner: SecretsManagerClient
) -> None:
    name = store("text")
    owner.delete_secret(SecretId=name)
    with pytest.raises(errors.SecretNotFound) as caught:
        secrets.text(name)
    assert f"restore-secret --secret-id '{name}'" in str(caught.value.hint)


def test_a_missing_region_is_a_missing_option(secrets: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(errors.MissingOption, match="region"):
        secrets.text("x")


@pytest.mark.parametrize("region", ["eu west 1", "-", "https://x"])
def test_a_region_that_cannot_be_one_is_an_invalid_option(told: list[Secret], region: str) -> None:
    with pytest.raises(errors.InvalidOption, match="region cannot be used"):
        SecretsManager(region, on_secret=told.append).text("x")


def test_an_endpoint_that_is_no_url_is_an_invalid_option(
    secrets: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nowhere")
    with pytest.raises(errors.InvalidOption) as caught:
        secrets.text("x")
    assert "AWS_ENDPOINT_URL" in str(caught.value.hint)


def test_missing_credentials_are_told(secrets: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(errors.NoCredentials):
        secrets.text("x")


def test_a_profile_that_does_not_exist_is_told(secrets: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(errors.NoCredentials, match="nobody"):
        secrets.text("x")


def test_an_endpoint_that_does_not_answer_is_unreachable(
    secrets: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(errors.AwsUnreachable):
        secrets.text("x")
