"""What the command says of a configuration that is not right, or not alone."""

from pathlib import Path

import pytest

from tests.support.command import complaint, run_command

FLYWAY_TOML = """\
[environments.default]
url = "jdbc:postgresql://db/shop"
[environments.prod]
ulr = "jdbc:postgresql://prod/shop"
"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("flyway.url", "There is no setting 'flyway.url'. Did you mean 'url'?"),
        ("flyway.outOfOrdr", "Did you mean 'outOfOrder'?"),
        ("environments.prod.user", "Did you mean 'user'?"),
        ("FLYWAY_LOCK_RETRY_COUNT", "Did you mean 'lockRetryCount'?"),
        ("database.name", "Did you mean 'databaseName'?"),
        ("placeholders.stage", "'taxiway config placeholders' shows those that are set."),
    ],
)
def test_a_setting_by_another_of_its_names_is_told_its_key(tmp_path: Path, name: str, words: str) -> None:
    assert words in complaint(run_command("config", name, directory=tmp_path), 2, "configuration")


@pytest.mark.parametrize(
    ("argument", "code", "words"),
    [
        ("-placeholder.stage=test", "unknown-option", "Did you mean '-placeholders.stage=VALUE'?"),
        ("-placeholders=test", "invalid-option", "Write -placeholders.NAME=VALUE, or --placeholder NAME=VALUE."),
        (
            "-configFiles=absent.toml",
            "config-file-unreadable",
            "absent.toml cannot be read: there is no such file.",
        ),
        ("-environment=prd", "unknown-environment", "There are default, prod.\nHint: Did you mean 'prod'?"),
    ],
)
def test_what_is_wrong_with_an_argument_is_said_with_what_is_right(
    tmp_path: Path, argument: str, code: str, words: str
) -> None:
    (tmp_path / "flyway.toml").write_text(FLYWAY_TOML)
    assert words in run_command("config", argument, directory=tmp_path).stderr
    complaint(run_command("info", argument, directory=tmp_path), 2, code)


def test_what_of_flyways_configuration_has_no_effect_is_told_with_what_was_meant(tmp_path: Path) -> None:
    (tmp_path / "flyway.toml").write_text(FLYWAY_TOML)
    (tmp_path / "flyway.conf").write_text("flyway.url=jdbc:postgresql://other/shop\n")
    said = run_command("config", "url", directory=tmp_path).stdout
    assert (
        "unknown key 'environments.prod.ulr' is ignored, as Flyway does. Did you mean 'environments.prod." in said
    )
    assert "flyway.conf is not read: flyway.toml wins" in said


def test_a_new_project_beside_one_of_flyways_has_its_database(tmp_path: Path) -> None:
    (tmp_path / "flyway.toml").write_text(FLYWAY_TOML)
    created = run_command("init", directory=tmp_path)
    assert "those of flyway.toml hold as before" in created.stdout
    said = run_command("config", "url", directory=tmp_path).stdout
    assert "jdbc:postgresql://db/shop" in said
