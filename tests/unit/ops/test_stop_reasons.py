"""What ECS says, in the words of its manual, comes down to a cause and to what can be done."""

import pytest

from taxiway.ops.stop_reasons import StopCause, explain_refusal, explain_stop
from tests.support.fake_aws import ended, task

# "Amazon ECS stopped tasks error messages" (ECS manual), with the container's reason where ECS puts it there.
STOPPED = [
    (
        (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
            "ghcr.io/acme/taxiway:1: ghcr.io/acme/taxiway:1: not found"
        ),
        StopCause.IMAGE,
    ),
    (
        (
            "CannotPullContainerError: Error response from daemon: pull access denied for acme/taxiway, repository does "
            "not exist or may require 'docker login'"
        ),
        StopCause.REGISTRY_CREDENTIALS,
    ),
    (
        (
            "CannotPullContainerError: ref pull has been retried 5 time(s): failed to do request: Head: dial tcp "
            "52.1.2.3:443: i/o timeout"
        ),
        StopCause.IMAGE,
    ),
    (
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
            "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
            "arn:aws:secretsmanager:eu-west-1:1:secret:x from secrets manager: AccessDeniedException: User is not "
            "authorized to perform: secretsmanager:GetSecretValue"
        ),
        StopCause.SECRET,
    ),
    (
        (
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
            "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist."
        ),
        StopCause.LOG,
    ),
    (
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth "
            "from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network "
            "configuration. operation error ECR: GetAuthorizationToken, exceeded maximum number of attempts, 3"
        ),
        StopCause.NETWORK,
    ),
    (
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
            "unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send request "
            'failed caused by: Post "https://api.ecr.eu-west-1.amazonaws.com/": dial tcp 10.0.0.1:443: i/o timeout'
        ),
        StopCause.NETWORK,
    ),
    (
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from asm: "
            "There is a connection issue between the task and AWS Secrets Manager. Check your task network "
            "configuration. failed to fetch secret arn:aws:secretsmanager:eu-west-1:1:secret:x"
        ),
        StopCause.NETWORK,
    ),
    (
        (
            "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch "
            "log group defined in the task definition. There is a connection issue between the task and Amazon "
            "CloudWatch. Check your network configuration. signal: killed"
        ),
        StopCause.NETWORK,
    ),
    ("OutOfMemoryError: Container killed due to memory usage", StopCause.OUT_OF_MEMORY),
    (
        'CannotStartContainerError: failed to start: exec: "taxiway": executable file not found',
        StopCause.ENTRY_POINT,
    ),
    ("Timeout waiting for network interface provisioning to complete.", StopCause.NETWORK),
    (
        (
            "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': "
            "InsufficientFreeAddressesInSubnet"
        ),
        StopCause.NO_CAPACITY,
    ),
    (
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
        StopCause.NO_CAPACITY,
    ),
    ("ECS was unable to assume the role 'arn:aws:iam::1:role/x' that was provided for this task.", StopCause.ROLE),
    ("ECS is performing maintenance on the underlying infrastructure hosting the task.", StopCause.HOST),
    ("Something new that nobody knows", StopCause.UNKNOWN),
]


@pytest.mark.parametrize(("words", "cause"), STOPPED)
@pytest.mark.parametrize("place", ["stopped_reason", "container_reason"])
def test_a_stop_is_explained_wherever_ecs_says_it(words: str, cause: StopCause, place: str) -> None:
    explanation = explain_stop(ended(None, **{"stopped_reason": "Task failed to start", place: words}))
    assert explanation.cause is cause
    assert words in explanation.message
    assert explanation.hint.endswith((".", "'", ")"))


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (
            "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'",
            "cpuArchitecture",
        ),
        (
            "CannotPullContainerError: failed to resolve reference: no match for platform in manifest: not found",
            "cpuArchitecture",
        ),
        (
            (
                "CannotPullContainerError: httpReadSeeker: failed open: unexpected status code: 429 Too Many Requests: "
                "toomanyrequests: You have reached your pull rate limit."
            ),
            "copy it to ECR",
        ),
    ],
)
def test_an_image_that_is_there_and_cannot_be_pulled_is_no_matter_of_the_network(words: str, fix: str) -> None:
    explanation = explain_stop(ended(None, container_reason=words))
    assert explanation.cause is StopCause.IMAGE
    assert fix in explanation.hint
    assert "NAT" not in explanation.hint


@pytest.mark.parametrize(
    ("stop_code", "cause"),
    [
        ("UserInitiated", StopCause.STOPPED_BY_USER),
        ("SpotInterruption", StopCause.SPOT),
        ("TerminationNotice", StopCause.HOST),
    ],
)
def test_a_stop_code_tells_what_no_sentence_does(stop_code: str, cause: StopCause) -> None:
    explanation = explain_stop(ended(143, stop_code=stop_code, stopped_reason="wanted so"))
    assert explanation.cause is cause
    assert "wanted so" in explanation.message


def test_whoever_stops_a_task_may_write_what_they_want() -> None:
    """Their words are not taken for one of ECS's."""
    stopped = ended(143, stop_code="UserInitiated", stopped_reason="OutOfMemory, I guess (by alice)")
    assert explain_stop(stopped).cause is StopCause.STOPPED_BY_USER


def test_an_end_by_itself_needs_no_explanation() -> None:
    assert explain_stop(ended(1)).cause is StopCause.EXITED


def test_a_kill_without_a_reason_is_a_kill() -> None:
    explanation = explain_stop(ended(137))
    assert explanation.cause is StopCause.KILLED
    assert "exit code 137" in explanation.message


def test_another_container_that_ended_is_named() -> None:
    explanation = explain_stop(ended(None, others=(("agent", "exit code 3"),)))
    assert explanation.cause is StopCause.OTHER_CONTAINER
    assert "agent: exit code 3" in explanation.message


def test_nothing_at_all_is_said_to_be_nothing() -> None:
    assert "ECS gives no reason" in explain_stop(task("STOPPED")).message


@pytest.mark.parametrize(
    ("reason", "detail", "cause"),
    [
        ("RESOURCE:ENI", "", StopCause.NO_CAPACITY),
        ("RESOURCE:FARGATE", "", StopCause.NO_CAPACITY),
        ("Capacity is unavailable at this time.", "", StopCause.NO_CAPACITY),
        ("You've reached the limit on the number of vCPUs you can run concurrently", "", StopCause.NO_CAPACITY),
        (
            (
                "Error retrieving subnet information for [subnet-1]: The subnet ID 'subnet-1' does not exist "
                "(ErrorCode: InvalidSubnetID.NotFound)"
            ),
            "",
            StopCause.NETWORK,
        ),
        (
            "Override for container named x is not a container in the TaskDefinition.",
            "",
            StopCause.ENTRY_POINT,
        ),
        ("MISSING", "nobody knows", StopCause.REFUSED),
    ],
)
def test_a_refusal_is_explained(reason: str, detail: str, cause: StopCause) -> None:
    explanation = explain_refusal(reason, detail)
    assert explanation.cause is cause
    assert reason in explanation.message
    assert detail in explanation.message
