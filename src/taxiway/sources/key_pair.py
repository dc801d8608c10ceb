"""SSH key pairs, made by OpenSSH's own program. The private half is at no moment on a disk, and in no argument.

ssh-keygen writes a pair to two files. The one of the private half is a named pipe here, in a directory that only
its owner can enter: what is written there goes through memory into this process. A pipe has no content that could
be left behind, even if this process is killed.
"""

import base64
import binascii
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from taxiway.errors import KeyPairFailed, SecretMalformed
from taxiway.model.deploy_key import KeyKind, KeyPair
from taxiway.secret import Secret
from taxiway.sources.private_key import normalise_private_key

_PROGRAM: Final = "ssh-keygen"
# RSA of 4096 bits takes seconds on a slow machine.
_SECONDS: Final = 60
_OPTIONS: Final = {
    KeyKind.ED25519: ("-t", "ed25519"),
    # PEM is what Git hosts and programs of before 2018 read (ssh-keygen(1), -m).
    KeyKind.RSA: ("-t", "rsa", "-b", "4096", "-m", "PEM"),
}
_WHERE: Final = "Install an OpenSSH client, which has ssh-keygen, or make a pair elsewhere and store it: "
_HINT: Final = f"{_WHERE}taxiway secrets put NAME --text < PRIVATE_KEY_FILE"


def make_key_pair(kind: KeyKind, comment: str) -> KeyPair:
    """A new pair without a passphrase: there is nobody to type one where it is used.

    Raises:
        KeyPairFailed: There is no ssh-keygen, or it could not make one.
    """
    with tempfile.TemporaryDirectory(prefix="taxiway-") as directory:
        path = Path(directory) / "key"
        private = _pipe(path)
        try:
            _run([*_OPTIONS[kind], "-q", "-N", "", "-C", comment, "-f", str(path)], b"y\n")
            text = os.read(private, 65_536)
        finally:
            os.close(private)
        public = path.with_name("key.pub").read_text(encoding="utf-8").strip()
    # What is read again is what ssh will read.
    return KeyPair(normalise_private_key(Secret(text.decode())), public)


def read_public_half(private: Secret) -> str:
    """The public half of a private one, in whatever state people have stored that.

    Raises:
        SecretMalformed: It is no private key, or one that needs a passphrase.
        KeyPairFailed: There is no ssh-keygen.
    """
    key = normalise_private_key(private)
    try:
        return _run(["-y", "-P", "", "-f", "/dev/stdin"], key.reveal().encode()).strip()
    except KeyPairFailed as error:
        if shutil.which(_PROGRAM) is None:
            raise
        raise SecretMalformed(
            f"The deploy key is damaged: {error.message}",
            hint="Make another one: taxiway deploy-key create --replace",
        ) from None


def fingerprint(public: str) -> str:
    """``SHA256:…`` of a public half, as ``ssh-keygen -l`` shows it.

    Raises:
        SecretMalformed: It is none.
    """
    parts = public.split()
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except (IndexError, binascii.Error):
        raise SecretMalformed("That is no public key.", hint="Give a line such as 'ssh-ed25519 AAAA…'.") from None
    return f"SHA256:{base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"


def _pipe(path: Path) -> int:
    """A named pipe that is open for reading: no writer waits, and what was written stays until it is read."""
    try:
        os.mkfifo(path, 0o600)
    except (AttributeError, OSError) as error:
        raise KeyPairFailed(f"There are no named pipes here: {error}", hint=_HINT) from error
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def _run(arguments: Sequence[str], stdin: bytes) -> str:
    program = shutil.which(_PROGRAM)
    if program is None:
        raise KeyPairFailed(f"The program '{_PROGRAM}' was not found on the PATH.", hint=_HINT)
    try:
        ended = subprocess.run(  # noqa: S603 - an absolute path, no shell, and nothing confidential in the arguments
            [program, *arguments],
            input=stdin,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"},
        )
    except subprocess.TimeoutExpired:
        # Not "from" the cause, which has the input.
        raise KeyPairFailed(f"{_PROGRAM} did not end within {_SECONDS} s.", hint=_HINT) from None
    except OSError as error:
        raise KeyPairFailed(f"{_PROGRAM} could not be started: {error.strerror}.", hint=_HINT) from error
    if ended.returncode != 0:
        words = ended.stderr.decode(errors="replace").strip() or f"exit code {ended.returncode}"
        raise KeyPairFailed(f"{_PROGRAM} failed: {words}", hint=_HINT)
    return ended.stdout.decode(errors="replace")
