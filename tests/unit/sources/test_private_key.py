import base64
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from taxiway.errors import SecretMalformed
from taxiway.secret import Secret
from taxiway.sources.private_key import normalise_private_key

_UNENCRYPTED = b"openssh-key-v1\0\0\0\0\x04none" + bytes(range(200))
_ENCRYPTED = b"openssh-key-v1\0\0\0\0\x0aaes256-ctr" + bytes(range(200))


def armour(content: bytes, label: str = "OPENSSH PRIVATE KEY", end: str = "\n") -> str:
    text = base64.b64encode(content).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return end.join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


@pytest.mark.parametrize(
    "change",
    [
        str.rstrip,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", r"\n"),
        lambda text: text.replace("\n", r"\r\n"),
        lambda text: text.replace("\n", " "),
        lambda text: text.replace("\n", "\n    "),
        lambda text: "\ufeff\n\n" + text + "\n\n",
        lambda text: '"' + text.replace("\n", r"\n") + '"',
    ],
)
@pytest.mark.parametrize("label", ["OPENSSH PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY"])
def test_line_ends_are_put_in_order(change: Callable[[str], str], label: str) -> None:
    text = armour(_UNENCRYPTED, label)
    assert normalise_private_key(Secret(change(text))).reveal() == text


@given(st.binary(min_size=1, max_size=300), st.sampled_from(["\n", "\r\n", "\r", r"\n", " "]))
def test_any_line_end_gives_the_same_key(content: bytes, end: str) -> None:
    assume(not content.startswith(b"openssh-key-v1"))
    label = "RSA PRIVATE KEY"
    assert normalise_private_key(Secret(armour(content, label, end))).reveal() == armour(content, label)


@pytest.mark.parametrize(
    "text",
    [
        armour(_ENCRYPTED),
        armour(b"x" * 100, "ENCRYPTED PRIVATE KEY"),
        armour(b"x" * 100, "RSA PRIVATE KEY").replace(
            "KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1
        ),
    ],
)
def test_a_key_with_a_passphrase_is_refused_before_anybody_is_asked(text: str) -> None:
    with pytest.raises(SecretMalformed, match="protected with a passphrase"):
        normalise_private_key(Secret(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not an SSH private key"),
        ("hunter2", "is not an SSH private key"),
        ('{"username": "u", "password": "hunter2"}', "is not an SSH private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2", "is not an SSH private key"),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----", "is not an SSH private key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nhunter2", "is not an SSH private key"),
        ("ssh-ed25519 AAAAhunter2 comment", "is the public half"),
        ("ecdsa-sha2-nistp256 AAAAhunter2", "is the public half"),
        ("-----BEGIN PUBLIC KEY-----\nhunter2\n-----END PUBLIC KEY-----", "is the public half"),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2!\n-----END RSA PRIVATE KEY-----", "is damaged"),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2é\n-----END RSA PRIVATE KEY-----", "is damaged"),
    ],
)
def test_what_is_no_private_key_is_refused_without_being_shown(text: str, message: str) -> None:
    with pytest.raises(SecretMalformed, match=message) as caught:
        normalise_private_key(Secret(text))
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
