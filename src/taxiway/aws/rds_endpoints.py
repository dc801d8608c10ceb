"""RDS: which names a cluster or an instance has, and what they lead to."""

from contextlib import suppress
from typing import TYPE_CHECKING, final

from taxiway.aws.errors import translating
from taxiway.aws.session import Place, client
from taxiway.errors import AwsError, AwsNotFound, InvalidOption
from taxiway.model.tunnel import POSTGRES_PORT, DatabaseServer, Role
from taxiway.nearest import find_nearest

if TYPE_CHECKING:
    from types_boto3_rds import RDSClient
    from types_boto3_rds.type_defs import DBClusterTypeDef, DBInstanceTypeDef


@final
class RdsEndpoints:
    """The calls of RDS that Taxiway makes; each needs the IAM action that its errors name."""

    def __init__(self, place: Place) -> None:
        """AWS is not asked for anything yet."""
        self._client: RDSClient = client("rds", place)

    def get_server(self, name: str) -> DatabaseServer:
        """A cluster, or an instance, by its identifier; the cluster wins where both have it.

        Raises:
            AwsNotFound: There is none of that name.
            InvalidOption: It has no endpoint, or is no PostgreSQL.
            AwsError: AWS refused or could not be asked.
        """
        cluster = self._find_cluster(name)
        if cluster is not None:
            return _of_cluster(cluster)
        instance = self._find_instance(name)
        if instance is None:
            raise self._missing(name)
        within = instance.get("DBClusterIdentifier")
        return _of_instance(instance, self._find_cluster(within) if within else None)

    def _find_cluster(self, name: str) -> "DBClusterTypeDef | None":
        try:
            with translating("rds:DescribeDBClusters", name, {"DBClusterNotFoundFault": lambda _: _none(name)}):
                return self._client.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        except AwsNotFound:
            return None

    def _find_instance(self, name: str) -> "DBInstanceTypeDef | None":
        # "DBInstanceNotFound" without "Fault" is the code on the wire (boto3's model of RDS).
        missing = {code: lambda _: _none(name) for code in ("DBInstanceNotFound", "DBInstanceNotFoundFault")}
        try:
            with translating("rds:DescribeDBInstances", name, missing):
                return self._client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        except AwsNotFound:
            return None

    def _missing(self, name: str) -> AwsNotFound:
        near = find_nearest(name, self._names())
        region = self._client.meta.region_name
        return AwsNotFound(
            f"There is no cluster and no instance '{name}' in region {region}.",
            kind="cluster",
            name=name,
            hint=f"Did you mean '{near}'?" if near else "Check the name, the region and the account.",
        )

    def _names(self) -> list[str]:
        """Those of all clusters and instances, for a hint; none where that is not allowed."""
        names: list[str] = []
        with suppress(AwsError), translating("rds:DescribeDBClusters", "*"):
            names += [
                one.get("DBClusterIdentifier", "") for one in self._client.describe_db_clusters()["DBClusters"]
            ]
        with suppress(AwsError), translating("rds:DescribeDBInstances", "*"):
            instances = self._client.describe_db_instances()["DBInstances"]
            names += [one.get("DBInstanceIdentifier", "") for one in instances]
        return names


def _none(name: str) -> AwsNotFound:
    return AwsNotFound("There is none.", kind="cluster", name=name)


def _of_cluster(cluster: "DBClusterTypeDef") -> DatabaseServer:
    name = cluster.get("DBClusterIdentifier", "")
    _check_engine(name, cluster.get("Engine", ""))
    host = cluster.get("Endpoint")
    if not host:
        raise _without_endpoint(name, cluster.get("Status", ""))
    return DatabaseServer(
        identifier=name,
        host=host,
        port=cluster.get("Port") or POSTGRES_PORT,
        role=Role.WRITER,
        reader=cluster.get("ReaderEndpoint"),
        cluster=name,
        database=cluster.get("DatabaseName"),
        user=cluster.get("MasterUsername"),
    )


def _of_instance(instance: "DBInstanceTypeDef", cluster: "DBClusterTypeDef | None") -> DatabaseServer:
    name = instance.get("DBInstanceIdentifier", "")
    _check_engine(name, instance.get("Engine", ""))
    endpoint = instance.get("Endpoint", {})
    host = endpoint.get("Address")
    if not host:
        raise _without_endpoint(name, instance.get("DBInstanceStatus", ""))
    return DatabaseServer(
        identifier=name,
        host=host,
        port=endpoint.get("Port") or POSTGRES_PORT,
        role=_role(name, instance, cluster),
        cluster=instance.get("DBClusterIdentifier"),
        database=instance.get("DBName") or (cluster or {}).get("DatabaseName"),
        user=instance.get("MasterUsername"),
    )


def _role(name: str, instance: "DBInstanceTypeDef", cluster: "DBClusterTypeDef | None") -> Role:
    """What an instance is now. In a cluster that changes with the next failover."""
    if cluster is not None:
        members = {one.get("DBInstanceIdentifier"): one for one in cluster.get("DBClusterMembers", ())}
        return Role.WRITER if members.get(name, {}).get("IsClusterWriter") else Role.READER
    return Role.READER if instance.get("ReadReplicaSourceDBInstanceIdentifier") else Role.WRITER


def _check_engine(name: str, engine: str) -> None:
    if engine and "postgres" not in engine:
        raise InvalidOption(
            f"'{name}' is no PostgreSQL, but {engine}.", hint="Name a PostgreSQL cluster or instance."
        )


def _without_endpoint(name: str, status: str) -> InvalidOption:
    return InvalidOption(
        f"'{name}' has no endpoint: its status is {status or 'not known'}.", hint="Wait until it is available."
    )
