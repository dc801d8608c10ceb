"""Starts the container of a task: an image as what it is, or a program of this machine in its place."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sandbox.cloud.container import CannotStart, Container
from sandbox.cloud.image_container import ImageContainer
from sandbox.cloud.images import Image
from sandbox.cloud.limits import ControlGroup, can_limit
from sandbox.cloud.process_container import ProcessContainer
from sandbox.cloud.task import Task
from sandbox.image import ContainerSpec

# In units of the task definition
_CPU: Final = 1024
_TMP: Final = "/tmp"


def launch(task: Task, image: Image, environment: Mapping[str, str], directory: Path) -> Container:
    """Start it. ``directory`` is made: HOME and TMPDIR of a program, notes of the engine of a container.

    Raises:
        CannotStart: There is no such program.
    """
    command = task.container_overrides().get("command") or task.definition.command
    if image.container:
        return ImageContainer(_spec(task, image.container, command, environment), directory=directory)
    return ProcessContainer(
        (*(task.definition.entry_point or image.entry_point), *command),
        environment=environment,
        directory=directory,
        limits=_limits(task),
    )


def _spec(
    task: Task, image: str, command: tuple[str, ...] | list[str], environment: Mapping[str, str]
) -> ContainerSpec:
    definition = task.definition
    if others := set(definition.mounts) - {_TMP}:
        raise CannotStart(f"the sandbox has a volume at {_TMP} only, and none at {', '.join(sorted(others))}")
    return ContainerSpec(
        image=image,
        arguments=command,
        entry_point=definition.entry_point,
        variables=environment,
        user=definition.user,
        read_only=definition.is_read_only,
        volume=_TMP in definition.mounts,
        cpus=definition.cpu / _CPU,
        memory_mib=definition.memory,
    )


def _limits(task: Task) -> ControlGroup | None:
    if not can_limit():
        return None
    cpu_share = task.definition.cpu / _CPU if "cpu-quota" in task.faults else None
    return ControlGroup(task.id, memory_mebibytes=task.definition.memory, cpu_share=cpu_share)
