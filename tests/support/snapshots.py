"""An Aurora cluster that is a real server, and whoever makes and restores snapshots of it."""

import os
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from sandbox.aws import AwsEndpoint
from tests.support.operator import Ended

_COMMAND: Final = Path(sysconfig.get_path("scripts")) / "taxiway"
USER, PASSWORD = "master_user", "the master password"
_SECONDS: Final = 300

# Everything that a restore has to bring back, and nothing of it what AWS does by itself.
SETTINGS: Final[dict[str, Any]] = {
    "DeletionProtection": True,
    "EnableIAMDatabaseAuthentication": True,
    "CopyTagsToSnapshot": True,
    "BackupRetentionPeriod": 9,
    "PreferredBackupWindow": "04:00-05:00",
    "PreferredMaintenanceWindow": "sun:05:10-sun:05:40",
    "EnableCloudwatchLogsExports": ["postgresql"],
    "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 8.0},
    "VpcSecurityGroupIds": ["sg-0123456789abcdef0"],
    "DBClusterParameterGroupName": "shop-parameters",
    "StorageEncrypted": True,
    "KmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "Port": 5433,
    "Tags": [{"Key": "team", "Value": "shop"}, {"Key": "cost centre", "Value": "47 11"}],
}


@dataclass
class Shop:
    """A cluster with two instances. ``name`` is its live name."""

    aws: AwsEndpoint
    directory: Path
    name: str = "shop"
    actor: str = "alice"
    environment: Mapping[str, str] = field(default_factory=dict)
    authority: Path = Path()
    host: str = ""

    def create(self, **settings: object) -> "Shop":
        """Make it, and write where it is into taxiway.toml."""
        made = self.rds.create_db_cluster(
            DBClusterIdentifier=self.name,
            Engine="aurora-postgresql",
            EngineVersion="16.6",
            DatabaseName="shop",
            MasterUsername=USER,
            MasterUserPassword=PASSWORD,
            **{**SETTINGS, **settings},
        )["DBCluster"]
        self.host = made["Endpoint"]
        self.authority = self.aws.database_authority(made["DbClusterResourceId"])
        self.wait(lambda: self.cluster(self.name)["Status"] == "available")
        for number in (1, 2):
            self.rds.create_db_instance(
                DBInstanceIdentifier=f"{self.name}-{number}",
                DBClusterIdentifier=self.name,
                DBInstanceClass="db.serverless",
                Engine="aurora-postgresql",
                PromotionTier=number,
                PubliclyAccessible=False,
                AvailabilityZone=f"eu-central-1{'ab'[number - 1]}",
                Tags=[{"Key": "number", "Value": str(number)}],
            )
        self.wait(lambda: all(one["DBInstanceStatus"] == "available" for one in self.instances()))
        (self.directory / "taxiway.toml").write_text(f'[task]\ndatabase = "{self.name}"\n')
        return self

    # --- what AWS shows

    @property
    def rds(self) -> Any:
        return self.aws.client("rds")

    def cluster(self, name: str) -> dict[str, Any]:
        """A cluster, without what is not a setting."""
        found: dict[str, Any] = self.rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        return found

    def names(self) -> set[str]:
        """Of all clusters that began as this one."""
        names = {one["DBClusterIdentifier"] for one in self.rds.describe_db_clusters()["DBClusters"]}
        return {name for name in names if name == self.name or name.startswith(f"{self.name}-")}

    def instances(self) -> list[dict[str, Any]]:
        """Of the cluster with the live name."""
        all_of_them = self.rds.describe_db_instances()["DBInstances"]
        return [one for one in all_of_them if one["DBClusterIdentifier"] == self.name]

    def settings(self) -> dict[tuple[str, str], Any]:
        """Every setting of the cluster with the live name and of its instances, as AWS tells them."""
        passing = {
            "AllocatedStorage",
            "ClusterCreateTime",
            "DbClusterResourceId",
            "DbiResourceId",
            "EarliestRestorableTime",
            "HostedZoneId",
            "InstanceCreateTime",
            "LatestRestorableTime",
        }
        described = [
            self.cluster(self.name),
            *sorted(self.instances(), key=lambda one: str(one["DBInstanceIdentifier"])),
        ]
        return {
            (one.get("DBInstanceIdentifier", "cluster"), key): _sorted(value)
            for one in described
            for key, value in one.items()
            if key not in passing
        }

    # --- data

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Through the endpoint of the live name, as an application does: a new connection, verified."""
        with psycopg.connect(
            host=self.host,
            hostaddr="127.0.0.1",
            port=self.aws.database_ports()[self.name],
            user=USER,
            password=PASSWORD,
            dbname="shop",
            sslmode="verify-full",
            sslrootcert=str(self.authority),
            autocommit=True,
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    # --- the operator

    def call(self, *arguments: str, **variables: str) -> Ended:
        """Run ``taxiway snapshot …`` to its end."""
        with self.calling(*arguments, **variables) as process:
            stdout, stderr = process.communicate(timeout=_SECONDS)
            return Ended(process.returncode, stdout, stderr)

    @contextmanager
    def calling(self, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
        """``taxiway snapshot …`` while it runs. Killed on the way out."""
        process = subprocess.Popen(
            [_COMMAND, "snapshot", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.directory,
            env={
                "PATH": os.defpath,
                "HOME": str(self.directory),
                "TZ": "UTC",
                "TAXIWAY_ACTOR": self.actor,
                **self.aws.environment,
                **self.environment,
                **variables,
            },
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def wait(self, is_done: Any) -> None:
        """Until it is so."""
        end = time.monotonic() + _SECONDS
        while not is_done():
            assert time.monotonic() < end, (self.aws.directory / "log").read_text()[-3000:]
            time.sleep(0.05)


def _sorted(value: object) -> object:
    return sorted(value, key=str) if isinstance(value, list) else value
