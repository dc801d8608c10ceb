"""The replacement of placeholders.

Holds: each replacement stands where a prefix begins and a suffix ends; with the values taken back the text is the
source; the way back leads into the source; values of secrets are in no error.
"""

from collections.abc import Mapping
from typing import Final

from fuzz.draw import Draw, settings_and
from fuzz.target import SECRET, Target, check_error, repeated, without_secret
from taxiway.errors import UnknownPlaceholder
from taxiway.model.rules import Placeholders
from taxiway.model.script import ReplacedText
from taxiway.secret import Secret
from taxiway.sql.placeholders import replace

_VALUES: Final[Mapping[str, str | Secret]] = {
    "a": "x",
    "empty": "",
    "B": "${a}",
    "password": Secret(SECRET),
    "": "nameless",
    "${": "odd",
}
_PREFIXES: Final = ("${", "$", "aab", "{{", "__", "\n#")
_SUFFIXES: Final = ("}", "$", "b", "}}", "__", "\n")


def check(data: bytes) -> None:
    """See the top of this module."""
    draw = Draw(data)
    placeholders = Placeholders(
        values=_VALUES,
        built_in={"flyway:table": "t", "flyway/table": "t"},
        prefix=draw.choose(_PREFIXES),
        suffix=draw.choose(_SUFFIXES),
        separator=draw.choose((":", "/")),
    )
    filename = draw.choose(("V1__x.sql", None))
    source = without_secret(draw.text())
    try:
        replaced = replace(source, placeholders, path="V1__x.sql", filename=filename)
    except UnknownPlaceholder as error:
        check_error(error, source)
        return
    _check(replaced, placeholders)


def _check(replaced: ReplacedText, placeholders: Placeholders) -> None:
    pieces: list[str] = []
    end = source_end = 0
    for one in replaced.replacements:
        assert source_end <= one.source_start < one.source_end, "replacements overlap in the source"
        assert end <= one.start <= one.end, "replacements overlap in the text"
        written = replaced.source[one.source_start : one.source_end]
        assert written.startswith(placeholders.prefix), "a replacement without its prefix"
        assert written.endswith(placeholders.suffix), "a replacement without its suffix"
        pieces += replaced.text[end : one.start], written
        end, source_end = one.end, one.source_end
        assert one.source_end <= replaced.source_offset(one.end) <= len(replaced.source)
    assert "".join([*pieces, replaced.text[end:]]) == replaced.source, "the way back leads elsewhere"


TARGET: Final = Target(
    name="placeholders",
    check=check,
    modules=("taxiway.sql.placeholders",),
    seeds=(
        *(
            settings_and(text, "0000")
            for text in (
                "${a} $${a} $$${a} ${A}${empty}${password}\n${flyway:table} ${flyway:filename}",
                "${flyway:nothing}",
                "${passwort}",
                "\n\n ${open",
                "${${}",
                "${}",
            )
        ),
        settings_and("aaab aabab aab", "2200"),
        settings_and("{{a}} {{{a}}}", "3300"),
        settings_and("__a__ __password__", "4400"),
        settings_and("\n#a\n\n\n#flyway/filename\n", "5511"),
    ),
    words=(*_PREFIXES, *_SUFFIXES, "${a}", "${password}", "${flyway:table}", "flyway:", "filename", "empty", "B"),
    shapes={
        "placeholders": repeated("${a}", settings="0000"),
        "placeholders, unknown one last": repeated("${a}", settings="0000", after="${nobody}"),
        "prefixes": repeated("${", settings="0000"),
        "prefixes in a name": repeated("${", settings="0000", after="}"),
        "dollars": repeated("$", settings="0000", after="${a}"),
        "half prefixes": repeated("aa", settings="2000", after="b"),
        "a long unknown name": repeated("a", settings="0000", before="${", after="}"),
        "many lines": repeated("\n", settings="0000", after="${nobody}"),
        "suffixes": repeated("}", settings="0000", after="${a}"),
    },
)
