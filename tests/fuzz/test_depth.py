"""Nothing that is nested deeply ends the interpreter: neither its stack nor its memory."""

import pytest

from fuzz.draw import settings_and
from fuzz.targets import get_target

DEEP = 10_000
SQL = "0000000"
LAUGHS = '[flyway.placeholders]\nk0 = "ha"\n' + "".join(
    f'k{number} = "{f"${{placeholder:k{number - 1}}}" * 10}"\n' for number in range(1, 40)
)
SILENT_LAUGHS = LAUGHS.replace('"ha"', '""')
CHAIN = '[flyway.placeholders]\nk0 = "x"\n' + "".join(
    f'k{number} = "${{placeholder:k{number - 1}}}"\n' for number in range(1, DEEP)
)
CHAIN_FROM_ITS_END = "\n".join(["[flyway.placeholders]", *reversed(CHAIN.splitlines()[1:])])

NESTED = {
    "parentheses": ("sql", SQL, "(" * DEEP + ")" * DEEP),
    "open parentheses": ("sql", SQL, "(" * DEEP),
    "comments": ("sql", SQL, "/*" * DEEP + "*/" * DEEP + "select 1"),
    "open comments": ("sql", SQL, "/*" * DEEP),
    "bodies of routines": ("sql", SQL, "create function f() " + "begin atomic " * DEEP + "end; " * DEEP),
    "options in parentheses": ("sql", SQL, "reindex " + "(" * DEEP + ")" * DEEP),
    "columns in parentheses": ("sql", SQL, "copy t " + "(" * DEEP + ")" * DEEP + " from stdin;"),
    "placeholders in placeholders": ("placeholders", "0000", "${" * DEEP + "}" * DEEP),
    "expressions": ("expression", "", "(" * DEEP + "true" + ")" * DEEP),
    "open expressions": ("expression", "", "(" * DEEP),
    "arrays": ("taxiway_toml", "0", "[flyway]\nlocations = " + "[" * DEEP + "]" * DEEP),
    "inline tables": ("taxiway_toml", "0", "flyway = " + "{a = " * DEEP + "1" + "}" * DEEP),
    "tables": ("taxiway_toml", "0", "[flyway" + ".a" * DEEP + "]\n"),
    "tables within the limit": ("taxiway_toml", "0", "[flyway" + ".a" * 60 + "]\n"),
    "dotted keys": ("flyway_toml", "0", "[flyway]\n" + "a." * DEEP + "a = 1"),
    "dotted keys of an inline table": ("flyway_toml", "0", "flyway = {" + "a." * DEEP + "a = 1}"),
    "references": ("flyway_toml", "0", '[flyway]\ntable = "' + "${a." * DEEP + "}" * DEEP + '"'),
    "placeholders that refer to placeholders": ("taxiway_toml", "0", CHAIN),
    "placeholders that refer to placeholders below": ("taxiway_toml", "0", CHAIN_FROM_ITS_END),
    "placeholders that refer to each ten times": ("taxiway_toml", "0", LAUGHS),
    "empty placeholders that refer to each ten times": ("taxiway_toml", "0", SILENT_LAUGHS),
    "folders": ("wildcard", "", "**/" * 1_000 + "\0" + "a/" * 1_000),
    "a secret in JSON": ("redactor", "", "[" * DEEP + "\0x"),
    "parts of a version": ("version", "", "1." * DEEP + "1"),
    "lines that go on": ("properties", "", "a\\\n" * DEEP),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("name", "settings", "text"), NESTED.values(), ids=NESTED)
def test_deep_nesting_is_read_or_refused(name: str, settings: str, text: str) -> None:
    get_target(name).check(settings_and(text, settings))
