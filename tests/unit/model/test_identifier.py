"""A name in double quotes is that name, whatever is in it."""

import pytest

from taxiway.model.identifier import quote_identifier


@pytest.mark.parametrize(("name", "quoted"), [("a", '"a"'), ('My "own"', '"My ""own"""'), ("a.b", '"a.b"')])
def test_quotes_inside_a_name_are_doubled(name: str, quoted: str) -> None:
    assert quote_identifier(name) == quoted
