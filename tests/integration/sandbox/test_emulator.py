"""What the emulator does wrong, with and without what we have changed.

The canaries run on the emulator as it is. One that fails says that it was mended there: then our change can go.
"""

import json
import subprocess
import sys
from typing import Any

import pytest

from sandbox.aws import AwsEndpoint

# Each bug by itself, in one process, because loading the emulator takes seconds.
_PROBE = """
import json, boto3
from moto import mock_aws

ROLE = "arn:aws:iam::123456789012:role/x"

def restore_a_cluster_whose_password_rds_manages():
    rds = boto3.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="a", Engine="aurora-postgresql", MasterUsername="u", ManageMasterUserPassword=True
    )
    rds.create_db_cluster_snapshot(DBClusterIdentifier="a", DBClusterSnapshotIdentifier="s")
    rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="b", SnapshotIdentifier="s", Engine="aurora-postgresql"
    )

def run(container, dns=True, **network):
    ecs, ec2 = boto3.client("ecs"), boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": dns})
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    ecs.create_cluster(clusterName="c")
    ecs.register_task_definition(
        family="f", requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256", memory="512",
        containerDefinitions=[{"name": "n", "image": "i", **container}],
    )
    network = {"subnets": [subnet], **network}
    return ecs, ecs.run_task(
        cluster="c", taskDefinition="f", launchType="FARGATE", networkConfiguration={"awsvpcConfiguration": network}
    )["tasks"][0]["taskArn"]

def run_a_container_without_memory_of_its_own():
    run({}, securityGroups=[])

def run_without_security_groups():
    run({"memory": 512})

def run_in_a_vpc_without_dns_names():
    run({"memory": 512}, dns=False, securityGroups=[])

def be_told_no_exit_code_while_the_task_runs():
    ecs, arn = run({"memory": 512}, securityGroups=[])
    task = ecs.describe_tasks(cluster="c", tasks=[arn])["tasks"][0]
    assert "exitCode" not in task["containers"][0]

def be_told_why_a_task_has_stopped():
    ecs, arn = run({"memory": 512}, securityGroups=[])
    ecs.stop_task(cluster="c", task=arn)
    assert "stopCode" in ecs.describe_tasks(cluster="c", tasks=[arn])["tasks"][0]

found = {}
for probe in (
    restore_a_cluster_whose_password_rds_manages,
    run_a_container_without_memory_of_its_own,
    run_without_security_groups,
    run_in_a_vpc_without_dns_names,
    be_told_no_exit_code_while_the_task_runs,
    be_told_why_a_task_has_stopped,
):
    try:
        mock_aws(probe)()
        found[probe.__name__] = "works"
    except Exception as error:
        found[probe.__name__] = type(error).__name__
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    """How each probe has ended on the emulator as it is."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }
    command = [sys.executable, "-c", _PROBE]
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    probes: dict[str, str] = json.loads(output)
    return probes


@pytest.mark.parametrize(
    ("probe", "error"),
    [
        # sandbox.cloud.patches
        ("restore_a_cluster_whose_password_rds_manages", "KeyError"),
        # sandbox.cloud.task_api, which is there for the last two; the others come for free
        ("run_a_container_without_memory_of_its_own", "TypeError"),
        ("run_without_security_groups", "KeyError"),
        ("run_in_a_vpc_without_dns_names", "AttributeError"),
        ("be_told_no_exit_code_while_the_task_runs", "AssertionError"),
        ("be_told_why_a_task_has_stopped", "AssertionError"),
    ],
)
def test_the_emulator_still_cannot(found: dict[str, str], probe: str, error: str) -> None:
    assert found[probe] == error


def test_a_cluster_whose_password_rds_manages_can_be_restored(aws_endpoint: AwsEndpoint) -> None:
    rds: Any = aws_endpoint.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="live", Engine="aurora-postgresql", MasterUsername="u", ManageMasterUserPassword=True
    )
    rds.create_db_cluster_snapshot(DBClusterIdentifier="live", DBClusterSnapshotIdentifier="snapshot")
    restored = rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="copy", SnapshotIdentifier="snapshot", Engine="aurora-postgresql"
    )
    assert restored["DBCluster"]["DBClusterIdentifier"] == "copy"
