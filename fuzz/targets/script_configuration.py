"""The ``.conf`` file beside a script.

Holds: a configuration, or an error that names a line of the text; no secret is in an error.
"""

from typing import Final

from fuzz.draw import Draw, settings_and
from fuzz.target import SECRET, Target, check_error, repeated, without_secret
from taxiway.errors import InvalidScriptConfiguration, UnknownPlaceholder
from taxiway.model.rules import Placeholders
from taxiway.scan.script_config import parse_script_configuration
from taxiway.secret import Secret

_PLACEHOLDERS: Final = Placeholders(
    values={"a": "true", "line": "\nencoding=x", "key": "shouldExecute", "password": Secret(SECRET)}
)
_ENVIRONMENT: Final = {"STAGE": "prod", "PASSWORD": SECRET, "LINES": f"\nx={SECRET}\n{SECRET}=1"}


def check(data: bytes) -> None:
    """See the top of this module."""
    draw = Draw(data)
    placeholders = draw.choose((Placeholders(enabled=False), _PLACEHOLDERS))
    text = without_secret(draw.text())
    try:
        parse_script_configuration(
            text, placeholders=placeholders, environment=_ENVIRONMENT, path="V1__x.sql.conf", filename="V1__x.sql"
        )
    except InvalidScriptConfiguration as error:
        # Values may hold line breaks: a key in one has a line of the text that they were put into.
        check_error(error, None if "${" in text or "\r" in text else text)
    except UnknownPlaceholder as error:
        check_error(error, text)


TARGET: Final = Target(
    name="script_configuration",
    check=check,
    modules=("taxiway.scan.script_config", "taxiway.scan.expression", "taxiway.scan.properties"),
    seeds=(
        *(
            settings_and(text, "0")
            for text in (
                "executeInTransaction=false\nplaceholderReplacement=TRUE\nencoding=UTF-8\nshouldExecute=a==a",
                "shouldExecute=${STAGE}==prod",
                "shouldExecute=${PASSWORD}",
                "encoding=${PASSWORD}",
                "executeInTransaction=${LINES}",
                "${PASSWORD}=1",
                "encodin=x",
                "encoding=nothing",
                "executeInTransaction=maybe",
                "shouldExecute=(",
            )
        ),
        *(
            settings_and(text, "1")
            for text in (
                "${key}=${a}",
                "a${line}",
                "shouldExecute=${password}",
                "${password}=x",
                "encoding=${nobody}",
                "${key}=${open",
            )
        ),
    ),
    words=(
        *("executeInTransaction", "placeholderReplacement", "encoding", "shouldExecute", "=", "true", "false"),
        *("UTF-8", "${PASSWORD}", "${LINES}", "${STAGE}", "${a}", "${line}", "${key}", "${password}", "\n"),
        *("&&", "||", "==", "!=", "(", ")", "\\\n"),
    ),
    shapes={
        "keys": repeated("encoding=UTF-8\n", settings="0"),
        "variables": repeated("${STAGE}", settings="0", before="shouldExecute="),
        "prefixes": repeated("${", settings="0", before="shouldExecute="),
        "open variables": repeated("${A", settings="0", before="shouldExecute="),
        "a long unknown key": repeated("encoding", settings="0", after="=1"),
        "a long encoding": repeated("8859_", settings="0", before="encoding="),
        "an expression": repeated("(a==a)||", settings="0", before="shouldExecute=", after="true"),
    },
)
