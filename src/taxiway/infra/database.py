"""Aurora PostgreSQL, Serverless v2: encrypted, backed up, hard to delete, with a password that only RDS knows."""

from collections.abc import Iterator

from taxiway.infra.names import DATABASE, DATABASE_GROUP, DATABASE_INSTANCE, DATABASE_SUBNETS
from taxiway.infra.network import make_database_group
from taxiway.infra.resource import Ending, Json, Resource, attribute, ref, sub
from taxiway.model.infra import DatabaseWish, InfraSettings


def make_database(settings: InfraSettings, wish: DatabaseWish) -> Iterator[Resource]:
    """Cluster, instance, subnets and security group."""
    yield make_database_group(settings)
    yield Resource(
        logical_id=DATABASE_SUBNETS,
        type="AWS::RDS::DBSubnetGroup",
        properties={
            "DBSubnetGroupDescription": sub("The database of ${AWS::StackName}"),
            "SubnetIds": [*(wish.subnets or settings.subnets)],
        },
        is_tagged=True,
    )
    yield Resource(
        logical_id=DATABASE,
        type="AWS::RDS::DBCluster",
        properties=_cluster(settings, wish),
        ending=Ending.SNAPSHOTTED,
        is_tagged=True,
    )
    yield Resource(
        logical_id=DATABASE_INSTANCE,
        type="AWS::RDS::DBInstance",
        properties={
            "Engine": "aurora-postgresql",
            "DBInstanceClass": "db.serverless",
            "DBClusterIdentifier": ref(DATABASE),
            "PubliclyAccessible": False,
            "AutoMinorVersionUpgrade": True,
        },
        is_tagged=True,
    )


def master_secret(wish: DatabaseWish) -> Json:
    """ARN of the secret with the login of its first user."""
    return wish.master_secret or attribute(DATABASE, "MasterUserSecret.SecretArn")


def _cluster(settings: InfraSettings, wish: DatabaseWish) -> Json:
    secret = {"MasterUserSecret": {"KmsKeyId": wish.kms_key}, "KmsKeyId": wish.kms_key} if wish.kms_key else {}
    return {
        "Engine": "aurora-postgresql",
        "EngineVersion": wish.engine_version,
        "DatabaseName": settings.database_name,
        "Port": settings.database_port,
        "MasterUsername": wish.master_user,
        "ManageMasterUserPassword": True,
        **secret,
        "ServerlessV2ScalingConfiguration": _scaling(wish),
        "DBSubnetGroupName": ref(DATABASE_SUBNETS),
        "VpcSecurityGroupIds": [attribute(DATABASE_GROUP, "GroupId")],
        "StorageEncrypted": True,
        "EnableIAMDatabaseAuthentication": True,
        "BackupRetentionPeriod": wish.backup_days,
        "CopyTagsToSnapshot": True,
        "DeletionProtection": wish.deletion_protection,
        "EnableCloudwatchLogsExports": ["postgresql"],
    }


def _scaling(wish: DatabaseWish) -> Json:
    """An idle time is accepted only for a cluster that may pause (ServerlessV2ScalingConfiguration)."""
    scaling: dict[str, Json] = {"MinCapacity": wish.min_capacity, "MaxCapacity": wish.max_capacity}
    if wish.min_capacity == 0:
        scaling["SecondsUntilAutoPause"] = wish.pause_after_seconds
    return scaling
