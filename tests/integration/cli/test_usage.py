"""What the command says before it gets to a database."""

import json
from pathlib import Path

import pytest

import taxiway
from taxiway.cli.group import COMMANDS
from tests.support.command import complaint, run_command


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["migrat"], "Did you mean 'migrate'?"),
        (["migrate", "--ulr", "x"], "There is no option '--ulr' of 'taxiway migrate'. Did you mean '--url'?"),
        (["info", "--no-out-of-ordre"], "Did you mean '--no-out-of-order'?"),
        (["migrate", "--debug=3"], "Run 'taxiway migrate --help'"),
        (["--url", "x"], "--url is an option of a command, and none is named."),
        (["--output", "text"], "taxiway info --url"),
        (["migrate", "-ulr", "x"], "There is no flag '-ulr'"),
        (["migrate", "--target"], "--target"),
        (["migrate", "stray"], "stray"),
        (["info", "--output", "xml"], "json"),
        (["info", "--placeholder", "x"], "NAME=VALUE"),
        (["--nonsense"], "There is no option '--nonsense' of 'taxiway'."),
        (["repare"], "Did you mean 'repair'?"),
        (["repair", "--plan", "plan"], "There is no command 'plan'"),
        (["migrate", "--plan"], "--plan belongs to 'repair'"),
        (["add", "one", "--description", "two"], "given twice"),
        (["add", "--type", "unknown"], "versioned"),
        (["init", "--database-type", "oracle"], "only PostgreSQL"),
        (["config", "outOfOrdre"], "Did you mean 'outOfOrder'?"),
        (["run", "run", "develop"], "One branch is run at a time, and 2 are named: run, develop."),
        (["run", "sh", "-c", "id"], "There is no option '-c' of 'taxiway run'."),
    ],
)
def test_wrong_usage_says_what_is_right(tmp_path: Path, arguments: list[str], words: str) -> None:
    assert words in complaint(run_command(*arguments, directory=tmp_path), 2, "configuration")


def test_the_value_of_a_flyway_argument_is_not_repeated(tmp_path: Path) -> None:
    result = run_command("migrate", "-password=hunter2", directory=tmp_path)
    assert result.returncode == 2
    assert "hunter2" not in result.stdout + result.stderr


@pytest.mark.parametrize("arguments", [["--password", "hunter2", "info"], ["info", "--passwrd=hunter2"]])
def test_a_password_option_is_refused_without_its_value(tmp_path: Path, arguments: list[str]) -> None:
    result = run_command(*arguments, directory=tmp_path)
    assert "FLYWAY_PASSWORD" in complaint(result, 2, "configuration")
    assert "hunter2" not in result.stdout + result.stderr


@pytest.mark.parametrize("arguments", [["-v"], ["--version"], ["-v", "migrate"]])
def test_flyway_users_find_the_version(tmp_path: Path, arguments: list[str]) -> None:
    result = run_command(*arguments, directory=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"taxiway {taxiway.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "usage"),
    [
        (["help"], "Usage: taxiway "),
        (["-?"], "Usage: taxiway "),
        (["help", "migrate"], "Usage: taxiway migrate "),
        (["repair", "help"], "Usage: taxiway repair "),
        (["testConnection", "-?"], "Usage: taxiway test-connection "),
    ],
)
def test_flyway_users_find_help(tmp_path: Path, arguments: list[str], usage: str) -> None:
    result = run_command(*arguments, directory=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(usage)


@pytest.mark.parametrize("word", ["info", "run", "clean", "help", "version", "task", "check"])
def test_a_branch_may_be_called_like_a_command(tmp_path: Path, word: str) -> None:
    result = run_command("run", word, directory=tmp_path, environment={"TAXIWAY_REPOSITORY_URL": "/none"})
    assert f"Fetching branch {word} ..." in result.stdout
    complaint(result, 2, "git-repository-not-found")


def test_version_and_engines_are_json_when_asked(tmp_path: Path) -> None:
    version = json.loads(run_command("version", "-outputType=json", directory=tmp_path).stdout)
    assert (version["command"], version["taxiwayVersion"]) == ("version", taxiway.__version__)
    engines = json.loads(run_command("list-engines", "-outputType=json", directory=tmp_path).stdout)
    assert engines["dbInfoResults"] == [{"name": "PostgreSQL"}]


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
    for told in ("taxiway COMMAND --help", "FLYWAY_URL", "taxiway.toml", "taxiway config", "docs/index.md"):
        assert told in result.stdout
