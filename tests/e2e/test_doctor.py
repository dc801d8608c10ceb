"""Faults on the whole way of a task: each is found, and named with its fix, by the installed command.

Faults that do not hide each other are injected together: every call costs seconds.
"""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from sandbox.directory import temporary_directory
from sandbox.postgres import PostgresServer
from sandbox.world import DEPLOY_KEY_SECRET, USER_SECRETS, World
from taxiway.postgres.certificates import RDS_CA_BUNDLE
from tests.support.assumed_role import actions_in, assume
from tests.support.examples import blocks
from tests.support.markdown import read_page
from tests.support.patient import CLUSTER, Patient
from tests.support.rights import Rights

PAGE: Final = "docs/how-to/check-everything.md"
_LOGIN, _READER, _APPLICATION = USER_SECRETS.values()


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    with World() as world:
        yield Patient(world, tmp_path_factory.mktemp("patient"))


@pytest.fixture(autouse=True)
def as_before(patient: Patient) -> Iterator[None]:
    yield
    patient.write()
    patient.aws.clear_faults()


def test_a_healthy_set_up_gives_no_finding(patient: Patient) -> None:
    ended = patient.examine()
    assert (ended.exit_code, ended.json["findings"]) == (0, []), ended.stdout
    assert [one["area"] for one in ended.json["notChecked"]] == ["image"]
    assert {"login", "git", "roles", "network", "database"} <= set(ended.json["checked"])
    assert not any(secret in ended.stdout + ended.stderr for secret in patient.world.secrets)


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "aws-no-credentials"),
        ({"AWS_PROFILE": "nobody"}, "aws-no-credentials"),
    ],
)
def test_without_credentials_nothing_else_is_asked(patient: Patient, variables: dict[str, str], code: str) -> None:
    ended = patient.examine(**variables)
    assert (ended.exit_code, [one["code"] for one in ended.json["findings"]]) == (4, [code])
    assert ended.json["complete"] is False


def test_expired_credentials_are_named(patient: Patient) -> None:
    patient.aws.add_fault("api-error", action="sts:GetCallerIdentity", code="ExpiredToken", message="It is late.")
    assert patient.codes() == {"aws-credentials-expired"}


def test_another_region_has_nothing_of_all_this(patient: Patient) -> None:
    assert patient.codes("--region", "eu-west-3") == {"cluster-unknown", "aws-not-found"}


def test_the_text_has_each_fix_and_the_code_of_the_error(patient: Patient) -> None:
    patient.write(family="taxiwai", cluster="nowhere")
    ended = patient.operator.call()
    assert (ended.exit_code, ended.code) == (4, "environment-not-ready"), ended.stdout
    assert "There is no cluster 'nowhere'" in ended.stdout
    assert "Fix: Did you mean 'taxiway'?" in ended.stdout


def test_faults_of_the_task_definition(patient: Patient) -> None:
    log = {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/nowhere", "awslogs-stream-prefix": "run", "awslogs-region": "eu-central-1"},
    }
    gone = patient.account.execution_role.replace("taxiway-execution", "gone")
    container = {"image": "registry.example/taxiway:1", "repositoryCredentials": None, "logConfiguration": log}
    with patient.definition({"REGION": "eu-west-3"}, container, executionRoleArn=gone):
        assert patient.codes() == {
            "image-without-digest",
            "image-without-credentials",
            "log-group-missing",
            "role-missing",
            "region-differs",
        }


def test_faults_of_secrets(patient: Patient) -> None:
    secrets = patient.aws.client("secretsmanager")
    with ExitStack() as stack:
        stack.enter_context(patient.definition({"REPOSITORY_DEPLOY_KEY_SECRET": "nowhere"}))
        stack.enter_context(patient.secret(_LOGIN, {"username": "sqladmin", "pasword": "x"}))
        stack.enter_context(patient.secret(_READER, "no JSON"))
        secrets.delete_secret(SecretId=_APPLICATION, RecoveryWindowInDays=7)
        stack.callback(secrets.restore_secret, SecretId=_APPLICATION)
        assert patient.codes() == {"secret-no-key", "secret-not-json", "secret-deleted", "secret-missing"}


def test_faults_of_the_network(patient: Patient) -> None:
    ec2 = patient.aws.client("ec2")
    stranger = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=stranger, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    patient.write(subnets=f'"{patient.account.subnets[0]}", "{subnet}"')
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    with ExitStack() as stack:
        ec2.revoke_security_group_ingress(**patient.rule)
        stack.callback(ec2.authorize_security_group_ingress, **patient.rule)
        group = {"GroupId": patient.account.security_group, "IpPermissions": everything}
        ec2.revoke_security_group_egress(**group)
        stack.callback(ec2.authorize_security_group_egress, **group)
        patient.close_way()
        stack.callback(patient.open_way)
        assert patient.codes() == {
            "database-group-closed",
            "group-closed-outwards",
            "no-route",
            "subnet-in-other-vpc",
        }
        made = ec2.create_vpc_endpoint(
            VpcId=patient.account.vpc,
            ServiceName=f"com.amazonaws.{patient.aws.region}.logs",
            VpcEndpointType="Interface",
            SubnetIds=[patient.account.subnets[0]],
            PrivateDnsEnabled=True,
        )
        stack.callback(ec2.delete_vpc_endpoints, VpcEndpointIds=[made["VpcEndpoint"]["VpcEndpointId"]])
        assert patient.codes() >= {"endpoint-missing", "git-host-without-route"}


def test_faults_of_cluster_roles_and_the_state_of_the_database(patient: Patient) -> None:
    rds, ecs = patient.aws.client("rds"), patient.aws.client("ecs")
    ecs.create_cluster(clusterName="gone")
    ecs.delete_cluster(cluster="gone")
    rds.create_db_cluster(
        DBClusterIdentifier="old",
        Engine="aurora-postgresql",
        EngineVersion="12.9",
        MasterUsername="sqladmin",
        MasterUserPassword="never-used-here",
        VpcSecurityGroupIds=[patient.database_group],
    )
    rds.stop_db_cluster(DBClusterIdentifier="old")
    patient.write(cluster="gone", database="old")
    denial = {"Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    with patient.policy("taxiway-task", [denial]):
        ended = patient.examine()
    codes = {one["code"] for one in ended.json["findings"]}
    assert codes == {"cluster-inactive", "database-stopped", "server-too-old", "right-missing"}
    assert any(f"read the secret '{_LOGIN}'" in one["message"] for one in ended.json["findings"])


def test_a_key_that_the_role_may_use_through_secrets_manager_only(patient: Patient) -> None:
    key = f"arn:aws:kms:{patient.aws.region}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    secrets = patient.aws.client("secretsmanager")
    secrets.update_secret(SecretId=_LOGIN, KmsKeyId=key)
    through = {"StringEquals": {"kms:ViaService": f"secretsmanager.{patient.aws.region}.amazonaws.com"}}
    try:
        assert patient.codes() == {"right-missing"}
        allowed = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key, "Condition": through}
        with patient.policy("taxiway-task", [allowed]):
            assert patient.codes() == set()
    finally:
        secrets.update_secret(SecretId=_LOGIN, KmsKeyId="alias/aws/secretsmanager")


def test_a_wrong_password_and_a_branch_that_is_not_there(patient: Patient) -> None:
    with patient.secret(_LOGIN, {"username": "sqladmin", "password": "wrong"}):
        assert patient.codes("developp") == {"authentication-failed", "git-ref-not-found"}


def test_a_database_that_is_not_there_and_a_host_key_that_is_not_known(patient: Patient) -> None:
    with patient.definition({"DB_NAME": "nowhere", "TAXIWAY_SSH_KNOWN_HOSTS": "example.com ssh-ed25519 AAAA"}):
        assert patient.codes() == {"database-not-found", "git-host-key-rejected"}


def test_a_server_of_an_unknown_authority_and_a_deploy_key_that_is_not_accepted(
    patient: Patient, tmp_path: Path
) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    with (
        patient.definition({"DB_SSLROOTCERT": str(RDS_CA_BUNDLE)}),
        patient.secret(DEPLOY_KEY_SECRET, (tmp_path / "key").read_text()),
    ):
        assert patient.codes() == {"certificate-rejected", "git-auth-rejected"}


def test_a_certificate_that_has_expired(patient: Patient, tmp_path: Path) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with temporary_directory() as directory, PostgresServer(directory, certified_until=yesterday) as server:
        variables = {"DB_PORT": str(server.port), "DB_SSLROOTCERT": str(server.authority)}
        with patient.definition(variables):
            [finding] = patient.examine().json["findings"]
    assert (finding["area"], finding["code"]) == ("database", "certificate-expired")
    assert "Renew it at the server" in finding["fix"]


def test_a_role_that_ecs_may_not_assume(patient: Patient) -> None:
    with patient.trust("taxiway-task", "ec2.amazonaws.com"):
        assert patient.codes() == {"role-not-trusted"}


def test_a_login_with_iam_that_neither_the_role_nor_the_database_allows(patient: Patient) -> None:
    with patient.definition({"FLYWAY_AUTH": "iam", "FLYWAY_USER": "migrator"}):
        assert patient.codes() >= {"right-missing", "iam-login-off"}


def test_a_paused_database_is_named_and_waited_for_by_nobody(patient: Patient) -> None:
    """It closes every connection, as Aurora does while it wakes up; RDS says that it is available."""
    rds = patient.aws.client("rds")
    scaling = {"MinCapacity": 0.0, "MaxCapacity": 4.0}
    with socket.create_server(("127.0.0.1", 0)) as asleep:
        closing = Thread(target=_close_all, args=(asleep,), daemon=True)
        closing.start()
        with patient.definition({"DB_PORT": str(asleep.getsockname()[1])}):
            assert patient.codes() == {"connection-failed"}
            rds.modify_db_cluster(DBClusterIdentifier=CLUSTER, ServerlessV2ScalingConfiguration=scaling)
            ended = patient.examine()
    assert ended.json["findings"] == []
    [gap] = [one for one in ended.json["notChecked"] if one["area"] == "login"]
    assert f"the cluster '{CLUSTER}' may pause, and seems to be waking up" in gap["because"]
    assert "Call it again in a minute" in gap["fix"]


def _close_all(server: socket.socket) -> None:
    with suppress(OSError):  # the server is closed
        while True:
            server.accept()[0].close()


def test_the_endpoint_of_the_readers_whose_name_nobody_knows(patient: Patient) -> None:
    cluster = patient.aws.client("rds").describe_db_clusters(DBClusterIdentifier=CLUSTER)["DBClusters"][0]
    with patient.definition({"DB_HOST": cluster["ReaderEndpoint"]}):
        assert patient.codes() == {"reader-endpoint", "host-unknown"}


def test_a_port_that_nothing_listens_at(patient: Patient) -> None:
    with patient.definition({"DB_PORT": "1"}):
        assert patient.codes() == {"connection-refused"}


def policy_of_the_page(patient: Patient) -> str:
    [block] = [block for block in blocks(read_page(PAGE)) if block.language == "json"]
    account = patient.aws.client("sts").get_caller_identity()["Account"]
    text = block.text.replace("111122223333", account).replace("eu-west-1", patient.aws.region)
    return text.replace("cluster/apps", f"cluster/{patient.account.cluster}")


def test_the_policy_of_the_page_is_enough_and_nothing_in_it_is_too_much(patient: Patient) -> None:
    policy = policy_of_the_page(patient)
    credentials = assume(patient.aws, "looker", policy)
    ended = patient.examine(**credentials)
    assert (ended.exit_code, ended.json["findings"]) == (0, []), ended.stdout
    assert [one["area"] for one in ended.json["notChecked"]] == ["image"], ended.stdout
    rights = Rights(patient.aws)
    rights.note("doctor", "looker")
    rights.check()
    audit = patient.aws.audit("looker")
    assert {entry["decision"] for entry in audit} == {"allowed"}
    assert {entry["action"] for entry in audit} == actions_in(policy)


def test_a_right_that_is_missing_is_named_and_everything_else_is_checked(patient: Patient) -> None:
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]}'
    credentials = assume(patient.aws, "blind", policy)
    patient.write(cluster="nowhere")
    ended = patient.examine(**credentials)
    assert [one["code"] for one in ended.json["findings"]] == ["cluster-unknown"]
    missing = {one["action"] for one in ended.json["notChecked"]}
    assert missing >= {
        "ec2:DescribeSubnets",
        "iam:GetRole",
        "logs:DescribeLogGroups",
        "rds:DescribeDBClusters",
        "secretsmanager:DescribeSecret",
    }
    patient.write()
    assert patient.examine(**credentials).exit_code == 0
    assert patient.examine("--strict", **credentials).exit_code == 4
