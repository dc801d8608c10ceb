"""Larger scripts, in ``data``: each ``.sql`` with what it is split into beside it."""

from pathlib import Path

import pytest

from taxiway.model.script import ReplacedText, Statement
from taxiway.sql.statements import split

SCRIPTS = sorted((Path(__file__).parent / "data").glob("*.sql"))


def shown(replaced: ReplacedText, statement: Statement) -> str:
    place = replaced.locate(statement.first_token)
    data = f"\n=== data\n{rows}" if (rows := "".join(statement.copy_data)) else ""
    return f"=== {place.line}:{place.column} {statement.kind.value}\n{statement.text}{data}\n"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_is_split_as_written_beside_it(script: Path) -> None:
    text = script.read_bytes().decode()
    replaced = ReplacedText(text, text)
    statements = split(replaced, path=script.name, server_version_num=170000)
    actual = "".join(shown(replaced, statement) for statement in statements)
    assert actual == script.with_suffix(".expected").read_bytes().decode()
