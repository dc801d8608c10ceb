"""Names are resolved before anything is started; what is wrong is told with what is there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from taxiway import errors
from taxiway.model.infra import Stack
from taxiway.model.task import ContainerDefinition, TaskDefinition, TaskSettings
from taxiway.ops.resolve_target import resolve_network, resolve_target, with_stack
from tests.support.fake_aws import DEFINITION, LOG, TARGET
from tests.support.fake_stacks import stack


@dataclass
class Fixed:
    """Knows one of everything."""

    definition: TaskDefinition = DEFINITION

    def get_cluster(self, name: str) -> str:
        return f"arn:{name}"

    def get_definition(self, name: str) -> TaskDefinition:
        return replace(self.definition, family=name)

    def find_subnets(self, names: Sequence[str], beside: Sequence[str]) -> dict[str, str]:
        assert beside in ((), FULL.security_groups)
        return {name: f"subnet-of-{name}" for name in names}

    def find_security_groups(self, names: Sequence[str], beside: Sequence[str]) -> dict[str, str]:
        assert all(one.startswith("subnet-of-") for one in beside)
        return {name: f"sg-of-{name}" for name in names}

    def get_stack(self, _stack: str) -> Stack:
        outputs = {"ClusterName": "of-stack", "SubnetIds": "a, b,", "AssignPublicIp": "ENABLED", "Other": "x"}
        return stack("CREATE_COMPLETE", outputs=tuple(outputs.items()))


FULL = TaskSettings(cluster="c", task_definition="f", subnets=("one", "two"), security_groups=("g",))


def container(name: str, *, is_essential: bool = True, has_log: bool = True) -> ContainerDefinition:
    return ContainerDefinition(name=name, is_essential=is_essential, log=LOG if has_log else None)


def test_names_become_what_they_stand_for() -> None:
    target = resolve_network(resolve_target(FULL, Fixed()), FULL, Fixed())
    assert (target.cluster, target.definition.family, target.container) == ("arn:c", "f", "taxiway")
    assert target.subnets == ("subnet-of-one", "subnet-of-two")
    assert target.security_groups == ("sg-of-g",)
    assert target.assign_public_ip is False
    assert target.stream_of("1") == "run/taxiway/1"


def test_a_setting_wins_over_the_stack() -> None:
    settings = with_stack(TaskSettings(stack="s", cluster="mine"), Fixed())
    assert settings.cluster == "mine"
    assert settings.subnets == ("a", "b")
    assert settings.assign_public_ip is True
    assert settings.task_definition is None
    assert with_stack(TaskSettings(stack="s", assign_public_ip=False), Fixed()).assign_public_ip is False


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (replace(FULL, cluster=None), "'cluster' of the task is not set"),
        (replace(FULL, task_definition=None), "'task_definition' of the task is not set"),
        (replace(FULL, task_definition=None, stack="s"), "the stack 's' has no output TaskDefinitionArn"),
    ],
)
def test_what_is_missing_is_named_with_every_place_where_it_could_stand(
    settings: TaskSettings, words: str
) -> None:
    with pytest.raises(errors.MissingOption, match=words):
        resolve_target(settings, Fixed())


def test_a_task_needs_a_subnet_to_start() -> None:
    with pytest.raises(errors.MissingOption, match="subnets") as caught:
        resolve_network(TARGET, TaskSettings(), Fixed())
    assert caught.value.hint == "Set subnets in [task] of taxiway.toml, or give --subnet."


def test_the_only_essential_container_is_meant() -> None:
    definition = replace(DEFINITION, containers=(container("agent", is_essential=False), container("migrations")))
    assert resolve_target(FULL, Fixed(definition)).container == "migrations"


def test_of_several_containers_one_has_to_be_named() -> None:
    definition = replace(DEFINITION, containers=(container("a"), container("migrations")))
    with pytest.raises(errors.MissingOption, match="several containers: a, migrations"):
        resolve_target(FULL, Fixed(definition))
    assert resolve_target(replace(FULL, container="a"), Fixed(definition)).container == "a"
    with pytest.raises(errors.InvalidOption) as caught:
        resolve_target(replace(FULL, container="migration"), Fixed(definition))
    assert caught.value.hint == "Did you mean 'migrations'?"


def test_a_log_that_nobody_can_read_is_refused_before_the_start() -> None:
    definition = replace(DEFINITION, containers=(container("taxiway", has_log=False),))
    with pytest.raises(errors.InvalidOption, match="does not go to CloudWatch Logs"):
        resolve_target(FULL, Fixed(definition))
