"""Snapshots and restores of an RDS instance that belongs to no cluster: a real server, and real copies of its data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from sandbox.aws import AwsEndpoint
from sandbox.directory import temporary_directory
from tests.support.snapshots import PASSWORD, USER, Shop

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
_READ: Final = "SELECT name FROM customer ORDER BY name"
# Everything that a restore has to bring back, and what it may not ask for: see AvailabilityZone and Iops.
_SETTINGS: Final[dict[str, Any]] = {
    "DBInstanceClass": "db.t4g.small",
    "AllocatedStorage": 100,
    "StorageType": "gp3",
    "Iops": 3000,
    "MultiAZ": True,
    "PubliclyAccessible": False,
    "DeletionProtection": True,
    "EnableIAMDatabaseAuthentication": True,
    "CopyTagsToSnapshot": True,
    "BackupRetentionPeriod": 9,
    "PreferredBackupWindow": "04:00-05:00",
    "PreferredMaintenanceWindow": "sun:05:10-sun:05:40",
    "VpcSecurityGroupIds": ["sg-0123456789abcdef0"],
    "LicenseModel": "postgresql-license",
    "Tags": [{"Key": "team", "Value": "orders"}],
}


class Orders(Shop):
    """The same for an instance. Its endpoint is not in the certificate of the server, its authority is."""

    def create(self, **settings: object) -> "Orders":
        made = self.rds.create_db_instance(
            DBInstanceIdentifier=self.name,
            Engine="postgres",
            EngineVersion="16.6",
            DBName="shop",
            MasterUsername=USER,
            MasterUserPassword=PASSWORD,
            **{**_SETTINGS, **settings},
        )["DBInstance"]
        self.authority = self.aws.database_authority(made["DbiResourceId"])
        self.wait(lambda: self.described()["DBInstanceStatus"] == "available")
        (self.directory / "taxiway.toml").write_text(f'[task]\ndatabase = "{self.name}"\n')
        return self

    def described(self) -> dict[str, Any]:
        """What AWS tells of the one with the live name."""
        found: dict[str, Any] = self.rds.describe_db_instances(DBInstanceIdentifier=self.name)["DBInstances"][0]
        return found

    def names(self) -> set[str]:
        return {one["DBInstanceIdentifier"] for one in self.rds.describe_db_instances()["DBInstances"]}

    def settings(self) -> dict[tuple[str, str], Any]:
        passing = {"DbiResourceId", "InstanceCreateTime", "LatestRestorableTime", "AvailabilityZone"}
        return {(self.name, key): value for key, value in self.described().items() if key not in passing}

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(
            host="127.0.0.1",
            port=self.aws.database_ports()[self.name],
            user=USER,
            password=PASSWORD,
            dbname="shop",
            sslmode="verify-ca",
            sslrootcert=str(self.authority),
            autocommit=True,
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def orders(tmp_path: Path) -> Iterator[Orders]:
    with temporary_directory() as directory, AwsEndpoint(directory / "aws", has_databases=True) as aws:
        made = Orders(aws, tmp_path, name="orders").create()
        made.execute("CREATE TABLE customer (name text PRIMARY KEY)")
        made.execute("INSERT INTO customer VALUES ('ann'), ('bob')")
        yield made


def test_what_was_dropped_is_back_and_can_be_gone_back_from_and_confirmed(orders: Orders) -> None:
    before = orders.settings()
    created = orders.call("create", "--reason", "before version 9")
    assert created.exit_code == 0, created.stderr
    snapshot = created.stdout.strip()
    orders.execute("DROP TABLE customer")

    restored = orders.call("restore", snapshot, "--yes", "--output", "json")
    assert restored.exit_code == 0, restored.stdout + restored.stderr
    assert restored.json["differences"] == []
    assert orders.execute(_READ) == [("ann",), ("bob",)]
    assert orders.names() == {"orders", restored.json["aside"]["name"]}

    assert orders.call("revert", "--yes").exit_code == 0
    with pytest.raises(psycopg.errors.UndefinedTable):
        orders.execute(_READ)
    assert orders.call("restore", "--yes").exit_code == 0
    assert orders.execute(_READ) == [("ann",), ("bob",)]

    confirmed = orders.call("confirm", "--yes", "--output", "json")
    assert confirmed.exit_code == 0, confirmed.stderr
    assert orders.names() == {"orders"}
    assert orders.settings() == before
    assert orders.execute(_READ) == [("ann",), ("bob",)]
    names = [one["name"] for one in orders.call("list", "--output", "json").json["snapshots"]]
    assert names == [confirmed.json["finalSnapshot"], snapshot]


def test_one_that_is_gone_comes_back_with_the_settings_in_its_snapshot(orders: Orders) -> None:
    before = orders.settings()
    assert orders.call("create").exit_code == 0
    orders.rds.modify_db_instance(DBInstanceIdentifier="orders", DeletionProtection=False)
    orders.wait(lambda: orders.described()["DBInstanceStatus"] == "available")
    orders.rds.delete_db_instance(DBInstanceIdentifier="orders", SkipFinalSnapshot=True)
    orders.wait(lambda: not orders.names())
    restored = orders.call("restore", "--yes")
    assert restored.exit_code == 0, restored.stdout + restored.stderr
    assert "There is no live database" in restored.stderr
    assert orders.call("confirm", "--yes").exit_code == 0
    assert orders.execute(_READ) == [("ann",), ("bob",)]
    assert orders.settings() == before
