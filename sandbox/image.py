"""Containers of the image on this machine, held to what Fargate gives a task: podman and runc, without a daemon.

Images and containers lie below one directory. Those of the machine's own engine are neither seen nor changed.

Terminology:

engine
    podman and buildah with that directory.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final
from uuid import uuid4

from sandbox.directory import REPOSITORY_ROOT

# Where "make image" builds.
DIRECTORY: Final = REPOSITORY_ROOT / "build" / "image"
IMAGE: Final = "localhost/taxiway:built"

# What podman itself needs of our environment. A container has nothing of it.
_OWN_VARIABLES: Final = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR")

# The smallest size of Fargate. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
_CPUS: Final = 0.25
_MEMORY_MIB: Final = 512
_PROCESSES: Final = 256
# Said, because podman would raise them, which not every root may do.
_LIMITS: Final = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """What a task definition says of a container.

    Attributes:
        arguments: The command; empty for that of the image.
        entry_point: Instead of the image's, if it is not empty.
        variables: The whole environment besides what the image sets.
        files: Files and directories of this machine, which it sees at the same place and cannot change.
        volume: Whether /tmp is a volume as on Fargate; otherwise nothing is writable.
        cpus: Of one processor.
        memory_mib: More than that, and the kernel kills a process of it. There is no swap.
    """

    image: str = IMAGE
    arguments: Sequence[str] = ()
    entry_point: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Path] = ()
    volume: bool = True
    cpus: float = _CPUS
    memory_mib: int = _MEMORY_MIB


@dataclass(frozen=True, slots=True)
class Container:
    """A container that was started. ``process`` has its output, and ends with its exit code."""

    engine: "Engine"
    name: str
    process: subprocess.Popen[bytes]

    def stop(self, *, seconds: int = 30) -> None:
        """SIGTERM, and SIGKILL when it is still there after so many seconds, as ECS does with ``stopTimeout``."""
        self.engine.run("stop", "--ignore", "--time", str(seconds), self.name)

    def kill(self) -> None:
        """SIGKILL at once; harmless when it has ended."""
        if self.process.poll() is None:
            self.engine.run("kill", self.name, check=False)


@dataclass(frozen=True, slots=True)
class Engine:
    """podman and buildah with images and containers of their own below ``directory``."""

    directory: Path = DIRECTORY

    def command(self, program: str = "podman") -> list[str]:
        """The beginning of a command line of podman or buildah."""
        store = ["--root", f"{self.directory}/store", "--runroot", f"{self.directory}/run"]
        if program == "buildah":
            return [program, *store, "--storage-driver", "overlay"]
        # systemd is not the first process in every place where this runs, and crun wants the newer cgroups.
        places = ["--tmpdir", f"{self.directory}/run/libpod", "--volumepath", f"{self.directory}/volumes"]
        engine = ["--cgroup-manager", "cgroupfs", "--runtime", "runc", "--events-backend", "none"]
        return [program, *store, "--storage-driver", "overlay", *places, *engine]

    def run(self, *arguments: str, check: bool = True) -> str:
        """Run podman to its end and return what it prints.

        Raises:
            subprocess.CalledProcessError: It failed, and ``check`` was asked for.
        """
        command = [*self.command(), *arguments]
        return subprocess.run(command, check=check, capture_output=True, text=True).stdout

    def has_image(self, image: str = IMAGE) -> bool:
        """Whether there is such an image in this engine."""
        command = [*self.command(), "image", "exists", image]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def start(
        self, spec: ContainerSpec, *, stdout: int | IO[bytes] | None = None, stderr: int | IO[bytes] | None = None
    ) -> Container:
        """Start a container and return at once. It is removed when it ends.

        podman's own failures end the process with 125, 126 (cannot be run) or 127 (no such program).
        """
        name = f"taxiway-{uuid4().hex}"
        process = subprocess.Popen(
            [*self.command(), "run", "--name", name, *run_options(spec), spec.image, *spec.arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=_environment(spec.variables),
            # The monitor of a container that runs out of memory writes a file where it was started.
            cwd=self.directory,
            # Ctrl-C in a terminal reaches us and not it.
            start_new_session=True,
        )
        return Container(self, name, process)


def run_options(spec: ContainerSpec) -> list[str]:
    """The options of ``podman run`` for a container. Values of variables are not among them."""
    options = [
        *("--rm", "--pull", "never", "--network", "host", "--log-driver", "none"),
        *("--read-only", "--read-only-tmpfs=false", "--cap-drop", "all", "--security-opt", "no-new-privileges"),
        *("--cpus", str(spec.cpus), "--memory", f"{spec.memory_mib}m", "--memory-swap", f"{spec.memory_mib}m"),
        *("--pids-limit", str(_PROCESSES), *_LIMITS),
        *("--image-volume", "bind" if spec.volume else "ignore"),
    ]
    for name in spec.variables:
        options += ["--env", name]
    for path in spec.files:
        options += ["--volume", f"{path}:{path}:ro"]
    if spec.entry_point:
        options += ["--entrypoint", json.dumps([*spec.entry_point])]
    return options


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """podman's environment: it hands on the values by name, so that they are in no argument."""
    own = {name: os.environ[name] for name in _OWN_VARIABLES if name in os.environ}
    if both := own.keys() & variables.keys():
        raise ValueError(f"These are podman's own variables: {', '.join(sorted(both))}")
    return own | dict(variables)
