"""The template has what was asked for, nothing that AWS would have to be forgiven for, and reads well as text."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml

from taxiway.infra.resource import Statement
from taxiway.infra.statements import make_roles
from taxiway.infra.template import build_template
from taxiway.infra.write import write_json, write_yaml
from taxiway.model.infra import DatabaseWish, GithubWish, InfraSettings
from taxiway.ops.resolve_target import OUTPUTS
from tests.support.infra import KEY, adopting, owning

BOTH = [adopting(), owning(), replace(owning(), endpoints=None), adopting(cluster="apps")]

# Every statement that is about all resources, by role and Sid; each has its reason in the code and in
# docs/how-to/build-the-infrastructure.md.
ABOUT_EVERYTHING = {
    ("ExecutionRole", "LogInToEcr"),
    ("BastionRole", "CarrySessions"),
    ("GithubRole", "LookAround"),
    ("GithubRole", "ListTasks"),
}


def properties(settings: InfraSettings, name: str) -> Any:
    return build_template(settings)["Resources"][name]["Properties"]


def container(settings: InfraSettings) -> Any:
    [found] = properties(settings, "TaskDefinition")["ContainerDefinitions"]
    return found


def statements(template: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", ()):
                yield from ((name, one) for one in policy["PolicyDocument"]["Statement"])


# --- rights


@pytest.mark.parametrize("settings", BOTH)
def test_no_statement_is_about_everything_but_those_with_a_reason(settings: InfraSettings) -> None:
    for role, statement in statements(build_template(settings)):
        resources = statement["Resource"]
        texts = json.dumps(resources)
        if resources == "*":
            assert (role, statement["Sid"]) in ABOUT_EVERYTHING
        else:
            assert '"*"' not in texts
        assert "*" not in "".join(statement["Action"])


def test_the_list_of_those_is_no_longer_than_it_has_to_be() -> None:
    found = {
        (role.logical_id, one.sid)
        for role in make_roles(owning())
        for one in role.statements
        if one.why_everything
    }
    assert found == ABOUT_EVERYTHING


def test_a_statement_about_everything_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="no reason"):
        Statement(sid="X", actions=("s3:GetObject",), resources=("*",))


def test_the_two_roles_of_a_task_are_two_and_share_nothing() -> None:
    roles = {role.logical_id: {a for s in role.statements for a in s.actions} for role in make_roles(adopting())}
    assert roles == {
        "ExecutionRole": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "TaskRole": {"secretsmanager:GetSecretValue"},
    }


def test_only_ecs_of_this_account_can_take_on_the_roles_of_a_task() -> None:
    trust = properties(adopting(), "TaskRole")["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Fn::Sub": "${AWS::AccountId}"}}


def test_a_workflow_is_believed_by_its_exact_subject() -> None:
    trust = properties(owning(), "GithubRole")["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:acme/shop:environment:production",
        }
    }


def test_an_adopted_provider_of_github_is_not_made_again() -> None:
    arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
    template = build_template(owning(github=GithubWish(provider=arn)))
    assert "GithubProvider" not in template["Resources"]
    trust = template["Resources"]["GithubRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Principal"] == {"Federated": arn}


def test_keys_are_used_through_secrets_manager_only() -> None:
    [statement] = [one for role, one in statements(build_template(owning())) if one["Sid"] == "DecryptSecrets"][
        -1:
    ]
    assert statement["Resource"] == [KEY]
    assert "kms:ViaService" in statement["Condition"]["StringEquals"]


# --- the task


def test_the_container_is_what_the_tutorial_has_and_safer() -> None:
    made = container(adopting())
    assert made["Image"].rpartition("@")[2].startswith("sha256:")
    assert made["User"] == "10001:10001"
    assert made["ReadonlyRootFilesystem"] is True
    assert made["StopTimeout"] == 120
    assert made["MountPoints"] == [{"SourceVolume": "tmp", "ContainerPath": "/tmp", "ReadOnly": False}]
    assert made["LogConfiguration"]["LogDriver"] == "awslogs"
    assert "RepositoryCredentials" not in made
    assert [one["Name"] for one in made["Environment"]] == [
        "REGION",
        "REPOSITORY_DEPLOY_KEY_SECRET",
        "REPOSITORY_OWNER",
        "REPOSITORY_PATH",
        "DB_HOST",
        "DB_NAME",
    ]


def test_a_private_registry_has_its_secret_by_name() -> None:
    credentials = container(adopting(registry_secret="registry@pull"))["RepositoryCredentials"]
    assert credentials == {"CredentialsParameter": "registry@pull"}


@pytest.mark.parametrize("settings", BOTH)
def test_tasks_find_everything_in_the_outputs(settings: InfraSettings) -> None:
    outputs = build_template(settings)["Outputs"]
    # An adopted database is named by its identifier in [task]; the stack knows its address only.
    adopted = set() if settings.database else {OUTPUTS["database"]}
    assert set(OUTPUTS.values()) - adopted <= outputs.keys()


def test_what_is_adopted_is_no_resource() -> None:
    template = build_template(adopting(cluster="apps"))
    types = {resource["Type"] for resource in template["Resources"].values()}
    assert not types & {"AWS::ECS::Cluster", "AWS::RDS::DBCluster", "AWS::EC2::VPC", "AWS::EC2::Subnet"}
    assert template["Outputs"]["ClusterName"]["Value"] == "apps"


# --- the network


def rules(settings: InfraSettings) -> list[tuple[str, int, str]]:
    """Where a task can go: what for, port, target."""
    template = build_template(settings)["Resources"]
    group = {"Fn::GetAtt": ["TaskSecurityGroup", "GroupId"]}
    own = template["TaskSecurityGroup"]["Properties"]["SecurityGroupEgress"]
    others = [
        one["Properties"]
        for one in template.values()
        if one["Type"] == "AWS::EC2::SecurityGroupEgress" and one["Properties"]["GroupId"] == group
    ]
    return [
        (one["Description"], one["FromPort"], one.get("CidrIp") or "group")
        for one in (*own, *others)
        if one["FromPort"] == one["ToPort"]
    ]


def test_a_task_reaches_the_database_on_its_port_aws_and_git_and_nobody_reaches_it() -> None:
    assert rules(adopting(git_cidrs=("140.82.112.0/20",))) == [
        ("AWS and the registry of the image", 443, "0.0.0.0/0"),
        ("The Git host", 22, "140.82.112.0/20"),
        ("Tasks to the database", 5432, "group"),
    ]
    assert "SecurityGroupIngress" not in properties(adopting(), "TaskSecurityGroup")


def test_with_endpoints_a_task_reaches_nothing_outside_but_git() -> None:
    cidrs = [target for _, port, target in rules(owning()) if target != "group" and port != 22]
    assert cidrs == []


@pytest.mark.parametrize("settings", BOTH)
def test_no_way_in_is_open_to_addresses(settings: InfraSettings) -> None:
    for resource in build_template(settings)["Resources"].values():
        if resource["Type"] == "AWS::EC2::SecurityGroupIngress":
            assert not {"CidrIp", "CidrIpv6"} & resource["Properties"].keys()
        if resource["Type"] == "AWS::EC2::SecurityGroup":
            assert "SecurityGroupIngress" not in resource["Properties"]


# --- the database


def test_a_database_of_its_own_is_encrypted_protected_backed_up_and_leaves_a_snapshot() -> None:
    resource = build_template(owning(database=DatabaseWish()))["Resources"]["Database"]
    made = resource["Properties"]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")
    assert made["StorageEncrypted"] is made["DeletionProtection"] is made["ManageMasterUserPassword"] is True
    assert made["EnableIAMDatabaseAuthentication"] is True
    assert made["BackupRetentionPeriod"] >= 7
    assert made["ServerlessV2ScalingConfiguration"] == {
        "MinCapacity": 0.0,
        "MaxCapacity": 4.0,
        "SecondsUntilAutoPause": 300,
    }
    assert not {"MasterUserPassword", "DBClusterIdentifier"} & made.keys()
    assert properties(owning(), "DatabaseInstance")["PubliclyAccessible"] is False


def test_one_that_never_pauses_has_no_time_for_it() -> None:
    made = properties(owning(database=DatabaseWish(min_capacity=0.5)), "Database")
    assert "SecondsUntilAutoPause" not in made["ServerlessV2ScalingConfiguration"]


def test_names_are_left_to_aws_so_that_a_second_stack_or_a_second_try_meets_none() -> None:
    names = {"RoleName", "LogGroupName", "ClusterName", "GroupName", "DBClusterIdentifier", "DBSubnetGroupName"}
    found = {
        (name, key)
        for name, resource in build_template(owning())["Resources"].items()
        for key in resource.get("Properties", {})
        if key in names and isinstance(resource["Properties"][key], str)
    }
    assert found == set()


# --- as text


@pytest.mark.parametrize("settings", BOTH)
def test_the_yaml_says_what_the_json_says(settings: InfraSettings) -> None:
    template = build_template(settings)
    assert yaml.safe_load(write_yaml(template)) == json.loads(write_json(template)) == template


def test_words_that_yaml_takes_for_something_else_stay_texts() -> None:
    odd = {
        "no": ["yes", "1.10", "2026-01-01", "", "a: b # c", "é\n"],
        "on": {},
        "x": [],
        "deep": [[1, [2]], {"a": 1}],
    }
    assert yaml.safe_load(write_yaml(odd)) == odd


def test_the_largest_template_fits_into_a_call() -> None:
    # CreateChangeSet, "TemplateBody"
    assert len(json.dumps(build_template(owning()), separators=(",", ":"))) < 51_200


def test_the_same_settings_give_the_same_text() -> None:
    assert write_yaml(build_template(owning())) == write_yaml(build_template(owning()))
