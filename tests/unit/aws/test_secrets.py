import subprocess
import sys

import pytest

from taxiway.aws.secrets import SecretsManager, is_confidential


@pytest.mark.parametrize(
    "key", ["username", "host", "port", "dbname", "engine", "dbInstanceIdentifier", "dbClusterIdentifier"]
)
def test_where_a_database_is_and_as_whom_is_public(key: str) -> None:
    assert not is_confidential(key)


@pytest.mark.parametrize("key", ["password", "Username", "USERNAME", "user", "token", "", None])
def test_everything_else_is_confidential(key: str | None) -> None:
    assert is_confidential(key)


def test_aws_is_not_asked_before_a_secret_is_wanted() -> None:
    SecretsManager(None, on_secret=lambda _: None)


def test_the_sdk_is_not_imported_before_a_secret_is_wanted() -> None:
    program = (
        "import sys; from taxiway.aws.secrets import SecretsManager; "
        "SecretsManager(None, on_secret=print); print({'boto3', 'botocore'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"
