"""The whole ground in one story, through the installed command: from an empty account to a private database that is
migrated, harmed, brought back, and taken down again.

CloudFormation, ECS, IAM, logs, secrets and RDS are an emulated account; the tasks really run, the database is a real
server, and its snapshots are real copies of its data. The steps depend on each other, so they are one test.
"""

import json
from pathlib import Path
from typing import Final

import psycopg
import pytest

from tests.support.newcomer import Newcomer

_READER: Final = "users@reader"
_ROLES: Final = f'[roles.reader]\nsecret = "{_READER}"\ngrants = "read"\n'
_BRANCHES: Final = {
    "main": {
        "taxiway.toml": _ROLES,
        "sql/V1__customer.sql": "CREATE TABLE customer (name text);\nINSERT INTO customer VALUES ('ann'), ('bob');\n",
    },
    "harmful": {"sql/V2__tidy_up.sql": "DROP TABLE customer;\n"},
}
_ALL: Final = [("ann",), ("bob",)]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_from_an_empty_account_to_a_database_that_comes_back_and_to_nothing(tmp_path: Path) -> None:
    with Newcomer.arriving(tmp_path) as newcomer:
        newcomer.publish("shop", _BRANCHES)
        story = Story(newcomer)
        story.plan()
        story.deploy()
        story.make_key_and_secrets()
        story.ask_the_doctor()
        story.run_a_task()
        story.make_a_snapshot_that_no_task_follows()
        story.harm()
        story.restore_and_revert()
        story.go_on_with_the_restored_one()
        story.confirm()
        story.destroy()
        story.no_secret_was_printed()


class Story:
    """Its steps."""

    def __init__(self, newcomer: Newcomer) -> None:
        self.newcomer = newcomer
        self.snapshot = ""
        self.passwords: list[str] = []
        self.write()

    def write(self, *, master_secret: str | None = None) -> None:
        """The file of whoever calls the commands: each thing is said in it once."""
        ground = self.newcomer.ground
        values = {
            "vpc": ground.vpc,
            "subnets": [*ground.subnets],
            "image": ground.image,
            "repository_url": self.newcomer.git.url("shop"),
            "git_port": self.newcomer.git.port,
            "deploy_key_secret": "keys@shop",
            "secrets": [_READER],
            "database_name": "shop",
            "database_port": self.newcomer.port,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        around = [f"{name} = {json.dumps(value)}" for name, value in self.newcomer.around.items()]
        lines = ["[task]", 'stack = "shop"', "[infra]", *lines, "[infra.environment]", *around, "[infra.database]"]
        lines += [f'master_secret = "{master_secret}"'] if master_secret else []
        (self.newcomer.directory / "taxiway.toml").write_text("\n".join([*lines, _ROLES]))

    @property
    def cluster(self) -> str:
        return self.newcomer.outputs_of("shop")["DatabaseClusterId"]

    def customers(self) -> list[tuple[object, ...]]:
        return self.newcomer.query(self.cluster, _READER, "shop", "SELECT name FROM customer ORDER BY name")

    def remember_master_password(self) -> str:
        """That of the live database; where it lies."""
        secret: str = self.newcomer.clusters()[self.cluster]["MasterUserSecret"]["SecretArn"]
        self.passwords.append(self.newcomer.login(secret)["password"])
        return secret

    # --- the steps

    def plan(self) -> None:
        ended = self.newcomer.well("infra", "plan")
        assert "+ add          Database  " in ended.stdout
        assert self.newcomer.clusters() == {}

    def deploy(self) -> None:
        ended = self.newcomer.well("infra", "deploy", "--yes", "--output", "json")
        assert ended.json["status"] == "CREATE_COMPLETE"
        assert [*self.newcomer.clusters()] == [ended.json["outputs"]["DatabaseClusterId"]]
        assert self.remember_master_password() == ended.json["outputs"]["DatabaseMasterSecretArn"]

    def make_key_and_secrets(self) -> None:
        lacking = self.newcomer.call("secrets", "check")
        assert (lacking.exit_code, lacking.code) == (4, "secrets-not-ready")
        ill = self.newcomer.call("doctor", "main", "--output", "json")
        assert ill.exit_code == 4
        assert {one["code"] for one in ill.json["findings"]} == {"secret-missing"}
        made = self.newcomer.well("deploy-key", "create", "--output", "json")
        self.newcomer.git.authorize(made.json["publicKey"])
        self.newcomer.well("secrets", "put", _READER, "--generate")
        self.passwords.append(self.newcomer.login(_READER)["password"])
        assert self.newcomer.well("secrets", "check").stdout == "2 secrets checked: nothing is missing.\n"

    def ask_the_doctor(self) -> None:
        """All that was made is in order, the database and the repository are really asked; the image cannot be."""
        ended = self.newcomer.well("doctor", "main", "--output", "json")
        assert ended.json["findings"] == []
        assert [one["area"] for one in ended.json["notChecked"]] == ["image"]
        assert {"secrets", "roles", "network", "database", "login", "git"} <= {*ended.json["checked"]}

    def run_a_task(self) -> None:
        ended = self.newcomer.well("task", "run", "--branch", "main")
        assert ended.stdout.splitlines()[-1].startswith("Result: SUCCESS, 1 applied, schema version 1")
        assert self.customers() == _ALL
        decisions = self.newcomer.aws.audit()
        assert {one["decision"] for one in decisions} == {"allowed"}

    def make_a_snapshot_that_no_task_follows(self) -> None:
        """ECS refuses the task when the snapshot is there already: whoever called has to hear of it."""
        by_hand = self.newcomer.well("snapshot", "create", "--reason", "by hand").stdout.strip()
        self.newcomer.aws.add_fault("run-task-failure")
        ended = self.newcomer.call("task", "run", "--branch", "harmful", "--snapshot", "--output", "json")
        assert (ended.exit_code, ended.json["error"]["taxiwayCode"]) == (4, "task-without-capacity")
        made = ended.json["snapshot"]
        assert f"taxiway snapshot restore {made}" in ended.stderr
        assert self.snapshots() == [made, by_hand]
        assert self.customers() == _ALL

    def snapshots(self) -> list[str]:
        return [
            one["name"] for one in self.newcomer.well("snapshot", "list", "--output", "json").json["snapshots"]
        ]

    def harm(self) -> None:
        ended = self.newcomer.well("task", "run", "--branch", "harmful", "--snapshot", "--output", "json")
        assert ended.json["result"]["schemaVersion"] == "2"
        self.snapshot = ended.json["snapshot"]
        assert ended.stderr.splitlines()[-1].endswith(f"taxiway snapshot restore {self.snapshot}")
        assert self.snapshots()[0] == self.snapshot
        assert self.is_lost()

    def is_lost(self) -> bool:
        try:
            self.customers()
        except psycopg.errors.UndefinedTable:
            return True
        return False

    def restore_and_revert(self) -> None:
        self.newcomer.well("snapshot", "restore", self.snapshot, "--yes")
        assert self.customers() == _ALL
        self.newcomer.well("snapshot", "revert", "--yes")
        assert self.is_lost()
        self.newcomer.well("snapshot", "restore", "--yes")
        assert self.customers() == _ALL

    def go_on_with_the_restored_one(self) -> None:
        """RDS has given it another master password, in another secret: the stack has to know."""
        told = self.newcomer.well("snapshot", "restore", "--yes")
        secret = self.remember_master_password()
        assert f'write master_secret = "{secret}"' in told.stderr
        self.write(master_secret=secret)
        self.newcomer.well("infra", "deploy", "--yes")
        ended = self.newcomer.well("task", "run", "--branch", "main")
        assert ended.stdout.splitlines()[-1].startswith("Result: SUCCESS, 0 applied, schema version 1")

    def confirm(self) -> None:
        assert len(self.newcomer.clusters()) == 2
        refused = self.newcomer.call("infra", "destroy", "--yes", "--disable-deletion-protection")
        assert (refused.code, "taxiway snapshot confirm" in refused.stderr) == ("destroy-refused", True)
        assert len(self.newcomer.clusters()) == 2
        ended = self.newcomer.well("snapshot", "confirm", "--yes", "--output", "json")
        assert [*self.newcomer.clusters()] == [self.cluster]
        assert self.snapshots()[0] == ended.json["finalSnapshot"]
        self.newcomer.well("task", "run", "--branch", "main")
        assert self.customers() == _ALL

    def destroy(self) -> None:
        refused = self.newcomer.call("infra", "destroy", "--yes")
        assert refused.code == "destroy-refused"
        ended = self.newcomer.well(
            "infra", "destroy", "--yes", "--disable-deletion-protection", "--output", "json"
        )
        assert self.newcomer.clusters() == {}
        kept = self.newcomer.aws.client("rds").describe_db_cluster_snapshots()["DBClusterSnapshots"]
        assert ended.json["snapshots"][0] in {one["DBClusterSnapshotIdentifier"] for one in kept}

    def no_secret_was_printed(self) -> None:
        assert len(self.passwords) == 3
        for output in self.newcomer.outputs:
            assert [secret for secret in self.passwords if secret in output] == []
