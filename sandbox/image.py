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
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final
from uuid import uuid4

from sandbox.directory import REPOSITORY_ROOT

# Where "make image" builds.
DIRECTORY: Final = REPOSITORY_ROOT / "build" / "image"
IMAGE: Final = "localhost/taxiway:built"

# What podman itself needs of our environment. A container has nothing of it; what it shall have under these names
# is an argument.
_OWN_VARIABLES: Final = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR")

# Files with what is noted of a container: the monitor's own name for the second.
_PID: Final = "pid"
_OUT_OF_MEMORY: Final = "oom"

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
        user: Instead of the image's.
        read_only: Whether nothing of the image's file system can be written.
        volume: Whether /tmp is a volume, which can be written.
        cpus: Of one processor.
        memory_mib: More than that, and the kernel kills a process of it. There is no swap.
    """

    image: str = IMAGE
    arguments: Sequence[str] = ()
    entry_point: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Path] = ()
    user: str | None = None
    read_only: bool = True
    volume: bool = True
    cpus: float = _CPUS
    memory_mib: int = _MEMORY_MIB


@dataclass(frozen=True, slots=True)
class Container:
    """A container that was started. ``process`` has its output, and ends with its exit code.

    In ``directory`` the engine notes what it knows of it.
    """

    engine: "Engine"
    name: str
    process: subprocess.Popen[bytes]
    directory: Path

    def find_pid(self) -> int | None:
        """The number of its first process on this machine, as soon as there is one, also after its end."""
        with suppress(FileNotFoundError):
            return int((self.directory / _PID).read_text() or 0) or None
        return None

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel has ended a process of it for that reason. Only a directory of its own tells."""
        return (self.directory / _OUT_OF_MEMORY).exists()

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
        self,
        spec: ContainerSpec,
        *,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        directory: Path | None = None,
    ) -> Container:
        """Start a container and return at once. It is removed when it ends.

        ``directory``: for what the engine notes of it; without one it is the engine's, and the notes get lost.

        podman's own failures end the process with 125, 126 (cannot be run) or 127 (no such program).
        """
        name = f"taxiway-{uuid4().hex}"
        notes = ("--pidfile", str(directory / _PID)) if directory else ()
        process = subprocess.Popen(
            [*self.command(), "run", "--name", name, *notes, *run_options(spec), spec.image, *spec.arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=_environment(spec.variables),
            # The monitor of a container that runs out of memory writes a file where it was started.
            cwd=directory or self.directory,
            # Ctrl-C in a terminal reaches us and not it.
            start_new_session=True,
        )
        return Container(self, name, process, directory or self.directory)


def run_options(spec: ContainerSpec) -> list[str]:
    """The options of ``podman run`` for a container. Values of variables are not among them, but for a few."""
    options = [
        *("--rm", "--pull", "never", "--network", "host", "--log-driver", "none"),
        *("--cap-drop", "all", "--security-opt", "no-new-privileges"),
        *("--cpus", str(spec.cpus), "--memory", f"{spec.memory_mib}m", "--memory-swap", f"{spec.memory_mib}m"),
        *("--pids-limit", str(_PROCESSES), *_LIMITS),
        *("--image-volume", "bind" if spec.volume else "ignore"),
    ]
    if spec.read_only:
        options += ["--read-only", "--read-only-tmpfs=false"]
    if spec.user:
        options += ["--user", spec.user]
    for name, value in spec.variables.items():
        options += ["--env", f"{name}={value}" if name in _OWN_VARIABLES else name]
    for path in spec.files:
        options += ["--volume", f"{path}:{path}:ro"]
    if spec.entry_point:
        options += ["--entrypoint", json.dumps([*spec.entry_point])]
    return options


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """podman's environment: it hands on the values by name, so that they are in no argument."""
    own = {name: os.environ[name] for name in _OWN_VARIABLES if name in os.environ}
    return {name: value for name, value in variables.items() if name not in _OWN_VARIABLES} | own
