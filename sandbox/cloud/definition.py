"""Task definitions as the agent needs them. One container per task is what the sandbox can run."""

from dataclasses import dataclass
from typing import Any, Final, Self

from moto.ecs.exceptions import EcsClientException

# "If a stopTimeout value isn't specified, the default is 30 seconds"; the most that Fargate accepts is 120:
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
_STOP_SECONDS: Final = 30
_MOST_STOP_SECONDS: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfiguration:
    """Where the driver ``awslogs`` writes to."""

    group: str
    region: str
    prefix: str

    def stream(self, container: str, task_id: str) -> str:
        """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html."""
        return f"{self.prefix}/{container}/{task_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One revision of a task definition and its container.

    Attributes:
        cpu: In units: 1024 are one CPU.
        memory: In MiB, of the task or, if that is less, of the container.
        entry_point: Empty for that of the image.
        command: Empty for that of the image.
        user: Instead of the image's; None for that.
        is_read_only: Whether nothing of the image's file system can be written.
        mounts: Where volumes are mounted.
        secrets: Names of variables and where their values come from: ARN[:key:stage:version].
        registry_secret: The secret with user name and password of a private registry.
    """

    arn: str
    family: str
    revision: int
    cpu: int
    memory: int
    task_role: str | None
    execution_role: str | None
    container: str
    image: str
    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    environment: dict[str, str]
    user: str | None
    is_read_only: bool
    mounts: tuple[str, ...]
    secrets: dict[str, str]
    registry_secret: str | None
    log: LogConfiguration | None
    stop_seconds: int

    @classmethod
    def from_moto(cls, definition: Any) -> Self:  # noqa: ANN401 - moto has no types that help here
        """The emulator's object in our words.

        Raises:
            EcsClientException: Fargate would not run it.
        """
        containers: list[dict[str, Any]] = definition.container_definitions
        if len(containers) != 1:
            raise EcsClientException(f"The sandbox runs one container per task; {definition.arn} has not one.")
        container = containers[0]
        made = cls(
            arn=definition.arn,
            family=definition.family,
            revision=definition.revision,
            cpu=int(definition.cpu),
            memory=min(int(definition.memory), int(container.get("memory", definition.memory))),
            task_role=getattr(definition, "task_role_arn", None),
            execution_role=getattr(definition, "execution_role_arn", None),
            container=container["name"],
            image=container["image"],
            entry_point=tuple(container.get("entryPoint", ())),
            command=tuple(container.get("command", ())),
            environment={item["name"]: item["value"] for item in container.get("environment", ())},
            user=container.get("user"),
            is_read_only=container.get("readonlyRootFilesystem", False),
            mounts=tuple(item["containerPath"] for item in container.get("mountPoints", ())),
            secrets={item["name"]: item["valueFrom"] for item in container.get("secrets", ())},
            registry_secret=container.get("repositoryCredentials", {}).get("credentialsParameter"),
            log=_log_configuration(container),
            stop_seconds=container.get("stopTimeout", _STOP_SECONDS),
        )
        made._check()
        return made

    def _check(self) -> None:
        needs_role = self.log or self.secrets or self.registry_secret
        if needs_role and not self.execution_role:
            raise EcsClientException(
                "Fargate requires task definition to have execution role ARN to support log driver awslogs."
            )
        if self.stop_seconds > _MOST_STOP_SECONDS:
            raise EcsClientException(f"The stopTimeout has to be at most {_MOST_STOP_SECONDS} on Fargate.")


def _log_configuration(container: dict[str, Any]) -> LogConfiguration | None:
    configuration = container.get("logConfiguration")
    if configuration is None:
        return None
    if configuration["logDriver"] != "awslogs":
        raise EcsClientException(f"The sandbox has no log driver {configuration['logDriver']}.")
    options = configuration["options"]
    return LogConfiguration(
        group=options["awslogs-group"],
        region=options["awslogs-region"],
        prefix=options["awslogs-stream-prefix"],
    )
