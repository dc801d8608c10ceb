"""What went wrong, from what git and ssh wrote.

Both end with 128 whatever the cause, so the text has to tell. All of it is searched: the telling line is seldom
the last one. They run with ``LC_ALL=C``, and these words have been the same for many versions of either.
"""

import re
from dataclasses import dataclass
from typing import Final

from taxiway.errors import (
    GitAuthRejected,
    GitFailed,
    GitHostKeyRejected,
    GitRepositoryNotFound,
    GitUnreachable,
    SecretMalformed,
    SourceError,
    TaxiwayError,
)
from taxiway.sources.git_remote import Remote

_LINES_SHOWN: Final = 5


def is_branch_missing(stderr: str) -> bool:
    """Whether git found the repository and not the branch."""
    return re.search(r"Remote branch .* not found in upstream", stderr) is not None


def explain(stderr: str, remote: Remote) -> TaxiwayError:
    """The error for a git that failed; the telling line of ``stderr`` is part of its message."""
    # The other side can write here too: nothing but printable text reaches the terminal.
    lines = ["".join(filter(str.isprintable, line)).strip() for line in stderr.splitlines()]
    for cause in _CAUSES:
        if telling := next((line for line in lines if re.search(cause.pattern, line, re.IGNORECASE)), None):
            return cause.error(remote, telling)
    return GitFailed(
        f"git failed for {remote.display}:\n" + "\n".join([line for line in lines if line][-_LINES_SHOWN:]),
        hint=f"Try 'git ls-remote {remote.display}' from the same network.",
    )


def timed_out(remote: Remote, seconds: float) -> GitUnreachable:
    """The error for a git that was ended because it took too long."""
    return GitUnreachable(
        f"{_who(remote)} did not deliver {remote.display} within {seconds:g} s.", hint=_check_network(remote)
    )


@dataclass(frozen=True, slots=True)
class _Cause:
    """One way to fail. ``message`` and ``hint`` may name ``{host}``, ``{repository}`` and ``{network}``."""

    pattern: str
    raises: type[SourceError | SecretMalformed]
    message: str
    hint: str

    def error(self, remote: Remote, telling: str) -> TaxiwayError:
        """The error, with the line that gave it away."""
        words = {"host": _who(remote), "repository": remote.display, "network": _check_network(remote)}
        return self.raises(f"{self.message.format(**words)} ({telling})", hint=self.hint.format(**words))


def _who(remote: Remote) -> str:
    return remote.host or "This machine"


def _check_network(remote: Remote) -> str:
    if not remote.host:
        return "Check the disk that the repository is on."
    return (
        f"Check that {remote.host} can be reached from here: a task in a private subnet needs a route to it "
        "(NAT gateway) and a security group that lets its port out."
    )


# The first that matches wins: ssh says "Permission denied" after a key that it could not load, and git
# says "the remote end hung up unexpectedly" after nearly everything.
_CAUSES: Final = (
    _Cause(
        r"host key is known for",
        GitHostKeyRejected,
        "The host key of {host} is not known.",
        "Compare the key's fingerprint with the one that the owner of the host publishes, "
        "then give its known_hosts line in TAXIWAY_SSH_KNOWN_HOSTS.",
    ),
    _Cause(
        r"Host key for .* has changed|no matching host key type|Host key verification failed",
        GitHostKeyRejected,
        "{host} showed another host key than the one that is known: it may be somebody else.",
        "Compare the key's fingerprint with the one that the owner of the host publishes, and replace the "
        "known_hosts line only if they agree.",
    ),
    _Cause(
        r"Load key .*(?:libcrypto|invalid format|unknown or unsupported key type)",
        SecretMalformed,
        "ssh cannot read the private key for {host}.",
        "Store the content of the private key file that ssh-keygen wrote, whole and unchanged.",
    ),
    _Cause(
        r"Permission denied \(|Too many authentication failures|Authentication failed|could not read Username|"
        r"could not read Password|returned error: 40[13]|invalid credentials",
        GitAuthRejected,
        "{host} refused the key for {repository}.",
        "Add the public half of the key to the repository as a deploy key.",
    ),
    _Cause(
        r"dubious ownership",
        GitFailed,
        "git does not read {repository}, because it belongs to another user of this machine.",
        "Run Taxiway as the owner of that directory, or give it to the user who runs Taxiway (chown -R).",
    ),
    _Cause(
        r"Repository not found|does not appear to be a git repository|repository does not exist|"
        r"repository '.*' (?:does not exist|not found)|project you were looking for could not be found|"
        r"returned error: 404",
        GitRepositoryNotFound,
        "{host} has no repository {repository}, or does not show it to this key.",
        "Check owner and name, and that the deploy key belongs to this repository.",
    ),
    _Cause(
        r"Could not resolve host|Connection refused|timed out|Network is unreachable|No route to host|"
        r"Connection closed|Connection reset|Failed to connect|not responding|broken pipe|early EOF|"
        r"hung up unexpectedly|kex_exchange_identification|"
        r"unable to access 'https:",
        GitUnreachable,
        "{host} cannot be reached.",
        "{network}",
    ),
)
