"""An AWS endpoint: an emulated account in a process of its own, which the real AWS SDK talks to.

It is found through ``AWS_ENDPOINT_URL``, which every AWS SDK knows; the product has no switch for it. What runs in
that process is :mod:`sandbox.cloud`.
"""

import json
import secrets
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from sandbox.process import Part, start_module

_HOST: Final = "127.0.0.1"
REGION: Final = "eu-central-1"


class AwsEndpoint(Part):
    """One emulated AWS account. Everything in it is gone when it ends.

    Attributes:
        secret_access_key: Random, so that it can be searched for in what must not show it.
    """

    def __init__(self, directory: Path, *, region: str = REGION, has_databases: bool = False) -> None:
        """``has_databases``: the Aurora clusters in it are real PostgreSQL servers (sandbox/cloud/rds_api.py)."""
        super().__init__(directory)
        self._options = ["--databases"] if has_databases else []
        self.region = region
        self._clients: dict[str, Any] = {}
        self.secret_access_key = secrets.token_urlsafe(30)

    def start(self) -> Self:
        """Start the emulator.

        Raises:
            StartFailed: It did not start.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._process = start_module("sandbox.cloud.server", self._options, directory=self.directory)
        self.port = int((self.directory / "ready").read_text())
        self._clients.clear()
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

    def client(self, service: str) -> Any:  # noqa: ANN401 - the services have no common type
        """A client of a service, as the operator.

        Its settings are given here and not through the environment: the caller's own AWS settings must not matter.
        """
        import boto3  # slow to import

        if service not in self._clients:
            self._clients[service] = boto3.Session().client(
                service,
                endpoint_url=self.url,
                region_name=self.region,
                aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.secret_access_key,
            )
        return self._clients[service]

    def put_secret(self, name: str, value: str | dict[str, str]) -> None:
        """Store a new secret: text as it is, a dict as JSON."""
        text = value if isinstance(value, str) else json.dumps(value)
        self.client("secretsmanager").create_secret(Name=name, SecretString=text)

    # --- what AWS does not have ---

    def push_image(
        self,
        reference: str,
        *,
        digest: str,
        entry_point: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        container: str | None = None,
    ) -> None:
        """Let tasks pull an image: a program of this machine with its environment, or ``container``.

        That is the name of an image in the engine of :mod:`sandbox.image`, and brings both along.
        """
        image = {
            "reference": reference,
            "digest": digest,
            "entry_point": [*entry_point],
            "environment": {**(environment or {})},
            "container": container,
        }
        self._ask("POST", "images", image)

    def connect_agent(
        self,
        target: str,
        hosts: Sequence[tuple[str, int, str, int]] = (),
        *,
        is_lossy: bool = False,
        version: str | None = None,
    ) -> int:
        """Connect an instance to Systems Manager; the port that the data channels are on.

        ``hosts`` are those that it can reach: name and port, and where on this machine that is.
        """
        told = {"version": version} if version else {}
        agent = {"target": target, "hosts": [*hosts], "is_lossy": is_lossy, **told}
        port: int = self._ask("POST", "agents", agent)["port"]
        return port

    def disconnect_agents(self) -> None:
        """No instance is connected any more."""
        self._ask("DELETE", "agents")

    def sessions(self) -> list[str]:
        """The sessions of Systems Manager that have not been ended."""
        sessions: list[str] = self._ask("GET", "sessions")
        return sessions

    def cut_sessions(self) -> int:
        """Break the connections of all sessions, as AWS does now and then; how many there were."""
        count: int = self._ask("POST", "sessions", {})
        return count

    def end_sessions(self) -> None:
        """End all sessions, as an administrator may."""
        self._ask("DELETE", "sessions")

    def add_fault(self, name: str, *, times: int | None = 1, **settings: object) -> None:
        """Let something go wrong so many times; None: until :meth:`clear_faults`. See sandbox/cloud/faults.py.

        Raises:
            HTTPError: There is no such fault.
        """
        self._ask("POST", "faults", {"name": name, "times": times, **settings})

    def faults(self) -> list[dict[str, Any]]:
        """What is still to go wrong."""
        switched_on: list[dict[str, Any]] = self._ask("GET", "faults")
        return switched_on

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        self._ask("DELETE", "faults")

    def audit(self, role: str | None = None) -> list[dict[str, Any]]:
        """The decisions about calls of roles, or of that role; the oldest first."""
        return [entry for entry in self._ask("GET", "audit") if role in {None, entry["role"]}]

    def clear_audit(self) -> None:
        """Forget the decisions so far."""
        self._ask("DELETE", "audit")

    def database_ports(self) -> dict[str, int]:
        """Where on this machine the endpoint of each name is that a database has or had."""
        ports: dict[str, int] = self._ask("GET", "databases")
        return ports

    def database_authority(self, resource_id: str) -> Path:
        """The certificate that a client of a database has to trust, by ``DbClusterResourceId``."""
        return self.directory / "databases" / resource_id / "tls" / "ca.pem"

    @property
    def database_authorities(self) -> Path:
        """The certificates of all databases together; there once one of them was made."""
        return self.directory / "databases" / "authorities.pem"

    def task_directory(self, task_id: str) -> Path:
        """What was HOME and TMPDIR of a task that is no container. It stays, with what the task has left there."""
        return self.directory / "tasks" / task_id

    def _ask(self, method: str, area: str, content: object = None) -> Any:  # noqa: ANN401 - JSON
        request = urllib.request.Request(
            f"{self.url}/sandbox/{area}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
