"""What the figures were taken on."""

import os
import platform
import re
from pathlib import Path


def describe_machine() -> str:
    """Cores, processor, memory, kernel and Python, in a line; without what the machine is called."""
    parts = (f"{os.cpu_count()} cores", _processor(), _memory(), f"{platform.system()} {_release()}")
    return ", ".join([*(part for part in parts if part), f"Python {platform.python_version()}"])


def _release() -> str:
    """The first two numbers: what is behind them says more of who has built it than of the kernel."""
    return ".".join(platform.release().split(".")[:2])


def _processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return found[1] if found else platform.machine()


def _memory() -> str:
    found = re.search(r"^MemTotal:\s*(\d+) kB$", _read("/proc/meminfo"), re.MULTILINE)
    return f"{int(found[1]) / (1 << 20):.0f} GiB" if found else ""


def _read(path: str) -> str:
    return Path(path).read_text() if Path(path).exists() else ""
