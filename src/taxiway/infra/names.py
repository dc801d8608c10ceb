"""The logical ids of the stack: names that must not change, because another one would be another resource."""

from typing import Final

CLUSTER: Final = "Cluster"
LOG_GROUP: Final = "LogGroup"
EXECUTION_ROLE: Final = "ExecutionRole"
TASK_ROLE: Final = "TaskRole"
TASK_DEFINITION: Final = "TaskDefinition"
TASK_GROUP: Final = "TaskSecurityGroup"
TASK_TO_DATABASE: Final = "TaskToDatabase"
DATABASE_FROM_TASK: Final = "DatabaseFromTask"

DATABASE: Final = "Database"
DATABASE_INSTANCE: Final = "DatabaseInstance"
DATABASE_SUBNETS: Final = "DatabaseSubnetGroup"
DATABASE_GROUP: Final = "DatabaseSecurityGroup"

BASTION: Final = "Bastion"
BASTION_GROUP: Final = "BastionSecurityGroup"
BASTION_ROLE: Final = "BastionRole"
BASTION_PROFILE: Final = "BastionProfile"
BASTION_TO_DATABASE: Final = "BastionToDatabase"
DATABASE_FROM_BASTION: Final = "DatabaseFromBastion"

GITHUB_PROVIDER: Final = "GithubProvider"
GITHUB_ROLE: Final = "GithubRole"

ENDPOINT_GROUP: Final = "EndpointSecurityGroup"
TASK_TO_ENDPOINTS: Final = "TaskToEndpoints"
ENDPOINTS_FROM_TASK: Final = "EndpointsFromTask"
BASTION_TO_ENDPOINTS: Final = "BastionToEndpoints"
ENDPOINTS_FROM_BASTION: Final = "EndpointsFromBastion"
TASK_TO_S3: Final = "TaskToS3"

CONTAINER: Final = "taxiway"
LOG_PREFIX: Final = "run"
