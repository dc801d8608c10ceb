"""The sample project becomes the same repository on every machine."""

import subprocess
from pathlib import Path

import pytest

from sandbox.repository import Branch, make_repository


def git(repository: Path, *arguments: str) -> list[str]:
    command: list[str | Path] = ["git", "-c", "safe.directory=*", "-C", repository, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("repository") / "sample-project.git"
    make_repository(path)
    return path


def test_the_same_files_give_the_same_commits(tmp_path: Path) -> None:
    assert make_repository(tmp_path / "one.git") == make_repository(tmp_path / "two.git")


def test_the_first_branch_is_the_default(repository: Path) -> None:
    assert git(repository, "symbolic-ref", "HEAD") == ["refs/heads/main"]


def test_each_branch_adds_its_migration(repository: Path) -> None:
    assert git(repository, "diff", "--name-status", "main", "develop") == ["A\tsql/V1.1.0__CreateProductTable.sql"]
    assert git(repository, "diff", "--name-status", "develop", "broken") == ["A\tsql/V1.2.0__AddProductPrice.sql"]


def test_a_branch_of_ones_own_can_replace_files(tmp_path: Path) -> None:
    for name, text in (("one", "1"), ("two", "2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "V1__x.sql").write_text(text)
    branches = [Branch(name=name, message=name, added=tmp_path / name) for name in ("one", "two")]
    commits = make_repository(tmp_path / "own.git", branches)
    assert git(tmp_path / "own.git", "show", f"{commits['two']}:V1__x.sql") == ["2"]
    assert git(tmp_path / "own.git", "show", f"{commits['one']}:V1__x.sql") == ["1"]
