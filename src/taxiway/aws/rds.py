"""RDS: the snapshots that a deleted cluster has left."""

from typing import TYPE_CHECKING, Any, final

from taxiway.aws.errors import translating
from taxiway.aws.session import Place, client

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@final
class Rds:
    """The calls of RDS that Taxiway makes; each needs the IAM action that its errors name."""

    def __init__(self, place: Place) -> None:
        """AWS is not asked for anything yet."""
        # The client's types are a package of their own.
        self._client: Any = client("rds", place)

    def list_snapshots(self, cluster: str) -> list[str]:
        """The names of the manual snapshots of a cluster, which may be gone itself; the newest first."""
        with translating("rds:DescribeDBClusterSnapshots", cluster):
            pages: Iterator[Mapping[str, Any]] = self._client.get_paginator(
                "describe_db_cluster_snapshots"
            ).paginate(DBClusterIdentifier=cluster, SnapshotType="manual")
            found = [one for page in pages for one in page["DBClusterSnapshots"]]
        newest = sorted(found, key=lambda one: str(one.get("SnapshotCreateTime", "")), reverse=True)
        return [one["DBClusterSnapshotIdentifier"] for one in newest]
