"""How large the image is, and how fast it starts."""

import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from sandbox.image import IMAGE, ContainerSpec, Engine

_TIMES: Final = 5
_MIB: Final = 1024 * 1024


def print_figures(engine: Engine) -> None:
    """Print the sizes and the time that ``taxiway --version`` takes, with a whole processor and with a quarter."""
    print(f"image: {unpacked_size(engine) / _MIB:.0f} MiB, {packed_size(engine) / _MIB:.0f} MiB to download")
    for cpus in (1.0, 0.25):
        print(f"image: 'taxiway --version' takes {start_seconds(engine, cpus):.2f} s on {cpus} CPU, with podman")


def unpacked_size(engine: Engine) -> int:
    """Bytes of the image's files."""
    return int(engine.run("image", "inspect", "--format", "{{.Size}}", IMAGE))


def packed_size(engine: Engine) -> int:
    """Bytes that a registry stores and a task downloads before it starts: the layers compressed with gzip."""
    with tempfile.TemporaryDirectory(dir=engine.directory) as directory:
        command = [*engine.command("buildah"), "push", "--quiet", "--compression-format", "gzip"]
        subprocess.run([*command, IMAGE, f"oci:{directory}"], check=True, capture_output=True)
        return sum(path.stat().st_size for path in Path(directory).rglob("*") if path.is_file())


def start_seconds(engine: Engine, cpus: float) -> float:
    """The median time from starting a container to its end."""
    seconds = []
    for _ in range(_TIMES):
        begin = time.monotonic()
        spec = ContainerSpec(entry_point=("tini", "--", "taxiway"), arguments=("--version",), cpus=cpus)
        container = engine.start(spec, stdout=subprocess.DEVNULL)
        if container.process.wait(timeout=60):
            raise RuntimeError(f"'taxiway --version' ended with {container.process.returncode}")
        seconds.append(time.monotonic() - begin)
    return median(seconds)
