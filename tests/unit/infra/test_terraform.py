"""CloudFormation and Terraform describe the same: resources, statements, rules, the container, inputs and outputs."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import pytest

from taxiway.infra.resource import Statement
from taxiway.infra.statements import make_roles
from taxiway.infra.template import build_template
from taxiway.model.infra import BastionWish, DatabaseWish, EndpointsWish, GithubWish, InfraSettings
from tests.support.infra import owning
from tests.support.terraform import MODULES, TERRAFORM, labelled, read_module

SCHEMA: Final = json.loads((Path(__file__).parent / "provider_schema.json").read_text(encoding="utf-8"))
ALL: Final = {name: read_module(TERRAFORM / "modules" / name) for name in MODULES}
RESOURCES: Final = {name: body for module in ALL.values() for name, body in labelled(module["resource"])}
DOCUMENTS: Final = {
    name.partition(".")[2]: body for module in ALL.values() for name, body in labelled(module.get("data", []))
}
ROOT_MODULE: Final = read_module(TERRAFORM)

TYPES: Final = {
    "AWS::EC2::Instance": "aws_instance",
    "AWS::EC2::SecurityGroup": "aws_security_group",
    "AWS::EC2::SecurityGroupEgress": "aws_vpc_security_group_egress_rule",
    "AWS::EC2::SecurityGroupIngress": "aws_vpc_security_group_ingress_rule",
    "AWS::EC2::VPCEndpoint": "aws_vpc_endpoint",
    "AWS::ECS::Cluster": "aws_ecs_cluster",
    "AWS::ECS::TaskDefinition": "aws_ecs_task_definition",
    "AWS::IAM::InstanceProfile": "aws_iam_instance_profile",
    "AWS::IAM::OIDCProvider": "aws_iam_openid_connect_provider",
    "AWS::IAM::Role": "aws_iam_role",
    "AWS::Logs::LogGroup": "aws_cloudwatch_log_group",
    "AWS::RDS::DBCluster": "aws_rds_cluster",
    "AWS::RDS::DBInstance": "aws_rds_cluster_instance",
    "AWS::RDS::DBSubnetGroup": "aws_db_subnet_group",
}
# What CloudFormation has inside of another resource, or does by itself
ONLY_TERRAFORM: Final = {
    "aws_vpc_security_group_egress_rule.task_to_aws",
    "aws_vpc_security_group_egress_rule.task_to_git",
    "aws_vpc_security_group_egress_rule.bastion_to_aws",
    "aws_iam_role_policy.execution_role",
    "aws_iam_role_policy.task_role",
    "aws_iam_role_policy.bastion_role",
    "aws_iam_role_policy.github_role",
    "terraform_data.final_snapshot",
}
# A stack is what the role reads where there is one.
ONLY_CLOUDFORMATION: Final = {"ReadTheStack"}


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def test_the_resources_are_the_same() -> None:
    interfaces = {"EcrApiEndpoint", "EcrDockerEndpoint", "LogsEndpoint", "SecretsManagerEndpoint"}
    interfaces |= {"SsmEndpoint", "SsmMessagesEndpoint"}
    wanted = {
        f"{TYPES[one['Type']]}.{'interface' if name in interfaces else snake(name)}"
        for name, one in build_template(owning())["Resources"].items()
    }
    assert RESOURCES.keys() - ONLY_TERRAFORM == wanted
    assert RESOURCES.keys() > ONLY_TERRAFORM
    [services] = [one["services"] for one in ALL["endpoints"]["locals"]]
    template = build_template(owning())["Resources"]
    for name in interfaces:
        service = template[name]["Properties"]["ServiceName"]["Fn::Sub"].removeprefix(
            "com.amazonaws.${AWS::Region}."
        )
        assert f'{name} = "{service}"' in services


@pytest.mark.parametrize("role", make_roles(owning()), ids=lambda role: role.logical_id)
def test_the_statements_are_the_same(role: Any) -> None:
    wanted = {one.sid: _of_template(one) for one in role.statements if one.sid not in ONLY_CLOUDFORMATION}
    found = {one["sid"]: _of_module(one) for one in _statements(DOCUMENTS[snake(role.logical_id)])}
    assert found == wanted


def _of_template(one: Statement) -> tuple[Any, ...]:
    conditions = {(test, key) for test, keys in one.conditions.items() for key in keys}
    return sorted(one.actions), conditions, one.why_everything is not None


def _of_module(one: Mapping[str, Any]) -> tuple[Any, ...]:
    conditions = {(each["test"], each["variable"]) for each in one.get("condition", [])}
    return sorted(one["actions"]), conditions, one["resources"] == ["*"]


def _statements(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from document.get("statement", [])
    for dynamic in document.get("dynamic", []):
        yield from dynamic["statement"]["content"]


def test_what_the_statements_are_about_is_named() -> None:
    """By its expression: a test with Terraform at hand would not tell more than these lines do."""
    found = {
        one["sid"]: one["resources"]
        for name in ("execution_role", "task_role")
        for one in _statements(DOCUMENTS[name])
    }
    assert found == {
        "WriteTheLog": ["${local.log_streams}"],
        "ReadTheRegistrySecret": "${local.registry_secrets}",
        "DecryptSecrets": "${local.secret_keys}",
        "LogInToEcr": ["*"],
        "PullTheImage": [
            "arn:${local.partition}:ecr:${local.ecr.region}:${local.ecr.account}:repository/${local.ecr.name}"
        ],
        "ReadSecrets": "${local.read_secrets}",
        "FinishRotations": "${local.rotated_secrets}",
        "LogInToTheDatabase": (
            '${[for user in var.database_users : "arn:${local.partition}:rds-db:${local.here}:dbuser:'
            '${var.database_resource_id}/${user}"]}'
        ),
    }


def test_only_the_same_services_and_one_subject_take_on_a_role() -> None:
    trusted = {
        name: {
            who["type"]: who["identifiers"] for one in _statements(DOCUMENTS[name]) for who in one["principals"]
        }
        for name in ("tasks_trust", "bastion_trust")
    }
    assert trusted == {
        "tasks_trust": {"Service": ["ecs-tasks.amazonaws.com"]},
        "bastion_trust": {"Service": ["ec2.amazonaws.com"]},
    }
    [github] = make_roles(owning())[3:]
    [statement] = _statements(DOCUMENTS["github_trust"])
    assert _of_module({**statement, "resources": []})[1] == {
        (test, key) for test, keys in github.trust["Condition"].items() for key in keys
    }


RULES: Final = [
    (name, one["Properties"])
    for name, one in build_template(owning())["Resources"].items()
    if one["Type"] in {"AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"}
]


@pytest.mark.parametrize(("name", "rule"), RULES, ids=[name for name, _ in RULES])
def test_the_rules_are_the_same(name: str, rule: Mapping[str, Any]) -> None:
    [found] = [body for key, body in RESOURCES.items() if key.endswith(f"rule.{snake(name)}")]
    assert (found["description"], found["ip_protocol"]) == (rule["Description"], rule["IpProtocol"])
    port = "${var.database_port}" if rule["FromPort"] == 5432 else rule["FromPort"]
    assert (found["from_port"], found["to_port"]) == (port, port)
    assert "cidr_ipv4" not in found
    assert ("prefix_list_id" in found) == ("DestinationPrefixListId" in rule)


def test_the_container_is_the_same() -> None:
    [container] = [one["container"] for one in ALL["task"]["locals"] if "container" in one]
    [wanted] = build_template(owning())["Resources"]["TaskDefinition"]["Properties"]["ContainerDefinitions"]
    assert {*container, "repositoryCredentials"} == {name[0].lower() + name[1:] for name in wanted}
    for name in ("EntryPoint", "User", "ReadonlyRootFilesystem", "StopTimeout", "Essential"):
        assert container[name[0].lower() + name[1:]] == wanted[name]
    assert container["linuxParameters"] == {
        "capabilities": {"drop": wanted["LinuxParameters"]["Capabilities"]["Drop"]}
    }
    assert container["logConfiguration"]["options"].keys() == wanted["LogConfiguration"]["Options"].keys()
    assert container["logConfiguration"]["options"]["mode"] == "blocking"


WISHES: Final = {
    "database": DatabaseWish,
    "bastion": BastionWish,
    "github": GithubWish,
    "endpoints": EndpointsWish,
}


def test_the_inputs_are_the_keys_of_the_file_with_the_same_defaults() -> None:
    inputs = dict(labelled(ROOT_MODULE["variable"]))
    # Region and profile are the provider's.
    known = {"name" if one.name == "stack" else one.name: one for one in fields(InfraSettings)}
    assert inputs.keys() == known.keys() - {"region", "profile"}
    for name in inputs.keys() - WISHES.keys() - {"environment", "tags"}:
        default = known[name].default
        expected = [*default] if isinstance(default, tuple) else default
        if "default" in inputs[name] and inputs[name]["default"] is not None:
            assert inputs[name]["default"] == expected, name
    for name, wish in WISHES.items():
        assert {*re.findall(r"(\w+)\s*=\s", str(inputs[name]["type"]))} >= {one.name for one in fields(wish)}


def test_every_input_and_output_is_described_and_no_secret_is_an_input() -> None:
    for module in (*ALL.values(), ROOT_MODULE):
        for kind in ("variable", "output"):
            assert all(body["description"] for _, body in labelled(module[kind]))
        assert not any("password" in name for name, _ in labelled(module["variable"]))
    assert RESOURCES["aws_rds_cluster.database"]["manage_master_user_password"] is True


def test_the_outputs_have_the_names_that_commands_look_for() -> None:
    outputs = {name for name, _ in labelled(ROOT_MODULE["output"])}
    assert outputs - {"taxiway_toml"} == {snake(name) for name in build_template(owning())["Outputs"]}


def test_every_argument_is_one_of_the_provider() -> None:
    for module in ALL.values():
        for kind in ("resource", "data"):
            for name, body in labelled(module.get(kind, [])):
                if name.startswith("aws_"):
                    _check_block(name, body, SCHEMA["types"][f"{kind} {name.partition('.')[0]}"])


def _check_block(where: str, body: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    blocks = schema.get("blocks", {})
    for name, value in body.items():
        if name == "dynamic":
            for dynamic in value:
                [(inner, made)] = dynamic.items()
                for content in made["content"]:
                    _check_block(f"{where}.{inner}", content, blocks[inner])
        elif name in blocks:
            for one in value:
                _check_block(f"{where}.{name}", one, blocks[name])
        elif name not in {"count", "for_each", "lifecycle"}:
            assert name in schema["arguments"], f"{where}.{name}"
    assert {*schema["required"]} <= body.keys(), where


def test_versions_are_pinned_in_every_module() -> None:
    for path in [TERRAFORM, *(TERRAFORM / "modules" / name for name in MODULES)]:
        [pinned] = read_module(path)["terraform"]
        assert pinned["required_version"] == ">= 1.9, < 2.0"
        assert SCHEMA["version"].startswith(pinned["required_providers"][0]["aws"]["version"].removeprefix("~> "))


def test_terraform_would_format_it_the_same() -> None:
    program = shutil.which("terraform") or shutil.which("tofu")
    if program is None:
        pytest.skip("NOT CHECKED: the format of the modules; neither terraform nor tofu is installed")
    ended = subprocess.run(
        [program, "fmt", "-check", "-recursive", "-diff", TERRAFORM], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.timeout(300)
@pytest.mark.parametrize("example", ["existing-database", "everything"])
def test_the_real_provider_accepts_the_examples(example: str, tmp_path: Path) -> None:
    """``TERRAFORM_MIRROR``: a folder with the provider, as ``terraform providers mirror`` makes it."""
    program, plugins = shutil.which("terraform"), os.environ.get("TERRAFORM_MIRROR")
    if program is None or plugins is None:
        pytest.skip("NOT CHECKED: the provider's own validation; terraform or TERRAFORM_MIRROR is missing")
    copy = tmp_path / "terraform"
    shutil.copytree(TERRAFORM, copy)
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    for command in (["init", "-backend=false", "-input=false", f"-plugin-dir={plugins}"], ["validate"]):
        ended = subprocess.run(
            [program, *command, "-no-color"],
            cwd=copy / "examples" / example,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
