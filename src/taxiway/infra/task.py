"""What a task is made of: cluster, log group, task definition."""

from collections.abc import Iterator
from typing import Final

from taxiway.infra.database import master_secret
from taxiway.infra.names import (
    CLUSTER,
    CONTAINER,
    DATABASE,
    EXECUTION_ROLE,
    LOG_GROUP,
    LOG_PREFIX,
    TASK_DEFINITION,
    TASK_ROLE,
)
from taxiway.infra.resource import Ending, Json, Resource, attribute, ref
from taxiway.model.infra import InfraSettings

# The image's own user
_USER: Final = "10001:10001"
# The most that Fargate waits between SIGTERM and SIGKILL: a statement is cancelled and rolled back in it.
_STOP_SECONDS: Final = 120
# Of the image, with the command before it: a task's own command is a branch and nothing more.
_ENTRY_POINT: Final = ("tini", "--", "taxiway", "run")


def make_task(settings: InfraSettings) -> Iterator[Resource]:
    """Everything but roles and network."""
    if settings.cluster is None:
        yield Resource(logical_id=CLUSTER, type="AWS::ECS::Cluster", is_tagged=True)
    log: dict[str, Json] = {"RetentionInDays": settings.log_retention_days}
    if settings.log_kms_key:
        log["KmsKeyId"] = settings.log_kms_key
    yield Resource(
        logical_id=LOG_GROUP, type="AWS::Logs::LogGroup", properties=log, ending=Ending.KEPT, is_tagged=True
    )
    yield Resource(
        logical_id=TASK_DEFINITION,
        type="AWS::ECS::TaskDefinition",
        properties={
            "Family": ref("AWS::StackName"),
            "RequiresCompatibilities": ["FARGATE"],
            "NetworkMode": "awsvpc",
            "Cpu": str(settings.cpu),
            "Memory": str(settings.memory),
            "RuntimePlatform": {
                "CpuArchitecture": settings.architecture,
                "OperatingSystemFamily": "LINUX",
            },
            "ExecutionRoleArn": attribute(EXECUTION_ROLE, "Arn"),
            "TaskRoleArn": attribute(TASK_ROLE, "Arn"),
            "Volumes": [{"Name": "tmp"}],
            "ContainerDefinitions": [_container(settings)],
        },
        is_tagged=True,
    )


def _container(settings: InfraSettings) -> Json:
    container: dict[str, Json] = {
        "Name": CONTAINER,
        "Image": settings.image,
        "Essential": True,
        "Memory": settings.memory,
        "EntryPoint": [*_ENTRY_POINT],
        "User": _USER,
        "ReadonlyRootFilesystem": True,
        "LinuxParameters": {"Capabilities": {"Drop": ["ALL"]}},
        "MountPoints": [{"SourceVolume": "tmp", "ContainerPath": "/tmp", "ReadOnly": False}],  # noqa: S108 - the task's
        "StopTimeout": _STOP_SECONDS,
        "Environment": [{"Name": name, "Value": value} for name, value in _environment(settings).items()],
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": ref(LOG_GROUP),
                "awslogs-region": ref("AWS::Region"),
                "awslogs-stream-prefix": LOG_PREFIX,
                # A line that is dropped could be the result (docs/adr/0040-who-is-believed.md).
                "mode": "blocking",
            },
        },
    }
    if settings.registry_secret:
        # The name alone is enough for a secret of the same region ("credentialsParameter", RepositoryCredentials).
        # An ARN without its six last characters is not: IAM would be asked about that, and not about the secret.
        container["RepositoryCredentials"] = {"CredentialsParameter": settings.registry_secret}
    return container


def _environment(settings: InfraSettings) -> dict[str, Json]:
    """The names of the tutorial, where they have a value, the login that RDS manages, and what is wanted."""
    host = attribute(DATABASE, "Endpoint.Address") if settings.database else settings.database_host
    port = str(settings.database_port)
    known = {
        "REGION": ref("AWS::Region"),
        "REPOSITORY_DEPLOY_KEY_SECRET": settings.deploy_key_secret,
        "REPOSITORY_OWNER": settings.repository_owner,
        "REPOSITORY_PATH": settings.repository_path,
        "TAXIWAY_REPOSITORY_URL": settings.repository_url,
        "DB_HOST": host,
        "DB_NAME": settings.database_name,
        "DB_PORT": port if port != "5432" else None,
        # A project that names a login of its own keeps that (taxiway.aws.secret_login).
        "FLYWAY_DATABASE_SECRET": master_secret(settings.database) if settings.database else None,
        **settings.environment,
    }
    return {name: value for name, value in known.items() if value is not None}
