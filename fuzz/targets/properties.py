"""The syntax of ``flyway.conf`` and of script configurations.

Holds: any text is read without an error; the lines of the properties grow and are in the text; a property that is
written again in one line is read again as the same.
"""

from typing import Final

from fuzz.draw import Draw, settings_and
from fuzz.target import Target, repeated
from taxiway.scan.properties import parse_properties


def check(data: bytes) -> None:
    """See the top of this module."""
    text = Draw(data).text()
    last, lines = 0, len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    for one in parse_properties(text):
        assert last < one.line <= lines, "lines do not grow, or are not in the text"
        last = one.line
        if one.key.startswith(("#", "!")):
            # Behind a backslash such a line is no comment; on a line of its own it would be.
            continue
        again = parse_properties(f"\n{one.key}={one.value}")
        assert [(other.key, other.value) for other in again] == [(one.key, one.value)], "written again it differs"


TARGET: Final = Target(
    name="properties",
    check=check,
    modules=("taxiway.scan.properties",),
    seeds=tuple(
        settings_and(text)
        for text in (
            "a=b\nc : d\ne f\n# g\n! h\n\n i = j \\\n  k\r\nl=m\\\n\nn=C:\\x\\\nflyway.o=p",
            "\ufeffa=b\r=c\n:d\n=",
            "a=\\\n\\\n\\\nb",
        )
    ),
    words=("=", ":", " ", "\t", "\f", "\\\n", "\r\n", "\n", "\r", "#", "!", "flyway.", "\ufeff", "\\"),
    shapes={
        "lines": repeated("a=b\n"),
        "continued lines": repeated("a\\\n"),
        "one long key": repeated("a"),
        "one long value": repeated("a", before="k="),
        "blanks": repeated(" ", before="a"),
        "blanks and letters": repeated(" a"),
        "backslashes": repeated("\\"),
        "line ends": repeated("\r"),
        "comments": repeated("#\n"),
        "equals signs": repeated("="),
        "form feeds": repeated("\f", before="a", after="b"),
    },
)
