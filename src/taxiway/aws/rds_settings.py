"""The settings of a database of RDS: where DescribeDB… tells each, and which calls take it.

One row per parameter of the API: what a restore gives back is exactly what stands here (API reference:
RestoreDBClusterFromSnapshot, ModifyDBCluster, CreateDBInstance, ModifyDBInstance,
RestoreDBInstanceFromDBSnapshot). What belongs to the data, such as the name of the master user, comes with the
data and is only compared.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from taxiway.model.snapshot import Settings

type Described = Mapping[str, Any]

LOG_EXPORTS: Final = "EnableCloudwatchLogsExports"
ROLES: Final = "AssociatedRoles"
MANAGED_PASSWORD: Final = "ManageMasterUserPassword"  # noqa: S105 - the name of a parameter

# From which size on a gp3 volume of PostgreSQL has several stripes ("gp3 storage", RDS manual).
_STRIPED_GIB: Final = 400


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter. ``read`` gives None for what AWS does not tell.

    Attributes:
        in_new: The call that makes the restored one takes it.
        in_change: The call that changes one takes it.
    """

    name: str
    read: Callable[[Described], Any]
    in_new: bool = False
    in_change: bool = False


def _get(key: str) -> Callable[[Described], Any]:
    return lambda described: described.get(key)


def _flag(key: str) -> Callable[[Described], bool]:
    return lambda described: bool(described.get(key))


def _security_groups(described: Described) -> list[str]:
    return sorted(one["VpcSecurityGroupId"] for one in described.get("VpcSecurityGroups") or ())


def _log_exports(described: Described) -> list[str]:
    return sorted(described.get("EnabledCloudwatchLogsExports") or ())


def _key(described: Described) -> Any:  # noqa: ANN401 - as AWS has it
    return described.get("KmsKeyId") if described.get("StorageEncrypted") else None


def _scaling(described: Described) -> dict[str, Any] | None:
    found = described.get("ServerlessV2ScalingConfiguration") or {}
    return {key: value for key, value in found.items() if value is not None} or None


def _roles(described: Described) -> list[list[str]]:
    found = described.get("AssociatedRoles") or ()
    return sorted([one["RoleArn"], one.get("FeatureName") or ""] for one in found)


def _secret_key(described: Described) -> Any:  # noqa: ANN401 - as AWS has it
    return (described.get("MasterUserSecret") or {}).get("KmsKeyId")


def _parameter_group(described: Described) -> str | None:
    groups = described.get("DBParameterGroups") or ()
    return groups[0]["DBParameterGroupName"] if groups else None


def _option_group(described: Described) -> str | None:
    groups = described.get("OptionGroupMemberships") or ()
    return groups[0]["OptionGroupName"] if groups else None


def _subnet_group(described: Described) -> str | None:
    return (described.get("DBSubnetGroup") or {}).get("DBSubnetGroupName")


def _port(described: Described) -> int | None:
    return (described.get("Endpoint") or {}).get("Port")


def _zone(described: Described) -> str | None:
    """Where it is; of a Multi-AZ one no call takes it, because it changes with every failover."""
    return None if described.get("MultiAZ") else described.get("AvailabilityZone")


def _provisioned(key: str) -> Callable[[Described], int | None]:
    """Of a gp3 volume below 400 GiB AWS tells what all of them have, and refuses to be given it.

    "You can't specify IOPS or storage throughput for engine postgres and a storage size less than 400."
    """

    def read(described: Described) -> int | None:
        is_fixed = described.get("StorageType") == "gp3" and described.get("AllocatedStorage", 0) < _STRIPED_GIB
        return None if is_fixed else described.get(key)

    return read


_SHARED: Final = (
    Setting("Engine", _get("Engine"), in_new=True),
    Setting("KmsKeyId", _key),
    Setting("NetworkType", _get("NetworkType"), in_new=True),
    Setting("StorageType", _get("StorageType"), in_new=True),
    Setting("EngineLifecycleSupport", _get("EngineLifecycleSupport"), in_new=True),
    Setting("VpcSecurityGroupIds", _security_groups, in_new=True, in_change=True),
    Setting(
        "EnableIAMDatabaseAuthentication", _flag("IAMDatabaseAuthenticationEnabled"), in_new=True, in_change=True
    ),
    Setting(LOG_EXPORTS, _log_exports, in_new=True, in_change=True),
    Setting("DeletionProtection", _flag("DeletionProtection"), in_new=True, in_change=True),
    Setting("CopyTagsToSnapshot", _flag("CopyTagsToSnapshot"), in_new=True, in_change=True),
    Setting("BackupRetentionPeriod", _get("BackupRetentionPeriod"), in_change=True),
    Setting("PreferredBackupWindow", _get("PreferredBackupWindow"), in_change=True),
    Setting("PreferredMaintenanceWindow", _get("PreferredMaintenanceWindow"), in_change=True),
    Setting(MANAGED_PASSWORD, _flag("MasterUserSecret"), in_change=True),
    Setting("MasterUserSecretKmsKeyId", _secret_key, in_change=True),
    Setting("MasterUsername", _get("MasterUsername")),
    Setting(ROLES, _roles),
)

CLUSTER: Final = (
    *_SHARED,
    Setting("EngineMode", _get("EngineMode"), in_new=True),
    Setting("EngineVersion", _get("EngineVersion"), in_new=True),
    Setting("Port", _get("Port"), in_new=True),
    Setting("DatabaseName", _get("DatabaseName")),
    Setting("DBSubnetGroupName", _get("DBSubnetGroup"), in_new=True),
    Setting("DBClusterParameterGroupName", _get("DBClusterParameterGroup"), in_new=True, in_change=True),
    Setting("ServerlessV2ScalingConfiguration", _scaling, in_new=True, in_change=True),
    Setting("EnableHttpEndpoint", _flag("HttpEndpointEnabled"), in_change=True),
    Setting("DatabaseInsightsMode", _get("DatabaseInsightsMode"), in_change=True),
)

_OBSERVED: Final = (
    Setting("DBInstanceClass", _get("DBInstanceClass"), in_new=True, in_change=True),
    Setting("AvailabilityZone", _zone, in_new=True),
    Setting("DBParameterGroupName", _parameter_group, in_new=True, in_change=True),
    Setting("AutoMinorVersionUpgrade", _flag("AutoMinorVersionUpgrade"), in_new=True, in_change=True),
    Setting("PubliclyAccessible", _flag("PubliclyAccessible"), in_new=True, in_change=True),
    Setting("CACertificateIdentifier", _get("CACertificateIdentifier"), in_new=True, in_change=True),
)


def _monitoring(*, in_new: bool) -> tuple[Setting, ...]:
    """CreateDBInstance takes these, RestoreDBInstanceFromDBSnapshot does not."""
    return (
        Setting("MonitoringInterval", _get("MonitoringInterval"), in_new=in_new, in_change=True),
        Setting("MonitoringRoleArn", _get("MonitoringRoleArn"), in_new=in_new, in_change=True),
        Setting("EnablePerformanceInsights", _flag("PerformanceInsightsEnabled"), in_new=in_new, in_change=True),
        Setting("PerformanceInsightsKMSKeyId", _get("PerformanceInsightsKMSKeyId"), in_new=in_new, in_change=True),
        Setting(
            "PerformanceInsightsRetentionPeriod",
            _get("PerformanceInsightsRetentionPeriod"),
            in_new=in_new,
            in_change=True,
        ),
    )


MEMBER: Final = (
    *_OBSERVED,
    *_monitoring(in_new=True),
    Setting("Engine", _get("Engine"), in_new=True),
    Setting("PromotionTier", _get("PromotionTier"), in_new=True, in_change=True),
    Setting("PreferredMaintenanceWindow", _get("PreferredMaintenanceWindow"), in_new=True, in_change=True),
)

INSTANCE: Final = (
    *_SHARED,
    *_OBSERVED,
    *_monitoring(in_new=False),
    # A restored instance has the version of its snapshot.
    Setting("EngineVersion", _get("EngineVersion"), in_change=True),
    Setting("Port", _port, in_new=True),
    Setting("DBName", _get("DBName")),
    Setting("DBSubnetGroupName", _subnet_group, in_new=True),
    Setting("OptionGroupName", _option_group, in_new=True, in_change=True),
    Setting("MultiAZ", _flag("MultiAZ"), in_new=True, in_change=True),
    Setting("LicenseModel", _get("LicenseModel"), in_new=True, in_change=True),
    Setting("AllocatedStorage", _get("AllocatedStorage"), in_new=True),
    Setting("Iops", _provisioned("Iops"), in_new=True, in_change=True),
    Setting("StorageThroughput", _provisioned("StorageThroughput"), in_new=True, in_change=True),
    Setting("MaxAllocatedStorage", _get("MaxAllocatedStorage"), in_change=True),
    Setting("DedicatedLogVolume", _flag("DedicatedLogVolume"), in_new=True, in_change=True),
)


def read_settings(table: Sequence[Setting], described: Described) -> dict[str, Any]:
    """The settings of what DescribeDB… told."""
    found = {one.name: one.read(described) for one in table}
    return {name: value for name, value in found.items() if value is not None}


def new_arguments(table: Sequence[Setting], settings: Settings) -> dict[str, Any]:
    """What the call that makes the restored one is given. An empty list is what AWS does by itself."""
    return {
        one.name: settings[one.name] for one in table if one.in_new and settings.get(one.name) not in (None, [])
    }


def change_arguments(table: Sequence[Setting], wanted: Settings, found: Settings) -> dict[str, Any]:
    """What the call that changes it is given: what differs, and can be changed."""
    changed = {
        one.name: wanted[one.name]
        for one in table
        if one.in_change and one.name in wanted and wanted[one.name] != found.get(one.name)
    }
    if LOG_EXPORTS in changed:
        on, off = set(changed.pop(LOG_EXPORTS)), set(found.get(LOG_EXPORTS) or ())
        changed["CloudwatchLogsExportConfiguration"] = {
            "EnableLogTypes": sorted(on - off),
            "DisableLogTypes": sorted(off - on),
        }
    if changed.get("PerformanceInsightsKMSKeyId") or changed.get("PerformanceInsightsRetentionPeriod"):
        changed["EnablePerformanceInsights"] = True
    if not changed.get(MANAGED_PASSWORD, True):
        # A database whose password RDS has begun to manage keeps that.
        del changed[MANAGED_PASSWORD]
    return changed
