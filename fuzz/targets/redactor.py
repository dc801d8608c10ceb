"""The filter that keeps secrets out of what is printed.

Holds: no secret is left in a text, in any notation; a text without a secret stays as it is.
"""

from typing import Final
from urllib.parse import quote

from fuzz.draw import Draw, settings_and
from fuzz.target import Target, repeated
from taxiway.secret import MASK, Redactor, Secret


def check(data: bytes) -> None:
    """See the top of this module."""
    secret, text, *others = [*Draw(data).texts(), "", ""]
    redact = Redactor([Secret(secret), *map(Secret, others)])
    masked = redact(text)
    if secret.strip() and secret.strip(MASK):
        assert secret not in masked.replace(MASK, "\0"), f"{secret!r} is left"
        for form in (secret, quote(secret, safe="", errors="surrogatepass"), repr(secret)[1:-1]):
            assert form not in redact(f"< {form} >").replace(MASK, "\0"), f"{form!r} is left"
    if not redact(""):
        assert Redactor()(text) == text


TARGET: Final = Target(
    name="redactor",
    check=check,
    modules=("taxiway.secret",),
    seeds=tuple(
        settings_and(text)
        for text in (
            "geheim\0das ist geheim",
            "a'b\\c\0x a''b\\\\c y",
            'longer secret\0syntax error at or near "secret"',
            "a line of a key\nanother line of it\0a line of a key",
            '{"a": "b"}\0{"a": "b"}',
            'geheimnis\0value geheim... "geheimn" geheim"',
            "ä€\udcff\0%C3%A4",
            "****\0a****b",
            "a\0a\0b\0c",
            "-----BEGIN X-----\nabcdefghijklmnop\n-----END X-----\0-----BEGIN X-----",
        )
    ),
    words=(
        "\0",
        "'",
        "''",
        "\\",
        '"',
        "...",
        "%27",
        "*",
        "**",
        "\n",
        "geheim",
        "{",
        "}",
        "://",
        "arn:",
        "password=",
    ),
    shapes={
        "letters": repeated("a", before="aaaab\0"),
        "beginnings": repeated("geheim", before="geheimnis\0"),
        "quotes": repeated('"', before="geheim\0"),
        "a long secret": repeated("ab", after="\0x"),
        "a long secret and its beginning": lambda times: b"ab" * times + b"\0" + b"ab" * (times // 2),
        "a long secret in JSON": repeated("[", after="\0x"),
        "lines of a secret": repeated("aaaaaaaaaaaab\n", after="\0x"),
        "stars": repeated("*", before="a**\0"),
        "secrets": lambda times: b"\0".join(b"secret%d" % number for number in range(times)),
    },
)
