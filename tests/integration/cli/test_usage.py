"""What the command says before it gets to a database."""

from pathlib import Path

import pytest

import taxiway
from taxiway.cli.main import COMMANDS
from tests.support.command import complaint, run_command


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["migrat"], "Did you mean 'migrate'?"),
        (["migrate", "--ulr", "x"], "--url"),
        (["migrate", "--target"], "--target"),
        (["migrate", "stray"], "stray"),
        (["info", "--output", "xml"], "json"),
        (["info", "--placeholder", "x"], "NAME=VALUE"),
        (["--nonsense"], "--nonsense"),
        (["migrate", "-url=jdbc:postgresql://host/db"], "Write --url"),
        (["-outOfOrder=true", "migrate"], "Write --out-of-order"),
        (["migrate", "-placeholders.name=value"], "Write --placeholder"),
        (["migrate", "-licenseKey=x"], "'-licenseKey=…' is not understood"),
        (["repair"], "'repair' is not there yet"),
    ],
)
def test_wrong_usage_says_what_is_right(tmp_path: Path, arguments: list[str], words: str) -> None:
    assert words in complaint(run_command(*arguments, directory=tmp_path), 2, "configuration")


def test_the_value_of_a_flyway_argument_is_not_repeated(tmp_path: Path) -> None:
    result = run_command("migrate", "-password=hunter2", directory=tmp_path)
    assert result.returncode == 2
    assert "hunter2" not in result.stdout + result.stderr


def test_a_database_has_to_be_named(tmp_path: Path) -> None:
    assert "--url" in complaint(run_command("info", directory=tmp_path), 2, "missing-option")


def test_the_version_is_told(tmp_path: Path) -> None:
    result = run_command("--version", directory=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"taxiway {taxiway.__version__}\n", "")


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_explains_itself(tmp_path: Path, command: str, flag: str) -> None:
    result = run_command(*command.split(), flag, directory=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: taxiway {command}".rstrip())


def test_no_command_at_all_shows_the_help(tmp_path: Path) -> None:
    result = run_command(directory=tmp_path)
    assert result.returncode == 0
    assert "Commands:" in result.stdout
