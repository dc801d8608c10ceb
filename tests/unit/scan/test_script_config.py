"""Script configuration files."""

from collections.abc import Mapping

import pytest

from taxiway import errors
from taxiway.model.migration import ScriptConfiguration
from taxiway.model.rules import Placeholders
from taxiway.scan.script_config import parse_script_configuration
from taxiway.secret import Secret

PLAIN_NOTATION = Placeholders(prefix="%", suffix="%", values={"env": "prod", "key": "hunter2"})


def parse(
    text: str, placeholders: Placeholders = PLAIN_NOTATION, environment: Mapping[str, str] | None = None
) -> ScriptConfiguration:
    return parse_script_configuration(
        text,
        placeholders=placeholders,
        environment=environment or {},
        path="sql/V1__a.sql.conf",
        filename="V1__a.sql",
    )


@pytest.mark.parametrize(
    ("text", "configuration"),
    [
        ("", ScriptConfiguration()),
        ("# nothing\n", ScriptConfiguration()),
        ("executeInTransaction=false", ScriptConfiguration(execute_in_transaction=False)),
        ("executeInTransaction = TRUE ", ScriptConfiguration(execute_in_transaction=True)),
        ("placeholderReplacement: False", ScriptConfiguration(placeholder_replacement=False)),
        ("encoding=ISO-8859-1", ScriptConfiguration(encoding="ISO-8859-1")),
        ("encoding=Cp1252", ScriptConfiguration(encoding="Cp1252")),
        (
            "shouldExecute=%env%==prod",
            ScriptConfiguration(should_execute=True, should_execute_expression="%env%==prod"),
        ),
        (
            "shouldExecute=(%ENV%!=prod) \\\n   && true",
            ScriptConfiguration(should_execute=False, should_execute_expression="(%ENV%!=prod) && true"),
        ),
        (
            "shouldExecute=%flyway:filename%==V1__a.sql",
            ScriptConfiguration(should_execute=True, should_execute_expression="%flyway:filename%==V1__a.sql"),
        ),
        (
            "executeInTransaction=true\nplaceholderReplacement=true\nencoding=UTF-8\nshouldExecute=false",
            ScriptConfiguration(
                execute_in_transaction=True,
                placeholder_replacement=True,
                encoding="UTF-8",
                should_execute=False,
                should_execute_expression="false",
            ),
        ),
        (
            "executeInTransaction=true\nexecuteInTransaction=false",
            ScriptConfiguration(execute_in_transaction=False),
        ),
    ],
)
def test_a_configuration(text: str, configuration: ScriptConfiguration) -> None:
    assert parse(text) == configuration


@pytest.mark.parametrize(
    ("text", "line", "reason", "hint"),
    [
        ("executeintransaction=true", 1, "unknown key 'executeintransaction'", "executeInTransaction"),
        ("\n\nflyway.mixed=true", 3, "unknown key 'flyway.mixed'", "Use one of"),
        ("=true", 1, "unknown key ''", "Use one of"),
        (
            "executeInTransaction=yes",
            1,
            "executeInTransaction cannot be 'yes': it is neither",
            "Write true or false",
        ),
        ("executeInTransaction=", 1, "cannot be '': it is neither", "Write true or false"),
        ("# x\nplaceholderReplacement=0", 2, "placeholderReplacement cannot be '0'", "Write true or false"),
        ("encoding=UTF-9", 1, "encoding cannot be 'UTF-9': there is no such", "UTF-8"),
        ("shouldExecute=%env%", 1, "shouldExecute cannot be '%env%'.", "comparison"),
        ("shouldExecute=a==b ||", 1, "shouldExecute cannot be 'a==b ||': an operand is missing", "comparison"),
    ],
)
def test_what_is_not_in_order_is_refused_with_its_place(text: str, line: int, reason: str, hint: str) -> None:
    with pytest.raises(errors.InvalidScriptConfiguration) as caught:
        parse(text)
    error = caught.value
    assert (error.path, error.line) == ("sql/V1__a.sql.conf", line)
    assert f"sql/V1__a.sql.conf:{line}: " in error.message
    assert reason in error.message
    assert hint in str(error.hint)


@pytest.mark.parametrize(
    "text",
    [
        "executeInTransaction=%key%",
        "encoding=%key%",
        "shouldExecute=x || %key%",
        "%key%=1",
        "shouldExecute=${KEY}",
    ],
)
def test_a_value_is_not_in_the_message(text: str) -> None:
    placeholders = Placeholders(prefix="%", suffix="%", values={"key": Secret("hunter2")})
    with pytest.raises(errors.InvalidScriptConfiguration) as caught:
        parse(text, placeholders, {"KEY": "hunter2"})
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


def test_a_value_of_several_lines_cannot_move_the_place_of_a_mistake() -> None:
    placeholders = Placeholders(prefix="%", suffix="%", values={"lines": "a\nencoding=UTF-8\n"})
    with pytest.raises(errors.InvalidScriptConfiguration) as caught:
        parse("shouldExecute=%lines%\nexecuteInTransaction=maybe", placeholders)
    assert caught.value.line in {1, 2}


def test_variables_are_replaced_after_placeholders_by_their_value_or_by_nothing() -> None:
    found = parse("shouldExecute=${STAGE}==%env% && ${NOBODY}==", environment={"STAGE": "prod"})
    assert found.should_execute
    assert found.should_execute_expression == "${STAGE}==%env% && ${NOBODY}=="


def test_with_the_usual_prefix_what_looks_like_a_variable_is_a_placeholder() -> None:
    with pytest.raises(errors.UnknownPlaceholder, match=r"sql/V1__a\.sql\.conf:1"):
        parse("shouldExecute=${STAGE}==prod", Placeholders(), {"STAGE": "prod"})


def test_without_placeholder_replacement_variables_are_left() -> None:
    assert parse("shouldExecute=${STAGE}==prod", Placeholders(enabled=False), {"STAGE": "prod"}).should_execute
