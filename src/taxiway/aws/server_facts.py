"""A database of RDS, looked at from the outside: its state, its endpoints, its network."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

from taxiway.aws.errors import translating
from taxiway.aws.session import Place, client
from taxiway.errors import AwsNotFound
from taxiway.model.doctor import GroupFacts, ServerFacts
from taxiway.model.tunnel import POSTGRES_PORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_rds import RDSClient

type _Content = Mapping[str, Any]
type _Groups = "Callable[[Sequence[str]], tuple[GroupFacts, ...]]"


@final
class ServerReader:
    """The calls of RDS that only look; each needs the IAM action that its errors name."""

    def __init__(self, place: Place, *, groups: _Groups) -> None:
        """``groups`` looks up security groups. AWS is not asked for anything yet."""
        self._client: RDSClient = client("rds", place)
        self._groups = groups

    def find_server(self, host: str) -> ServerFacts | None:
        """The cluster or the instance that has this endpoint; ``None`` if none has."""
        with translating("rds:DescribeDBClusters", "*"):
            pages = self._client.get_paginator("describe_db_clusters").paginate()
            clusters: list[_Content] = [one for page in pages for one in page["DBClusters"]]
        for one in clusters:
            if host in {*_names(one)}:
                return self._cluster(one)
        with translating("rds:DescribeDBInstances", "*"):
            instances = self._client.get_paginator("describe_db_instances").paginate()
            found: list[_Content] = [one for page in instances for one in page["DBInstances"]]
        mine = next((one for one in found if (one.get("Endpoint") or {}).get("Address") == host), None)
        return self._instance(mine) if mine else None

    def get_server(self, name: str) -> ServerFacts:
        """The one of that identifier; the cluster wins where both have it.

        Raises:
            AwsNotFound: There is none.
        """
        missing = {
            code: lambda _: self._missing(name)
            for code in ("DBClusterNotFoundFault", "DBInstanceNotFound", "DBInstanceNotFoundFault")
        }
        try:
            with translating("rds:DescribeDBClusters", name, missing):
                return self._cluster(self._client.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0])
        except AwsNotFound:
            with translating("rds:DescribeDBInstances", name, missing):
                answer = self._client.describe_db_instances(DBInstanceIdentifier=name)
            return self._instance(answer["DBInstances"][0])

    def _missing(self, name: str) -> AwsNotFound:
        return AwsNotFound(
            f"There is no cluster and no instance '{name}' in region {self._client.meta.region_name}.",
            kind="cluster",
            name=name,
            hint="Correct database or region in [task] of taxiway.toml.",
        )

    def _cluster(self, content: _Content) -> ServerFacts:
        reader = content.get("ReaderEndpoint")
        return ServerFacts(
            identifier=content["DBClusterIdentifier"],
            kind="cluster",
            status=content.get("Status", ""),
            version=content.get("EngineVersion", ""),
            port=content.get("Port") or POSTGRES_PORT,
            writer=content.get("Endpoint"),
            readers=(reader,) if reader else (),
            is_replica=bool(content.get("ReplicationSourceIdentifier")),
            resource_id=content.get("DbClusterResourceId", ""),
            has_iam_login=bool(content.get("IAMDatabaseAuthenticationEnabled")),
            can_pause=(content.get("ServerlessV2ScalingConfiguration") or {}).get("MinCapacity") == 0,
            **self._placement(content),
        )

    def _instance(self, content: _Content) -> ServerFacts:
        endpoint = content.get("Endpoint") or {}
        return ServerFacts(
            identifier=content["DBInstanceIdentifier"],
            kind="instance",
            status=content.get("DBInstanceStatus", ""),
            version=content.get("EngineVersion", ""),
            port=endpoint.get("Port") or POSTGRES_PORT,
            writer=endpoint.get("Address"),
            is_replica=bool(content.get("ReadReplicaSourceDBInstanceIdentifier")),
            resource_id=content.get("DbiResourceId", ""),
            has_iam_login=bool(content.get("IAMDatabaseAuthenticationEnabled")),
            vpc=(content.get("DBSubnetGroup") or {}).get("VpcId"),
            groups=self._placement(content)["groups"],
        )

    def _placement(self, content: _Content) -> dict[str, Any]:
        """Its groups, and of a cluster the VPC of the first: DescribeDBClusters tells no other."""
        ids = [one["VpcSecurityGroupId"] for one in content.get("VpcSecurityGroups") or ()]
        groups = self._groups(ids)
        return {"groups": groups, "vpc": groups[0].vpc if groups else None}


def _names(content: _Content) -> tuple[str, ...]:
    names = (content.get("Endpoint"), content.get("ReaderEndpoint"), *(content.get("CustomEndpoints") or ()))
    return tuple(name for name in names if name)
