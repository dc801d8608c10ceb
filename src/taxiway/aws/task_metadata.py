"""What an ECS task can learn about itself: the container metadata endpoint, version 4.

AWS, "Amazon ECS task metadata endpoint version 4": the agent puts its address into the environment of each
container. Nothing here is an error: a task that cannot be told who it is has the same work to do.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

ADDRESS_VARIABLE: Final = "ECS_CONTAINER_METADATA_URI_V4"

_TASK_ARN: Final = "com.amazonaws.ecs.task-arn"
_SECONDS: Final = 1.0
_MOST_BYTES: Final = 1 << 20


class TaskMetadata(NamedTuple):
    """The ARN of the task, and the digest of the image that the container was started from."""

    task_arn: str | None = None
    image_digest: str | None = None


def read_task_metadata(environment: Mapping[str, str]) -> TaskMetadata:
    """Ask the endpoint once. Empty outside of a task, and when there is no answer within a second."""
    address = environment.get(ADDRESS_VARIABLE, "").strip()
    if not address.startswith("http://"):
        return TaskMetadata()
    document = _get(address)
    labels = document.get("Labels")
    return TaskMetadata(
        task_arn=_text(labels.get(_TASK_ARN)) if isinstance(labels, dict) else None,
        image_digest=_text(document.get("ImageID")),
    )


def _get(address: str) -> dict[str, Any]:
    from http.client import HTTPConnection, HTTPException
    from json import loads
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
        try:
            connection.request("GET", parts.path or "/")
            document = loads(connection.getresponse().read(_MOST_BYTES))
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
