"""The real AWS SDK reads secrets from the endpoint, led there by environment variables only."""

import json
import subprocess
import sys

import pytest

from sandbox.aws import AwsEndpoint

_READ = """
import boto3, os, sys
client = boto3.client("secretsmanager", region_name=os.environ["AWS_REGION"])
print(client.get_secret_value(SecretId=sys.argv[1])["SecretString"])
"""


def read_secret(endpoint: AwsEndpoint, name: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", **endpoint.environment}
    command = [sys.executable, "-c", _READ, name]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("github@deploy-key@one", "-----BEGIN KEY-----\nabc\n-----END KEY-----\n"),
        ("postgresql@cluster@master@user", {"username": "user", "password": "'\"\\$%@/ ä"}),
    ],
)
def test_a_stored_secret_is_read_by_the_sdk(
    aws_endpoint: AwsEndpoint, name: str, value: str | dict[str, str]
) -> None:
    aws_endpoint.put_secret(name, value)
    answer = read_secret(aws_endpoint, name).stdout.removesuffix("\n")
    assert (answer if isinstance(value, str) else json.loads(answer)) == value


def test_a_missing_secret_is_reported_as_aws_does(aws_endpoint: AwsEndpoint) -> None:
    assert "ResourceNotFoundException" in read_secret(aws_endpoint, "nobody@stored@this").stderr
