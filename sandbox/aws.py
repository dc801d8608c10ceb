"""An AWS endpoint: the moto emulator in a process of its own, which the real AWS SDK talks to.

It is found through ``AWS_ENDPOINT_URL``, which every AWS SDK knows; the product has no switch for it.
"""

import argparse
import json
import logging
import secrets
import signal
from pathlib import Path
from typing import Final, Self

from sandbox.process import Part, report_ready, start_module

_HOST: Final = "127.0.0.1"
REGION: Final = "eu-central-1"


class AwsEndpoint(Part):
    """One emulated AWS account. Everything in it is gone when it ends.

    Attributes:
        secret_access_key: Random, so that it can be searched for in what must not show it.
    """

    def __init__(self, directory: Path, *, region: str = REGION) -> None:
        super().__init__(directory)
        self.region = region
        self.secret_access_key = secrets.token_urlsafe(30)

    def start(self) -> Self:
        """Start the emulator.

        Raises:
            StartFailed: It did not start.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._process = start_module("sandbox.aws", [], directory=self.directory)
        self.port = int((self.directory / "ready").read_text())
        return self

    @property
    def url(self) -> str:
        """The address of every service."""
        return f"http://{_HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What an AWS SDK needs in its environment to come here and nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIASANDBOX",
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def put_secret(self, name: str, value: str | dict[str, str]) -> None:
        """Store a new secret: text as it is, a dict as JSON."""
        import boto3  # slow to import

        text = value if isinstance(value, str) else json.dumps(value)
        # Given here and not through the environment: the caller's own AWS settings must not matter.
        client = boto3.client(
            "secretsmanager",
            endpoint_url=self.url,
            region_name=self.region,
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.secret_access_key,
        )
        client.create_secret(Name=name, SecretString=text)


# --- the emulator's own process ---


def main() -> None:
    """Serve until ended by a signal."""
    from moto.server import ThreadedMotoServer  # slow to import, and needed in this process only

    parser = argparse.ArgumentParser(prog="python -m sandbox.aws", description="An emulated AWS account.")
    parser.add_argument("--ready", type=Path, required=True)
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(_HOST, port=0, verbose=False)
    server.start()
    report_ready(options.ready, server.get_host_and_port()[1])
    signal.pause()


if __name__ == "__main__":
    main()
