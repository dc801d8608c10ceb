"""What went wrong, from what ssh wrote: it ends with 255 whatever the cause. It runs with ``LC_ALL=C``."""

import re
from dataclasses import dataclass
from typing import Final

from taxiway.errors import (
    BastionAuthRejected,
    BastionFailed,
    BastionForwardRefused,
    BastionHostKeyRejected,
    BastionUnreachable,
    TunnelDatabaseUnreachable,
    TunnelError,
)

_LINES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class _Cause:
    """One way to fail. ``message`` and ``hint`` may name ``{bastion}`` and ``{destination}``."""

    pattern: str
    raises: type[TunnelError]
    message: str
    hint: str

    def error(self, bastion: str, destination: str, telling: str) -> TunnelError:
        """The error, with the line that gave it away."""
        words = {"bastion": bastion, "destination": destination}
        return self.raises(f"{self.message.format(**words)} ({telling})", hint=self.hint.format(**words))


# The first that matches wins.
_CAUSES: Final = (
    _Cause(
        r"host key is known for",
        BastionHostKeyRejected,
        "The host key of {bastion} is not known.",
        "Take it from whoever runs the bastion (its /etc/ssh/ssh_host_ed25519_key.pub), and set it as host_key in "
        "[tunnel].",
    ),
    _Cause(
        r"Host key for .* has changed|no matching host key type|Host key verification failed|HOST IDENTIFICATION",
        BastionHostKeyRejected,
        "{bastion} showed another host key than the one that is known: it may be somebody else.",
        "Ask whoever runs the bastion whether its key was changed, and replace host_key in [tunnel] only then.",
    ),
    _Cause(
        r"Permission denied \(|Too many authentication failures|Authentication failed|agent refused operation",
        BastionAuthRejected,
        "{bastion} refused the key.",
        "Check the user, and put the public half of the key into its authorized_keys.",
    ),
    _Cause(
        r"administratively prohibited|forwarding (?:is )?disabled|prohibited by administrator",
        BastionForwardRefused,
        "{bastion} does not forward to {destination}.",
        'Allow it in its authorized_keys, permitopen="{destination}", and in PermitOpen and AllowTcpForwarding of '
        "its sshd_config.",
    ),
    _Cause(
        r"open failed: connect failed|open failed: unknown channel",
        TunnelDatabaseUnreachable,
        "{bastion} cannot connect to {destination}.",
        "Let the security group of the database admit that of the bastion on this port, and check the name.",
    ),
    _Cause(
        r"Could not resolve hostname|Connection refused|timed out|Network is unreachable|No route to host|"
        r"Connection closed|Connection reset|not responding|[Bb]roken pipe|kex_exchange_identification|"
        r"banner exchange|closed by remote host",
        BastionUnreachable,
        "{bastion} cannot be reached.",
        "Check the name and the port, and that the bastion admits the address of this machine.",
    ),
)


def explain(stderr: str, *, bastion: str, destination: str) -> TunnelError:
    """The error for an ssh that has failed; the telling line of ``stderr`` is part of its message."""
    known = find_cause(stderr, bastion=bastion, destination=destination)
    if known:
        return known
    shown = "\n".join([line for line in _lines(stderr) if line][-_LINES_SHOWN:]) or "it wrote nothing"
    return BastionFailed(f"ssh to {bastion} failed:\n{shown}", hint=f"Try 'ssh -v {bastion}' from here.")


def find_cause(stderr: str, *, bastion: str, destination: str) -> TunnelError | None:
    """The same where the cause is known."""
    lines = _lines(stderr)
    for cause in _CAUSES:
        if telling := next((line for line in lines if re.search(cause.pattern, line)), None):
            return cause.error(bastion, destination, telling)
    return None


def last_line(stderr: str) -> str:
    """What ssh wrote last."""
    return next((line for line in reversed(_lines(stderr)) if line), "ssh has ended")


def _lines(stderr: str) -> list[str]:
    # The other side can write here too: nothing but printable text reaches the terminal.
    return ["".join(filter(str.isprintable, line)).strip() for line in stderr.splitlines()]
