"""What is missing, told before a run finds out."""

import json
from pathlib import Path

import pytest

from sandbox.aws import AwsEndpoint
from tests.support.keeper import Keeper

CANARY = "Canary-0123456789"


@pytest.fixture
def keeper(aws_endpoint: AwsEndpoint, tmp_path: Path) -> Keeper:
    made = Keeper(tmp_path, aws_endpoint)
    made.write(
        f"""
[roles.reporting]
secret = "check/{tmp_path.name}/user"

[flyway.placeholders]
TOKEN = "${{secret:check/{tmp_path.name}/token#tokn}}"

[environments.prod.secrets]
deploy_key_secret = "check/{tmp_path.name}/key"
"""
    )
    aws_endpoint.put_secret(f"check/{tmp_path.name}/token", {"token": CANARY})
    return made


def test_each_fault_is_told_with_its_fix_and_the_fixes_fix_it(keeper: Keeper) -> None:
    base = f"check/{keeper.directory.name}"
    first = keeper.call("secrets", "check", "--env", "prod")
    assert (first.exit_code, first.code) == (4, "secrets-not-ready"), first.stderr
    fixes = [line.removeprefix("  Fix: ") for line in first.stdout.splitlines() if line.startswith("  Fix: ")]
    place = "taxiway.toml: flyway.placeholders.TOKEN"
    assert fixes == [
        f"taxiway deploy-key create --secret '{base}/key'",
        f"taxiway secrets put '{base}/user' --username 'reporting' --generate",
        f"Write '{base}/token#token' in {place}, or: taxiway secrets put '{base}/token' --text --replace",
    ]
    for fix in fixes[:2]:
        words = fix.replace("'", "").split()[1:]
        assert keeper.call(*words).exit_code == 0
    toml = (keeper.directory / "taxiway.toml").read_text()
    keeper.write(toml.replace("#tokn", "#token"))
    last = keeper.call("secrets", "check", "--env", "prod")
    assert last.exit_code == 0, last.stdout
    listed = keeper.call("secrets", "list", "--env", "prod", "--output", "json")
    assert {one["secret"]: one["ready"] for one in listed.json["secrets"]} == dict.fromkeys(
        (f"{base}/key", f"{base}/user", f"{base}/token"), True
    )
    password = keeper.content(f"{base}/user")["password"]
    assert not any(secret in keeper.seen() for secret in (CANARY, password))


def test_as_json_the_exit_code_is_the_same_and_the_output_is_all_of_it(keeper: Keeper) -> None:
    ended = keeper.call("secrets", "check", "--output", "json")
    assert ended.exit_code == 4
    assert ended.json["ready"] is False
    codes = [problem["code"] for one in ended.json["secrets"] for problem in one["problems"]]
    assert codes == ["missing", "no-key"]


def test_a_list_tells_what_is_wrong_and_is_no_failure(keeper: Keeper) -> None:
    ended = keeper.call("secrets", "list")
    assert ended.exit_code == 0, ended.stderr
    assert "| missing |" in ended.stdout
    assert CANARY not in ended.stdout


def test_a_project_without_secrets_has_nothing_to_check(keeper: Keeper) -> None:
    keeper.write("")
    ended = keeper.call("secrets", "check")
    assert (ended.exit_code, ended.stdout) == (0, "0 secrets checked: nothing is missing.\n")
    assert json.loads(keeper.call("secrets", "list", "--output", "json").stdout)["secrets"] == []
