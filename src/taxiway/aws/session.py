"""Clients of AWS services, with time limits that suit a short task."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from taxiway.aws.errors import translate
from taxiway.errors import InvalidOption, MissingOption

if TYPE_CHECKING:
    from botocore.loaders import Loader
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_ecs import ECSClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_rds import RDSClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_ssm import SSMClient

_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 20
_ATTEMPTS: Final = 5

# The name that task definitions for Taxiway have, the one that AWS gives to its containers, and boto3's own.
_REGION_VARIABLES: Final = ("REGION", "AWS_REGION", "AWS_DEFAULT_REGION")


def find_region(environment: Mapping[str, str]) -> str | None:
    """The AWS region that the environment names: ``REGION``, ``AWS_REGION`` or ``AWS_DEFAULT_REGION``.

    Empty variables count as absent. None leaves it to boto3, which knows the profile besides.
    """
    return next((region for name in _REGION_VARIABLES if (region := environment.get(name, "").strip())), None)


@dataclass(frozen=True, slots=True)
class Place:
    """Whose account, and where: ``None`` leaves the region or the profile to the environment and to boto3."""

    region: str | None = None
    profile: str | None = None


@overload
def client(service: Literal["secretsmanager"], place: Place) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["ecs"], place: Place) -> "ECSClient": ...
@overload
def client(service: Literal["logs"], place: Place) -> "CloudWatchLogsClient": ...
@overload
def client(service: Literal["ec2"], place: Place) -> "EC2Client": ...
@overload
def client(service: Literal["cloudformation"], place: Place) -> "CloudFormationClient": ...
@overload
def client(service: Literal["rds"], place: Place) -> "RDSClient": ...
@overload
def client(service: Literal["ssm"], place: Place) -> "SSMClient": ...
@overload
def client(service: Literal["ecr", "iam", "sts"], place: Place) -> Any: ...  # noqa: ANN401 - few calls, no stubs
def client(service: Any, place: Place) -> Any:
    """A boto3 client for the region: the given one, that of :func:`find_region`, or that of the profile.

    It repeats a call that was throttled, not answered, or answered with a 5xx, and no other (boto3, retry mode
    "standard").

    Raises:
        MissingOption: There is no region anywhere.
        InvalidOption: The region cannot be one, or AWS_ENDPOINT_URL is not a URL.
        AwsError: boto3 cannot work with its configuration.
    """
    import boto3  # a third of a second, for those who use AWS only
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, InvalidRegionError, NoRegionError

    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    )
    try:
        # A session of our own: boto3's default one remembers the credentials and the profile it was made with.
        core = botocore.session.Session(profile=place.profile)
        core.register_component("data_loader", _descriptions(core.get_config_variable("data_path")))
        session = boto3.Session(
            region_name=place.region or find_region(os.environ), profile_name=place.profile, botocore_session=core
        )
        return session.client(service, config=config)
    except NoRegionError as error:
        raise MissingOption("The AWS region is not set.", hint="Set REGION or AWS_REGION.") from error
    except InvalidRegionError as error:
        raise InvalidOption(
            f"The AWS region cannot be used: {error}", hint="Set REGION or AWS_REGION to one, such as eu-west-1."
        ) from error
    except BotoCoreError as error:
        raise translate(error, action=f"{service}:*", resource="*") from error
    except ValueError as error:
        raise InvalidOption(
            f"The endpoint of {service} is not a URL: {error}.", hint="Correct or remove AWS_ENDPOINT_URL."
        ) from error


@cache
def _descriptions(data_path: str | None) -> "Loader":
    """What reads botocore's descriptions of regions and services, and keeps what it has read.

    One for all sessions: each would read the megabyte of all regions anew, most of what a further client costs.
    """
    from botocore.loaders import create_loader

    return create_loader(data_path)
