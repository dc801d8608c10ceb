"""``[secrets]`` in taxiway.toml, and which secrets a project refers to."""

from pathlib import Path

import pytest

from taxiway import errors
from taxiway.config.secret_uses import find_secret_uses
from taxiway.config.secrets import find_overruled, load_secrets
from taxiway.model.stored_secret import Purpose, SecretsSettings, SecretUse

FULL = """
[secrets]
deploy_key_secret = "key-${env:STAGE}"
registry_secret = "pull"
tags = {team = "data"}

[environments.prod]
url = "postgresql://db/shop"

[environments.prod.secrets]
kms_key = "alias/prod"

[task]
region = "eu-west-1"

[database]
host = "db"
user = "${secret:owner#username}"
password = "${secret:owner#password}"

[flyway.placeholders]
TOKEN = "x${secret:token}y"

[roles.app]
secret = "users/${env:STAGE}"

[roles.other]
password = "${secret:users/other#pw}"
"""


def load(tmp_path: Path, environment: str | None = None, **environ: str) -> SecretsSettings:
    (tmp_path / "taxiway.toml").write_text(FULL)
    return load_secrets(environ=environ, directory=tmp_path, file=None, environment=environment)


def uses(tmp_path: Path, environment: str | None = None, **environ: str) -> tuple[SecretUse, ...]:
    settings = load(tmp_path, environment, **environ)
    return find_secret_uses(settings, environ=environ, directory=tmp_path, file=None, environment=environment)


def test_what_infra_says_of_the_same_things_is_not_said_again(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_text(
        '[task]\nregion = "eu-west-1"\nprofile = "prod"\n'
        '[infra]\ndeploy_key_secret = "key"\nregistry_secret = "pull"\nrepository_owner = "acme"\n'
        'repository_path = "shop"\nkms_key = "arn:aws:kms:x"\nregion = "eu-north-1"\ntags = {team = "data"}\n'
        '[secrets]\nregistry_secret = "other"\n'
    )
    loaded = load_secrets(environ={}, directory=tmp_path, file=None, environment=None)
    assert loaded == SecretsSettings(
        deploy_key_secret="key",
        registry_secret="other",
        repository_owner="acme",
        repository_path="shop",
        kms_key="arn:aws:kms:x",
        region="eu-north-1",
        profile="prod",
    )


def test_the_table_is_read_with_its_environment_and_the_region_of_tasks(tmp_path: Path) -> None:
    assert load(tmp_path, "prod", STAGE="a") == SecretsSettings(
        deploy_key_secret="key-a",
        registry_secret="pull",
        kms_key="alias/prod",
        tags={"team": "data"},
        region="eu-west-1",
    )


def test_variables_of_the_job_win(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        STAGE="a",
        REPOSITORY_DEPLOY_KEY_SECRET="other",
        REPOSITORY_OWNER="acme",
        REPOSITORY_PATH="m.git",
    )
    assert (settings.deploy_key_secret, settings.repository) == ("other", "acme/m")


@pytest.mark.parametrize(
    ("name", "warnings"),
    [
        (
            "other",
            {
                "deploy_key_secret": "deploy_key_secret = 'key-a' is passed over: "
                "REPOSITORY_DEPLOY_KEY_SECRET is 'other'."
            },
        ),
        ("key-a", {}),
        ("", {}),
    ],
)
def test_a_variable_that_contradicts_the_file_is_warned_of(
    tmp_path: Path, name: str, warnings: dict[str, str]
) -> None:
    (tmp_path / "taxiway.toml").write_text(FULL)
    environ = {"STAGE": "a", "REPOSITORY_DEPLOY_KEY_SECRET": name, "REPOSITORY_OWNER": "acme"}
    assert find_overruled(environ=environ, directory=tmp_path, file=None, environment=None) == warnings


def test_every_place_that_refers_to_a_secret_is_found(tmp_path: Path) -> None:
    found = {(use.secret_id, use.key, use.purpose, use.user) for use in uses(tmp_path, STAGE="a")}
    assert found == {
        ("key-a", None, Purpose.DEPLOY_KEY, None),
        ("pull", "username", Purpose.REGISTRY, None),
        ("pull", "password", Purpose.REGISTRY, None),
        ("users/a", "password", Purpose.DATABASE_USER, "app"),
        ("users/other", "pw", Purpose.REFERENCE, None),
        ("owner", "username", Purpose.REFERENCE, None),
        ("owner", "password", Purpose.REFERENCE, None),
        ("token", None, Purpose.REFERENCE, None),
    }


def test_a_login_is_a_user_and_a_password(tmp_path: Path) -> None:
    text = '[database]\nhost = "db"\nsecret = "rds!cluster-1"\n'
    (tmp_path / "taxiway.toml").write_text(text)
    found = find_secret_uses(SecretsSettings(), environ={}, directory=tmp_path, file=None, environment=None)
    assert [(use.secret_id, use.key) for use in found] == [
        ("rds!cluster-1", "username"),
        ("rds!cluster-1", "password"),
    ]


def test_what_a_variable_overrides_is_not_needed(tmp_path: Path) -> None:
    found = uses(tmp_path, STAGE="a", FLYWAY_USER="me", FLYWAY_PASSWORD="secret")
    assert "owner" not in {use.secret_id for use in found}


def test_a_name_with_an_unknown_variable_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(errors.VariableNotSet, match="STAGE"):
        uses(tmp_path)


def test_nothing_is_referred_to_without_a_file(tmp_path: Path) -> None:
    assert find_secret_uses(SecretsSettings(), environ={}, directory=tmp_path, file=None, environment=None) == ()
