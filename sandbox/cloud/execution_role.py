"""What Fargate does for a task before its container starts, with the credentials of the execution role."""

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from sandbox.cloud.definition import Definition, LogConfiguration
from sandbox.cloud.log_driver import Event
from sandbox.cloud.roles import Clients, Credentials
from sandbox.cloud.task import Task

_logger: Final = logging.getLogger(__name__)

_SECRETS: Final = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
    "unable to retrieve secret from asm: service call has been retried 1 time(s): "
)
_LOGGER: Final = (
    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
    "failed to create Cloudwatch log stream: "
)
# Parts of an ARN of a secret; behind them come the key, the stage and the version.
_PARTS_OF_ARN: Final = 7

type Put = Callable[[Sequence[Event]], None]


class FailedToStart(Exception):
    """A task cannot start. The text is its stopped reason, as the guide for stopped tasks has it.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
    """


class ExecutionRole:
    """The execution role of one task."""

    def __init__(self, clients: Clients, task: Task) -> None:
        """Nothing is called yet."""
        self._clients, self._task = clients, task
        self._credentials: Credentials | None = None

    @property
    def _definition(self) -> Definition:
        return self._task.definition

    def _client(self, service: str) -> Any:  # noqa: ANN401 - the services have no common type
        if self._credentials is None:
            assert self._definition.execution_role is not None  # Definition has checked it
            self._credentials = self._clients.assume(
                self._definition.execution_role, self._task.id, self._task.region
            )
        return self._clients.with_credentials(self._credentials, service, self._task.region)

    # --- secrets ---

    def check_registry_credentials(self) -> None:
        """Read the secret of a private registry, if the definition has one.

        Raises:
            FailedToStart: It cannot be read, or is not what a registry needs.
        """
        secret = self._definition.registry_secret
        if secret and not {"username", "password"} <= _keys(self._secret(secret)):
            raise FailedToStart(f"{_SECRETS}the secret {secret} is not JSON with username and password")

    def secret_values(self) -> dict[str, str]:
        """The variables of the definition's ``secrets``.

        Raises:
            FailedToStart: One of them cannot be read.
        """
        return {name: self._value(source) for name, source in self._definition.secrets.items()}

    def _value(self, source: str) -> str:
        parts = source.split(":")
        text = self._secret(":".join(parts[:_PARTS_OF_ARN]))
        key = parts[_PARTS_OF_ARN] if len(parts) > _PARTS_OF_ARN else ""
        if not key:
            return text
        if key not in _keys(text):
            raise FailedToStart(f"{_SECRETS}retrieved secret from Secrets Manager did not contain json key {key}")
        return str(json.loads(text)[key])

    def _secret(self, secret_id: str) -> str:
        try:
            answer = self._client("secretsmanager").get_secret_value(SecretId=secret_id)
        except ClientError as error:
            raise FailedToStart(f"{_SECRETS}{_said(error)}") from error
        return str(answer["SecretString"])

    # --- logs ---

    def open_log(self) -> Put:
        """Create the log stream, and give what puts events into it. Without a log, events go nowhere.

        Raises:
            FailedToStart: The stream could not be created.
        """
        log = self._definition.log
        if log is None:
            return lambda _events: None
        stream = log.stream(self._definition.container, self._task.id)
        client = self._client("logs")
        try:
            client.create_log_stream(logGroupName=log.group, logStreamName=stream)
        except ClientError as error:
            raise FailedToStart(f"{_LOGGER}{_said(error)} : exit status 1") from error

        def put(events: Sequence[Event]) -> None:
            try:
                client.put_log_events(logGroupName=log.group, logStreamName=stream, logEvents=events)
            except ClientError as error:
                # Docker's driver notes it in the log of the daemon, which nobody sees on Fargate, and goes on.
                _logger.warning("%d lines of %s are lost: %s", len(events), stream, error)

        return put

    def delete_log(self, log: LogConfiguration) -> None:
        """What somebody else does to the log stream, and not with this role."""
        logs = self._clients.as_operator("logs", self._task.region)
        logs.delete_log_stream(
            logGroupName=log.group, logStreamName=log.stream(self._definition.container, self._task.id)
        )


def _keys(text: str) -> set[str]:
    try:
        content = json.loads(text)
    except ValueError:
        return set()
    return set(content) if isinstance(content, dict) else set()


def _said(error: ClientError) -> str:
    return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
