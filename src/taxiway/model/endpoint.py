"""What the name of an RDS or Aurora server says of it.

The forms are those of the Aurora User Guide, "Amazon Aurora endpoint connections" and "Working with Amazon RDS
Proxy endpoints": ``NAME.KIND-ID.REGION.rds.amazonaws.com``, without a kind for one instance, and in China
``NAME.KIND-ID.rds.REGION.amazonaws.com.cn``.
"""

from typing import Final, NamedTuple

_SUFFIX: Final = ("rds", "amazonaws", "com")
_SUFFIX_IN_CHINA: Final = ("amazonaws", "com", "cn")
_FEWEST_LABELS: Final = 3


class RdsEndpoint(NamedTuple):
    """A name that AWS has given to a server.

    Attributes:
        region: Such as ``eu-west-1``.
        kind: ``cluster`` for the writer of a cluster, ``cluster-ro``, ``cluster-custom``, ``proxy``; empty for
            one instance.
        writer: The name of the writer's endpoint, where this one is the cluster's for readers.
    """

    region: str
    kind: str
    writer: str = ""

    @property
    def is_proxy(self) -> bool:
        """It is an RDS Proxy and no database: certificates of public authorities, and pooled sessions."""
        return self.kind == "proxy"


def find_rds_endpoint(host: str) -> RdsEndpoint | None:
    """What the name says; ``None`` for addresses, names of other people, and several names at once."""
    name = host.lower().rstrip(".")
    labels = name.split(".")
    if tuple(labels[-3:]) == _SUFFIX:
        labels = labels[:-3]
    elif tuple(labels[-3:]) == _SUFFIX_IN_CHINA and labels[-5:-4] == ["rds"]:
        labels = [*labels[:-5], labels[-4]]
    else:
        return None
    if len(labels) < _FEWEST_LABELS or not all(labels) or "," in name:
        return None
    *_, server, region = labels
    kind = server.rpartition("-")[0]
    writer = name.replace(".cluster-ro-", ".cluster-", 1) if kind == "cluster-ro" else ""
    return RdsEndpoint(region, kind, writer)
