"""What RDS is asked, and what its answers mean: scripted, with the SDK in between."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from taxiway import errors
from taxiway.aws import rds_settings
from taxiway.aws.rds import Rds
from taxiway.aws.rds_settings import change_arguments, new_arguments, read_settings
from taxiway.aws.session import Place
from taxiway.model.snapshot import DatabaseKind
from tests.support.fake_rds import cluster, instance, snapshot

DESCRIBED: dict[str, Any] = {
    "DBInstanceIdentifier": "orders",
    "DBInstanceArn": "arn:aws:rds:eu-central-1:123456789012:db:orders",
    "DbiResourceId": "db-ABC",
    "DBInstanceStatus": "available",
    "DBInstanceClass": "db.t4g.small",
    "Engine": "postgres",
    "Endpoint": {"Address": "orders.x.eu-central-1.rds.amazonaws.com", "Port": 5432},
    "DBSubnetGroup": {"DBSubnetGroupName": "private"},
    "DBParameterGroups": [{"DBParameterGroupName": "orders-16"}],
    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-2"}, {"VpcSecurityGroupId": "sg-1"}],
    "MultiAZ": True,
    "BackupRetentionPeriod": 7,
    "TagList": [{"Key": "team", "Value": "orders"}],
}


@pytest.fixture
def rds(monkeypatch: pytest.MonkeyPatch) -> Rds:
    for name, value in (("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")):
        monkeypatch.setenv(name, value)
    return Rds(Place("eu-central-1"))


@pytest.fixture
def script(rds: Rds) -> Iterator[Stubber]:
    with Stubber(rds._client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("InvalidDBClusterStateFault", errors.AwsBusy),
        ("InvalidDBInstanceState", errors.AwsBusy),
        ("DBClusterAlreadyExistsFault", errors.AwsBusy),
        ("DBClusterNotFoundFault", errors.AwsNotFound),
        ("Throttling", errors.AwsThrottled),
        ("AccessDenied", errors.AwsAccessDenied),
        ("KMSKeyNotAccessibleFault", errors.AwsFailed),
    ],
)
def test_the_code_of_a_refusal_says_whether_to_look_again(
    rds: Rds, script: Stubber, code: str, expected: type[errors.AwsError]
) -> None:
    script.add_client_error("modify_db_cluster", code, "words of AWS")
    with pytest.raises(expected):
        rds.rename(cluster("shop"), "shop-old")


def test_a_renaming_happens_at_once(rds: Rds, script: Stubber) -> None:
    script.add_response(
        "modify_db_cluster",
        {},
        {"DBClusterIdentifier": "shop", "NewDBClusterIdentifier": "shop-old", "ApplyImmediately": True},
    )
    script.add_response(
        "modify_db_instance",
        {},
        {"DBInstanceIdentifier": "shop-1", "NewDBInstanceIdentifier": "shop-1-old", "ApplyImmediately": True},
    )
    rds.rename(cluster("shop"), "shop-old")
    rds.rename(instance("shop-1"), "shop-1-old")


def test_nothing_is_deleted_without_a_last_snapshot(rds: Rds, script: Stubber) -> None:
    final = {"SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": "final"}
    script.add_response("delete_db_cluster", {}, {"DBClusterIdentifier": "shop", **final})
    script.add_response("delete_db_instance", {}, {"DBInstanceIdentifier": "shop", **final})
    rds.delete(cluster("shop"), "final")
    rds.delete(cluster("shop", kind=DatabaseKind.INSTANCE), "final")


def test_an_instance_without_a_cluster_is_restored_with_its_settings(rds: Rds, script: Stubber) -> None:
    script.add_response("describe_db_instances", {"DBInstances": [DESCRIBED]})
    script.add_response("describe_db_clusters", {"DBClusters": []})
    [found] = rds.list_databases()
    assert (found.kind, found.name, found.resource_id) == (DatabaseKind.INSTANCE, "orders", "db-ABC")
    script.add_response(
        "restore_db_instance_from_db_snapshot",
        {},
        {
            "DBInstanceIdentifier": "orders-new",
            "DBSnapshotIdentifier": "s",
            "DBInstanceClass": "db.t4g.small",
            "Engine": "postgres",
            "Port": 5432,
            "DBSubnetGroupName": "private",
            "DBParameterGroupName": "orders-16",
            "VpcSecurityGroupIds": ["sg-1", "sg-2"],
            "MultiAZ": True,
            "AutoMinorVersionUpgrade": False,
            "PubliclyAccessible": False,
            "EnableIAMDatabaseAuthentication": False,
            "DeletionProtection": False,
            "CopyTagsToSnapshot": False,
            "DedicatedLogVolume": False,
            "Tags": ANY,
        },
    )
    made_of = snapshot("s", kind=DatabaseKind.INSTANCE)
    rds.restore(made_of, "orders-new", found.configuration, {"taxiway:restore": "1"})


def test_the_zone_of_one_that_fails_over_is_no_setting() -> None:
    """ "You can't specify the AvailabilityZone parameter if the DB instance is a Multi-AZ deployment" (API)."""
    zone = {"AvailabilityZone": "eu-central-1a"}
    assert "AvailabilityZone" not in read_settings(rds_settings.INSTANCE, {**DESCRIBED, **zone})
    alone = read_settings(rds_settings.INSTANCE, {**DESCRIBED, **zone, "MultiAZ": False})
    assert new_arguments(rds_settings.INSTANCE, alone)["AvailabilityZone"] == "eu-central-1a"


@pytest.mark.parametrize(
    ("volume", "is_given"),
    [
        ({"StorageType": "gp3", "AllocatedStorage": 100}, False),
        ({"StorageType": "gp3", "AllocatedStorage": 400}, True),
        ({"StorageType": "io2", "AllocatedStorage": 100}, True),
    ],
)
def test_what_every_small_volume_has_is_not_asked_for(volume: dict[str, Any], is_given: bool) -> None:
    described = {**DESCRIBED, **volume, "Iops": 3000, "StorageThroughput": 125}
    given = new_arguments(rds_settings.INSTANCE, read_settings(rds_settings.INSTANCE, described))
    assert ("Iops" in given, "StorageThroughput" in given) == (is_given, is_given)


def test_only_what_differs_is_changed() -> None:
    wanted = read_settings(rds_settings.INSTANCE, DESCRIBED)
    assert change_arguments(rds_settings.INSTANCE, wanted, wanted) == {}
    found = read_settings(rds_settings.INSTANCE, {**DESCRIBED, "BackupRetentionPeriod": 1, "MultiAZ": False})
    assert change_arguments(rds_settings.INSTANCE, wanted, found) == {"BackupRetentionPeriod": 7, "MultiAZ": True}


def test_log_exports_are_switched_on_and_off() -> None:
    changed = change_arguments(
        rds_settings.CLUSTER,
        {"EnableCloudwatchLogsExports": ["postgresql"]},
        {"EnableCloudwatchLogsExports": ["upgrade"]},
    )
    assert changed == {
        "CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["postgresql"], "DisableLogTypes": ["upgrade"]}
    }


@pytest.mark.parametrize(
    ("table", "new", "change"),
    [
        (rds_settings.CLUSTER, "RestoreDBClusterFromSnapshot", "ModifyDBCluster"),
        (rds_settings.INSTANCE, "RestoreDBInstanceFromDBSnapshot", "ModifyDBInstance"),
        (rds_settings.MEMBER, "CreateDBInstance", "ModifyDBInstance"),
    ],
)
def test_every_parameter_is_one_of_the_call_that_it_is_given_to(
    rds: Rds, table: tuple[rds_settings.Setting, ...], new: str, change: str
) -> None:
    model = rds._client.meta.service_model
    settings = {one.name: ["x"] if "Exports" in one.name else "x" for one in table}
    for operation, arguments in (
        (new, new_arguments(table, settings)),
        (change, change_arguments(table, settings, {})),
    ):
        assert arguments.keys() <= model.operation_model(operation).input_shape.members.keys()
