"""The page of all options is made from the table, and the repository has the newest one."""

from pathlib import Path

import pytest

from taxiway.config.option import Option
from taxiway.config.options import OPTIONS
from tools import reference

ROOT = Path(__file__).resolve().parents[3]
PAGE = Path("docs/reference/configuration.md")


def test_the_page_in_the_repository_is_up_to_date() -> None:
    assert reference.main(["--check"], ROOT) == 0


def test_checking_changes_nothing_and_names_the_stale_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / PAGE).parent.mkdir(parents=True)
    (tmp_path / PAGE).write_text("old", encoding="utf-8")
    assert reference.main(["--check"], tmp_path) == 1
    assert (tmp_path / PAGE).read_text(encoding="utf-8") == "old"
    assert "docs/reference/configuration.md is not up to date" in capsys.readouterr().err


def test_writing_makes_the_page_that_checking_accepts(tmp_path: Path) -> None:
    assert reference.main([], tmp_path) == 0
    assert reference.main(["--check"], tmp_path) == 0


def test_other_arguments_are_wrong_usage(tmp_path: Path) -> None:
    assert reference.main(["--chek"], tmp_path) == 2
    assert not (tmp_path / PAGE).exists()


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_every_option_has_its_section(option: Option) -> None:
    page = reference.render_configuration(OPTIONS)
    section = page.partition(f"\n### {option.key}\n")[2].partition("\n### ")[0]
    facts = [option.help, option.path, option.environment_variable, option.flag, option.differs]
    assert all(fact in section for fact in facts if fact)
