"""RDS: databases with all their settings, snapshots, and what a restore does to them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, final

from taxiway.aws import rds_settings
from taxiway.aws.errors import error_message, translating
from taxiway.aws.rds_settings import change_arguments, new_arguments, read_settings
from taxiway.aws.session import Place, client
from taxiway.errors import AwsBusy, AwsNotFound, TaxiwayError
from taxiway.model.snapshot import (
    DATABASE_TAG,
    Configuration,
    Database,
    DatabaseKind,
    Instance,
    InstanceConfiguration,
    Snapshot,
)
from taxiway.planning.manifest import decode_manifest

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

# How RDS says "not now" and "there is one already": after either, what there is has to be looked at again.
_BUSY: Final = (
    "DBClusterAlreadyExistsFault",
    "DBClusterSnapshotAlreadyExistsFault",
    "DBInstanceAlreadyExists",
    "DBSnapshotAlreadyExists",
    "InvalidDBClusterSnapshotStateFault",
    "InvalidDBClusterStateFault",
    "InvalidDBInstanceState",
    "InvalidDBSnapshotState",
)
_NOT_FOUND: Final = (
    "DBClusterNotFoundFault",
    "DBClusterSnapshotNotFoundFault",
    "DBInstanceNotFound",
    "DBSnapshotNotFound",
)
_CLUSTER, _INSTANCE = DatabaseKind.CLUSTER, DatabaseKind.INSTANCE


@final
class Rds:
    """The calls of RDS that Taxiway makes; each needs the IAM action that its errors name."""

    def __init__(self, place: Place) -> None:
        """AWS is not asked for anything yet."""
        # The stubs of RDS are larger than all others together; what is used of its answers is read here only.
        self._client: Any = client("rds", place)

    @property
    def region(self) -> str:
        """The region that the client has found."""
        region: str = self._client.meta.region_name
        return region

    # --- what there is

    def list_databases(self) -> list[Database]:
        """All Aurora clusters, and all instances that belong to none.

        Raises:
            AwsError: AWS refused or could not be asked.
        """
        instances = self._pages("DescribeDBInstances", "describe_db_instances", "DBInstances")
        clusters = self._pages("DescribeDBClusters", "describe_db_clusters", "DBClusters")
        by_cluster: dict[str, list[Mapping[str, Any]]] = {}
        for one in instances:
            by_cluster.setdefault(one.get("DBClusterIdentifier") or "", []).append(one)
        return [
            *(_cluster(one, by_cluster.get(one["DBClusterIdentifier"], [])) for one in clusters),
            *map(_plain_instance, by_cluster.get("", [])),
        ]

    def list_snapshots(self, kind: DatabaseKind, database: str) -> list[Snapshot]:
        """The snapshots of a database, those included that RDS makes by itself; in no certain order.

        One whose tags name the database is one of it too: it was made of an original that had another name then.
        Raises as above.
        """
        if kind is _CLUSTER:
            call = ("DescribeDBClusterSnapshots", "describe_db_cluster_snapshots", "DBClusterSnapshots")
        else:
            call = ("DescribeDBSnapshots", "describe_db_snapshots", "DBSnapshots")
        found = [_snapshot(kind, one) for one in self._pages(*call)]
        return [one for one in found if database in {one.database, one.tags.get(DATABASE_TAG)}]

    def _pages(self, action: str, operation: str, key: str) -> list[Mapping[str, Any]]:
        with translating(f"rds:{action}", "*"):
            return [one for page in self._client.get_paginator(operation).paginate() for one in page[key]]

    # --- making

    def create_snapshot(self, database: Database, name: str, tags: Mapping[str, str]) -> None:
        """Begin a snapshot.

        Raises:
            AwsBusy: The database is not in a state for it.
            AwsError: AWS refused or could not be asked.
        """
        if database.kind is _CLUSTER:
            self._call(
                "CreateDBClusterSnapshot",
                database.name,
                DBClusterIdentifier=database.name,
                DBClusterSnapshotIdentifier=name,
                Tags=_tags(tags),
            )
        else:
            self._call(
                "CreateDBSnapshot",
                database.name,
                DBInstanceIdentifier=database.name,
                DBSnapshotIdentifier=name,
                Tags=_tags(tags),
            )

    def restore(self, snapshot: Snapshot, name: str, wanted: Configuration, tags: Mapping[str, str]) -> None:
        """Begin a database of a snapshot, with what such a call can be given of its settings. Raises as above."""
        given = {"Tags": _tags({**wanted.tags, **tags})}
        if snapshot.kind is _CLUSTER:
            given |= new_arguments(rds_settings.CLUSTER, wanted.settings)
            # An encrypted snapshot that is given no key is restored with its own.
            self._call(
                "RestoreDBClusterFromSnapshot",
                name,
                SnapshotIdentifier=snapshot.arn,
                DBClusterIdentifier=name,
                **_with_key(given, wanted),
            )
        else:
            given |= new_arguments(rds_settings.INSTANCE, wanted.settings)
            self._call(
                "RestoreDBInstanceFromDBSnapshot",
                name,
                DBSnapshotIdentifier=snapshot.name,
                DBInstanceIdentifier=name,
                **given,
            )

    def create_instance(
        self, cluster: str, name: str, wanted: InstanceConfiguration, tags: Mapping[str, str]
    ) -> None:
        """Begin an instance of a cluster. Raises as above."""
        self._call(
            "CreateDBInstance",
            name,
            DBClusterIdentifier=cluster,
            DBInstanceIdentifier=name,
            Tags=_tags({**wanted.tags, **tags}),
            **new_arguments(rds_settings.MEMBER, wanted.settings),
        )

    # --- changing

    def change(self, target: Database | Instance, wanted: Configuration | InstanceConfiguration) -> None:
        """Set what is not as it has to be and can be set. Raises as above."""
        table, call, names = _change_call(target)
        arguments = change_arguments(table, wanted.settings, target.settings)
        if arguments:
            self._call(call, target.name, **{names: target.name}, ApplyImmediately=True, **arguments)
        missing = {key: value for key, value in wanted.tags.items() if target.tags.get(key) != value}
        if missing:
            self.add_tags(target.arn, missing)
        if isinstance(target, Database):
            self._add_roles(target, wanted)

    def _add_roles(self, target: Database, wanted: Configuration | InstanceConfiguration) -> None:
        there = target.settings.get(rds_settings.ROLES) or []
        for role, feature in wanted.settings.get(rds_settings.ROLES) or []:
            if [role, feature] in there:
                continue
            call, key = (
                ("AddRoleToDBCluster", "DBClusterIdentifier")
                if target.kind is _CLUSTER
                else ("AddRoleToDBInstance", "DBInstanceIdentifier")
            )
            named = {"FeatureName": feature} if feature else {}
            self._call(call, target.name, **{key: target.name}, RoleArn=role, **named)

    def rename(self, target: Database | Instance, name: str) -> None:
        """Begin to give it another name; its endpoints follow. An instance is restarted. Raises as above."""
        _, call, names = _change_call(target)
        self._call(
            call,
            target.name,
            **{names: target.name, names.replace("DB", "NewDB", 1): name},
            ApplyImmediately=True,
        )

    def unprotect(self, target: Database) -> None:
        """Allow its deletion. Raises as above."""
        _, call, names = _change_call(target)
        self._call(call, target.name, **{names: target.name}, DeletionProtection=False, ApplyImmediately=True)

    def add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags, which hold at once. Raises as above."""
        self._call("AddTagsToResource", arn, ResourceName=arn, Tags=_tags(tags))

    def remove_tags(self, arn: str, keys: list[str]) -> None:
        """Remove tags; harmless where they are not. Raises as above."""
        self._call("RemoveTagsFromResource", arn, ResourceName=arn, TagKeys=keys)

    # --- deleting

    def delete_instance(self, target: Instance) -> None:
        """Begin to delete an instance of a cluster, which has no data of its own. Raises as above."""
        self._call("DeleteDBInstance", target.name, DBInstanceIdentifier=target.name)

    def delete(self, target: Database, snapshot: str) -> None:
        """Begin to delete a database, with a last snapshot. Raises as above."""
        if target.kind is _CLUSTER:
            self._call(
                "DeleteDBCluster",
                target.name,
                DBClusterIdentifier=target.name,
                SkipFinalSnapshot=False,
                FinalDBSnapshotIdentifier=snapshot,
            )
        else:
            self._call(
                "DeleteDBInstance",
                target.name,
                DBInstanceIdentifier=target.name,
                SkipFinalSnapshot=False,
                FinalDBSnapshotIdentifier=snapshot,
            )

    def _call(self, action: str, resource: str, **arguments: object) -> None:
        known = {**_known(_BUSY, _busy), **_known(_NOT_FOUND, _gone)}
        with translating(f"rds:{action}", resource, known):
            getattr(self._client, _METHODS[action])(**arguments)


_METHODS: Final[Mapping[str, str]] = {
    "AddRoleToDBCluster": "add_role_to_db_cluster",
    "AddRoleToDBInstance": "add_role_to_db_instance",
    "AddTagsToResource": "add_tags_to_resource",
    "CreateDBClusterSnapshot": "create_db_cluster_snapshot",
    "CreateDBInstance": "create_db_instance",
    "CreateDBSnapshot": "create_db_snapshot",
    "DeleteDBCluster": "delete_db_cluster",
    "DeleteDBInstance": "delete_db_instance",
    "ModifyDBCluster": "modify_db_cluster",
    "ModifyDBInstance": "modify_db_instance",
    "RemoveTagsFromResource": "remove_tags_from_resource",
    "RestoreDBClusterFromSnapshot": "restore_db_cluster_from_snapshot",
    "RestoreDBInstanceFromDBSnapshot": "restore_db_instance_from_db_snapshot",
}


def _known(
    codes: tuple[str, ...], make: "Callable[[ClientError], TaxiwayError]"
) -> "dict[str, Callable[[ClientError], TaxiwayError]]":
    return dict.fromkeys(codes, make)


def _busy(error: "ClientError") -> AwsBusy:
    return AwsBusy(f"RDS cannot do that now: {error_message(error)}", hint="Wait a moment, and run it again.")


def _gone(error: "ClientError") -> AwsNotFound:
    return AwsNotFound(
        f"RDS does not find it: {error_message(error)}",
        kind="database",
        name="",
        hint="Look again in a moment: RDS hides what it is renaming.",
    )


def _change_call(target: Database | Instance) -> tuple[tuple[rds_settings.Setting, ...], str, str]:
    """The settings, the call that changes them, and the parameter that says of what."""
    if isinstance(target, Instance):
        return rds_settings.MEMBER, "ModifyDBInstance", "DBInstanceIdentifier"
    if target.kind is _CLUSTER:
        return rds_settings.CLUSTER, "ModifyDBCluster", "DBClusterIdentifier"
    return rds_settings.INSTANCE, "ModifyDBInstance", "DBInstanceIdentifier"


def _with_key(given: dict[str, Any], wanted: Configuration) -> dict[str, Any]:
    key = wanted.settings.get("KmsKeyId")
    return {**given, "KmsKeyId": key} if key else given


def _cluster(content: Mapping[str, Any], instances: list[Mapping[str, Any]]) -> Database:
    members = {one["DBInstanceIdentifier"]: one for one in content.get("DBClusterMembers") or ()}
    return Database(
        kind=_CLUSTER,
        name=content["DBClusterIdentifier"],
        arn=content["DBClusterArn"],
        resource_id=content["DbClusterResourceId"],
        status=content["Status"],
        settings=read_settings(rds_settings.CLUSTER, content),
        tags=_plain(content),
        master_secret=_master_secret(content),
        instances=tuple(_instance(one, members.get(one["DBInstanceIdentifier"]) or {}) for one in instances),
    )


def _instance(content: Mapping[str, Any], member: Mapping[str, Any]) -> Instance:
    return Instance(
        name=content["DBInstanceIdentifier"],
        arn=content["DBInstanceArn"],
        status=content["DBInstanceStatus"],
        is_writer=bool(member.get("IsClusterWriter")),
        settings=read_settings(rds_settings.MEMBER, content),
        tags=_plain(content),
    )


def _plain_instance(content: Mapping[str, Any]) -> Database:
    return Database(
        kind=_INSTANCE,
        name=content["DBInstanceIdentifier"],
        arn=content["DBInstanceArn"],
        resource_id=content["DbiResourceId"],
        status=content["DBInstanceStatus"],
        settings=read_settings(rds_settings.INSTANCE, content),
        tags=_plain(content),
        master_secret=_master_secret(content),
    )


def _master_secret(content: Mapping[str, Any]) -> str | None:
    return (content.get("MasterUserSecret") or {}).get("SecretArn")


def _snapshot(kind: DatabaseKind, content: Mapping[str, Any]) -> Snapshot:
    word = "DBClusterSnapshot" if kind is _CLUSTER else "DBSnapshot"
    tags = _plain(content)
    return Snapshot(
        kind=kind,
        name=content[f"{word}Identifier"],
        arn=content[f"{word}Arn"],
        database=content["DBClusterIdentifier" if kind is _CLUSTER else "DBInstanceIdentifier"],
        status=content["Status"],
        percent=content.get("PercentProgress"),
        created_at=content.get("SnapshotCreateTime"),
        size_gib=content.get("AllocatedStorage"),
        engine=content.get("Engine", ""),
        engine_version=content.get("EngineVersion", ""),
        type=content.get("SnapshotType", "manual"),
        is_encrypted=bool(content.get("StorageEncrypted" if kind is _CLUSTER else "Encrypted")),
        tags=tags,
        manifest=decode_manifest(tags),
    )


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _plain(content: Mapping[str, Any]) -> dict[str, str]:
    return {one["Key"]: one.get("Value", "") for one in content.get("TagList") or ()}
