"""What the names that AWS gives to servers say."""

import pytest

from taxiway.model.endpoint import RdsEndpoint, find_rds_endpoint


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        ("shop.cluster-abc123.eu-west-1.rds.amazonaws.com", RdsEndpoint("eu-west-1", "cluster")),
        ("Shop.CLUSTER-abc123.EU-West-1.rds.amazonaws.com.", RdsEndpoint("eu-west-1", "cluster")),
        ("shop-1.abc123.ap-southeast-2.rds.amazonaws.com", RdsEndpoint("ap-southeast-2", "")),
        (
            "shop.cluster-custom-abc123.us-gov-west-1.rds.amazonaws.com",
            RdsEndpoint("us-gov-west-1", "cluster-custom"),
        ),
        ("shop.proxy-abc123.eu-west-1.rds.amazonaws.com", RdsEndpoint("eu-west-1", "proxy")),
        ("reports.endpoint.proxy-abc123.eu-west-1.rds.amazonaws.com", RdsEndpoint("eu-west-1", "proxy")),
        ("shop.cluster-abc123.rds.cn-north-1.amazonaws.com.cn", RdsEndpoint("cn-north-1", "cluster")),
        (
            "shop.cluster-ro-abc123.eu-west-1.rds.amazonaws.com",
            RdsEndpoint("eu-west-1", "cluster-ro", "shop.cluster-abc123.eu-west-1.rds.amazonaws.com"),
        ),
    ],
)
def test_names_of_rds(host: str, endpoint: RdsEndpoint) -> None:
    assert find_rds_endpoint(host) == endpoint


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "10.0.0.7",
        "/var/run/postgresql",
        "db.example.com",
        "rds.amazonaws.com",
        "eu-west-1.rds.amazonaws.com",
        "shop.eu-west-1.rds.amazonaws.com",
        "shop.abc.eu-west-1.rds.amazonaws.com.example.com",
        "shop.abc.eu-west-1.xrds.amazonaws.com",
        "shop..eu-west-1.rds.amazonaws.com",
        "a.b.eu-west-1.rds.amazonaws.com,c.d.eu-west-1.rds.amazonaws.com",
    ],
)
def test_other_names_say_nothing(host: str) -> None:
    assert find_rds_endpoint(host) is None
