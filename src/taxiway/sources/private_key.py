"""The private half of a deploy key: from what people store in a secret to what ssh accepts.

Terminology:

armour
    The lines ``-----BEGIN … PRIVATE KEY-----`` and ``-----END … PRIVATE KEY-----``, and base64 between them: both
    the PEM formats (RSA, EC, PKCS #8) and OpenSSH's own.
"""

import base64
import re
from typing import Final

from taxiway.errors import SecretMalformed
from taxiway.secret import Secret

# "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"; there are none of more words.
_LABEL: Final = r"(?:[A-Z0-9]+ ){0,3}"
_EDGE: Final = re.compile(rf"-----(?P<edge>BEGIN|END) (?P<label>{_LABEL}PRIVATE KEY)-----")
_LINE_END_IN_WORDS: Final = re.compile(r"\\[nr]")
_PUBLIC_KEY: Final = re.compile(rf"BEGIN {_LABEL}PUBLIC KEY|^\s*(?:ssh|ecdsa|sk)-[a-z0-9@.-]+ AAAA")
_LINE_LENGTH: Final = 64

# PROTOCOL.key of OpenSSH: the magic, then the name of the cipher with its length before it.
_OPENSSH_MAGIC: Final = b"openssh-key-v1\0"
_OPENSSH_NO_CIPHER: Final = _OPENSSH_MAGIC + b"\0\0\0\x04none"

_STORE_AGAIN: Final = (
    "Store the content of the private key file that ssh-keygen wrote (it starts with '-----BEGIN')."
)


def normalise_private_key(key: Secret, *, name: str = "deploy key") -> Secret:
    r"""The same key with its armour put in order.

    OpenSSH takes a key without its last line end, with CRLF, or with ``\n`` in words for a damaged one
    ("error in libcrypto"), and these are what secrets look like after a web form, Windows or JSON. Line ends that
    a form turned into spaces are put right too. ``name`` is what messages call it.

    Raises:
        SecretMalformed: It is not a private key, or one that needs a passphrase.
    """
    armour = _find_armour(key.reveal())
    if armour is None:
        raise _not_a_private_key(key, name)
    label, body = armour
    if "ENCRYPTED" in label or ",ENCRYPTED" in body:
        raise _needs_a_passphrase(name)
    text = "".join(_LINE_END_IN_WORDS.sub("", body).split())
    if _is_encrypted_openssh_key(text, name):
        raise _needs_a_passphrase(name)
    lines = [text[start : start + _LINE_LENGTH] for start in range(0, len(text), _LINE_LENGTH)]
    return Secret("\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]))


def _find_armour(text: str) -> tuple[str, str] | None:
    """The label of the first key that has an end, and what is between its beginning and that end."""
    edges = list(_EDGE.finditer(text))
    last_ends = {edge["label"]: edge.start() for edge in edges if edge["edge"] == "END"}
    for edge in edges:
        label = edge["label"]
        if edge["edge"] == "BEGIN" and last_ends.get(label, -1) >= edge.end():
            return label, text[edge.end() : text.index(f"-----END {label}-----", edge.end())]
    return None


def _is_encrypted_openssh_key(text: str, name: str) -> bool:
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        # Not "from" the cause, which may quote what it could not read.
        raise SecretMalformed(
            f"The {name} is damaged: between its first and last line is something else than base64.",
            hint=_STORE_AGAIN,
        ) from None
    return content.startswith(_OPENSSH_MAGIC) and not content.startswith(_OPENSSH_NO_CIPHER)


def _not_a_private_key(key: Secret, name: str) -> SecretMalformed:
    if _PUBLIC_KEY.search(key.reveal()):
        return SecretMalformed(f"The {name} is the public half of the pair.", hint=_STORE_AGAIN)
    return SecretMalformed(f"The {name} is not an SSH private key.", hint=_STORE_AGAIN)


def _needs_a_passphrase(name: str) -> SecretMalformed:
    return SecretMalformed(
        f"The {name} is protected with a passphrase, and there is nobody to type it.",
        hint="Make a key pair without a passphrase (ssh-keygen -t ed25519 -N '') and store its private half.",
    )
