"""An AWS account, and how its owner sees it."""

import json
from collections.abc import Callable
from itertools import count

import boto3
import pytest
from types_boto3_secretsmanager import SecretsManagerClient

from sandbox.aws import AwsEndpoint

_numbers = count(1)

type Storer = Callable[..., str]


@pytest.fixture
def aws_environment(aws_endpoint: AwsEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process, and what it starts, has to do with the emulated account only."""
    for name, value in aws_endpoint.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def owner(aws_environment: None, aws_endpoint: AwsEndpoint) -> SecretsManagerClient:
    """The account as its owner sees it."""
    made: SecretsManagerClient = boto3.client("secretsmanager", region_name=aws_endpoint.region)
    return made


@pytest.fixture
def store_login(owner: SecretsManagerClient) -> Storer:
    """Stores a login as RDS does it, and gives the secret's name."""

    def store(**content: str | int) -> str:
        name = f"rds!cluster-{next(_numbers)}"
        owner.create_secret(Name=name, SecretString=json.dumps(content))
        return name

    return store


@pytest.fixture
def change_login(owner: SecretsManagerClient) -> Callable[..., None]:
    """Gives a secret another version, the current one or one that is to be."""

    def change(name: str, *, stage: str = "AWSCURRENT", **content: str | int) -> None:
        owner.put_secret_value(SecretId=name, SecretString=json.dumps(content), VersionStages=[stage])

    return change
