"""A page says how it was made, and goes where it is wanted."""

from pathlib import Path

import pytest

from bench.console import name_options, write_page


def test_options_are_named_as_they_are_typed() -> None:
    assert name_options(quick=True, only=["a", "b"], tool=None, loud=False) == "--quick --only a --only b"
    assert name_options(share="0.1", seed=0) == "--share 0.1 --seed 0"
    assert name_options(only=None) == ""


def test_a_page_goes_to_the_file_or_else_to_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "page.md"
    write_page("# Page\n", file)
    assert file.read_text() == "# Page\n"
    assert capsys.readouterr() == ("", f"written: {file}\n")
    write_page("# Page\n", None)
    assert capsys.readouterr() == ("# Page\n", "")
