"""Private keys as they are found in secrets.

Holds: a key or SecretMalformed, whose words have nothing of the key; a key that was put in order stays as it is.
"""

from typing import Final

from fuzz.draw import Draw, settings_and
from fuzz.target import Target, repeated
from taxiway.errors import SecretMalformed
from taxiway.secret import Secret
from taxiway.sources.private_key import normalise_private_key

_TELLING: Final = 24


def check(data: bytes) -> None:
    """See the top of this module."""
    text = Draw(data).text()
    try:
        key = normalise_private_key(Secret(text))
    except SecretMalformed as error:
        said = f"{error}\n{error.hint}"
        lines = (line.strip() for line in text.split("\n"))
        assert not any(line in said for line in lines if len(line) >= _TELLING and not line.startswith("-----"))
        return
    assert normalise_private_key(key) == key, "put in order twice, it is another one"
    assert key.reveal().endswith("-----\n")


_BEGIN: Final = "-----BEGIN OPENSSH PRIVATE KEY-----"
_END: Final = "-----END OPENSSH PRIVATE KEY-----"
_PLAIN: Final = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ=="
_ENCRYPTED: Final = "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0"

TARGET: Final = Target(
    name="private_key",
    check=check,
    modules=("taxiway.sources.private_key",),
    seeds=tuple(
        settings_and(text)
        for text in (
            f"{_BEGIN}\n{_PLAIN}\n{_END}\n",
            f"{_BEGIN}\\n{_PLAIN}\\n{_END}",
            f"{_BEGIN} {_PLAIN} {_END}\r\n",
            f"{_BEGIN}\n{_ENCRYPTED}\n{_END}\n",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nQUJD\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nQUJD\n-----END ENCRYPTED PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\n?\n-----END PRIVATE KEY-----",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----",
            "",
        )
    ),
    words=(
        _BEGIN,
        _END,
        "-----BEGIN ",
        "PRIVATE KEY-----",
        "-----END ",
        "RSA ",
        "ENCRYPTED",
        "\\n",
        "\n",
        "AAAA",
        "ssh-",
    ),
    shapes={
        "base64": repeated("QUJD", before=f"{_BEGIN}\n", after=f"\n{_END}"),
        "beginnings": repeated("-----BEGIN PRIVATE KEY-----"),
        "different beginnings": repeated("-----BEGIN A PRIVATE KEY----------END PRIVATE KEY-----"),
        "words of a label": repeated("A ", before="-----BEGIN "),
        "labels of a public key": repeated("A ", before="BEGIN "),
        "many words": repeated("BEGIN A "),
        "hyphens": repeated("-"),
        "line ends in words": repeated("\\n", before=_BEGIN, after=_END),
        "blanks": repeated(" \n"),
        "names of a public key": repeated("ssh-"),
    },
)
