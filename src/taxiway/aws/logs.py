"""CloudWatch Logs: reading the streams that containers write."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, final

from taxiway.aws.errors import error_code, translating
from taxiway.aws.session import Place, client
from taxiway.errors import AwsNotFound
from taxiway.model.task import LogEvent, LogPage, LogStream, StaleToken

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

# GetLogEvents, "limit"
_MOST_EVENTS: Final = 10_000


@final
class Logs:
    """The calls of CloudWatch Logs that Taxiway makes; each needs the IAM action that its errors name."""

    def __init__(self, place: Place) -> None:
        """AWS is not asked for anything yet."""
        self._client: CloudWatchLogsClient = client("logs", place)

    def read(self, group: str, stream: str, token: str | None) -> LogPage | None:
        """What comes behind the token, or the beginning; ``None`` while there is no such stream.

        A page may be empty and have another one behind it all the same (GetLogEvents, API reference).

        Raises:
            StaleToken: The token is older than its 24 hours.
            AwsError: AWS refused or could not be asked.
        """
        further = {} if token is None else {"nextToken": token}
        return self._get(group, stream, {"startFromHead": True, "limit": _MOST_EVENTS, **further})

    def read_end(self, group: str, stream: str, count: int) -> tuple[LogEvent, ...]:
        """The last lines of a stream, in order; none when there is no such stream."""
        page = self._get(group, stream, {"startFromHead": False, "limit": count})
        return page.events if page else ()

    def list_streams(self, group: str, prefix: str) -> list[LogStream]:
        """The streams of a group whose names begin so.

        Raises:
            AwsNotFound: There is no such group.
            AwsError: AWS refused or could not be asked.
        """
        missing = {"ResourceNotFoundException": lambda _: _no_group(group, self._client.meta.region_name)}
        with translating("logs:DescribeLogStreams", group, missing):
            pages = self._client.get_paginator("describe_log_streams").paginate(
                logGroupName=group, logStreamNamePrefix=prefix
            )
            return [_stream(one) for page in pages for one in page["logStreams"]]

    def _get(self, group: str, stream: str, arguments: Mapping[str, Any]) -> LogPage | None:
        from botocore.exceptions import ClientError

        with translating("logs:GetLogEvents", f"{group}/{stream}"):
            try:
                answer: Mapping[str, Any] = self._client.get_log_events(
                    logGroupName=group, logStreamName=stream, **arguments
                )
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    return None
                if error_code(error) == "InvalidParameterException" and "nextToken" in arguments:
                    raise StaleToken from error
                raise
        events = tuple(
            LogEvent(moment=_moment(one["timestamp"]), message=one["message"]) for one in answer["events"]
        )
        return LogPage(events, answer["nextForwardToken"])


def _stream(content: Mapping[str, Any]) -> LogStream:
    first, last = content.get("firstEventTimestamp"), content.get("lastEventTimestamp")
    return LogStream(
        name=content["logStreamName"],
        first_at=_moment(first) if first is not None else None,
        last_at=_moment(last) if last is not None else None,
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _no_group(group: str, region: str) -> AwsNotFound:
    return AwsNotFound(
        f"There is no log group '{group}' in region {region}.",
        kind="log group",
        name=group,
        hint="Make it, or correct awslogs-group in the task definition.",
    )
