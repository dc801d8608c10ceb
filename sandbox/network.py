"""A machine of its own on this one: a network namespace that reaches us at one address, and nothing else.

Its loopback is not ours, so that what listens on 127.0.0.1 here is out of its reach, as a private database is.
"""

import os
import shutil
import subprocess
from typing import Final, Self

_OURS: Final = "10.203.77.1"
_THEIRS: Final = "10.203.77.2"


def can_make_machines() -> bool:
    """Whether this machine allows network namespaces: Linux, root, and iproute2."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    probe = subprocess.run(["ip", "netns", "exec", "taxiway-none", "true"], capture_output=True, check=False)
    if b"No such file" not in probe.stderr:
        return False
    name = f"taxiway-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", name], check=True)
    return made


class Machine:
    """``with Machine() as laptop``.

    Attributes:
        name: Of the namespace.
        gateway: Our address, as it is seen from there.
        prefix: What starts a command there.
    """

    def __init__(self) -> None:
        self.name = f"taxiway-laptop-{os.getpid()}"
        self.gateway = _OURS
        self.prefix = ("ip", "netns", "exec", self.name)

    def __enter__(self) -> Self:
        ours, theirs = f"txw{os.getpid()}a"[:15], f"txw{os.getpid()}b"[:15]
        try:
            _ip("netns", "add", self.name)
            _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", self.name)
            _ip("address", "add", f"{_OURS}/30", "dev", ours)
            _ip("link", "set", ours, "up")
            _ip("-n", self.name, "address", "add", f"{_THEIRS}/30", "dev", theirs)
            _ip("-n", self.name, "link", "set", theirs, "up")
            _ip("-n", self.name, "link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # With the namespace goes its end of the wire, and with that ours.
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
