"""What Terraform makes of the modules runs a task: the real provider makes it in the emulated account, whose judge of
roles holds the task to the policies of the modules; the database is a real server.
"""

from pathlib import Path
from typing import Final

import pytest

from tests.support.newcomer import Newcomer
from tests.support.terraform_program import Terraform, call_module, find_reason_without

_REASON: Final = find_reason_without()
pytestmark = pytest.mark.skipif(_REASON is not None, reason=_REASON or "")

_READER: Final = "users@reader"
_ROLES: Final = f'[roles.reader]\nsecret = "{_READER}"\ngrants = "read"\n'
_BRANCHES: Final = {
    "main": {
        "taxiway.toml": _ROLES,
        "sql/V1__customer.sql": "CREATE TABLE customer (name text);\nINSERT INTO customer VALUES ('ann');\n",
    }
}


@pytest.mark.timeout(1200)
def test_tasks_run_on_what_terraform_makes_and_it_is_destroyed_twice(tmp_path: Path) -> None:
    with Newcomer.arriving(tmp_path) as newcomer:
        newcomer.publish("shop", _BRANCHES)
        terraform = prepare(newcomer, tmp_path / "ground")
        terraform.init()
        terraform.apply()
        toml = terraform.run("output", "-raw", "taxiway_toml")
        secrets = f'[secrets]\ndeploy_key_secret = "keys@shop"\n{_ROLES}'
        (newcomer.directory / "taxiway.toml").write_text(f"{toml}\n{secrets}")
        passwords = make_key_and_secrets(newcomer)
        assert newcomer.well("doctor", "main", "--output", "json").json["findings"] == []
        ended = newcomer.well("task", "run", "--branch", "main")
        assert ended.stdout.splitlines()[-1].startswith("Result: SUCCESS, 1 applied, schema version 1")
        assert {one["decision"] for one in newcomer.aws.audit()} == {"allowed"}
        [cluster] = newcomer.clusters()
        assert newcomer.query(cluster, _READER, "shop", "SELECT name FROM customer") == [("ann",)]
        state = (terraform.directory / "terraform.tfstate").read_text()
        assert [password for password in passwords if password in state] == []
        terraform.destroy()
        # The template's second destroy met the final snapshot of its first.
        terraform.apply()
        terraform.destroy()
        kept = newcomer.aws.client("rds").describe_db_cluster_snapshots()["DBClusterSnapshots"]
        assert len({one["DBClusterSnapshotIdentifier"] for one in kept}) == 2
        assert newcomer.clusters() == {}


def prepare(newcomer: Newcomer, directory: Path) -> Terraform:
    """A root module that calls ours."""
    ground = newcomer.ground
    values = {
        "name": "shop",
        "vpc": ground.vpc,
        "subnets": [*ground.subnets],
        "image": ground.image,
        "repository_url": newcomer.git.url("shop"),
        "git_port": newcomer.git.port,
        "deploy_key_secret": "keys@shop",
        "secrets": [_READER],
        "database_name": "shop",
        "database_port": newcomer.port,
        "environment": dict(newcomer.around),
        "database": {"deletion_protection": False},
    }
    directory.mkdir()
    call_module(directory, values, region=newcomer.aws.region)
    return Terraform(directory, newcomer.aws.environment)


def make_key_and_secrets(newcomer: Newcomer) -> list[str]:
    """The passwords that are in the account then."""
    made = newcomer.well("deploy-key", "create", "--output", "json")
    newcomer.git.authorize(made.json["publicKey"])
    newcomer.well("secrets", "put", _READER, "--generate")
    [cluster] = newcomer.clusters().values()
    return [newcomer.login(secret)["password"] for secret in (_READER, cluster["MasterUserSecret"]["SecretArn"])]
