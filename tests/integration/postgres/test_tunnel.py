"""The server proves that it has the name that was asked for, whatever address is connected to."""

import pytest

from sandbox.postgres import PostgresServer
from taxiway import errors
from taxiway.model.settings import DatabaseSettings
from taxiway.postgres.certificates import RDS_CA_BUNDLE
from taxiway.secret import Secret
from tests.integration.postgres.conftest import RDS_NAME, Opener


def settings(server: PostgresServer, url: str = "", **parameters: str) -> DatabaseSettings:
    given = {"host": RDS_NAME, "hostaddr": server.host, "port": str(server.port), "dbname": "postgres"}
    trusted = {"sslrootcert": str(server.authority)}
    return DatabaseSettings(
        url=url,
        user="postgres",
        password=Secret(server.superuser_password),
        parameters=trusted | parameters if url else given | trusted | parameters,
    )


def test_the_name_is_checked_through_a_tunnel(opened: Opener, rds_server: PostgresServer) -> None:
    session = opened(settings(rds_server))
    assert session.facts.label == f"{RDS_NAME}:{rds_server.port}/postgres"


@pytest.mark.parametrize("scheme", ["postgresql", "jdbc:postgresql"])
def test_in_a_url_too(opened: Opener, rds_server: PostgresServer, scheme: str) -> None:
    address = {} if scheme == "postgresql" else {"hostaddr": rds_server.host}
    query = f"?hostaddr={rds_server.host}" if scheme == "postgresql" else ""
    url = f"{scheme}://{RDS_NAME}:{rds_server.port}/postgres{query}"
    assert opened(settings(rds_server, url, **address)).facts.database == "postgres"


def test_another_name_is_refused_with_what_to_do(opened: Opener, rds_server: PostgresServer) -> None:
    other = RDS_NAME.replace("shop", "other")
    with pytest.raises(errors.CertificateRejected, match="does not match host name") as caught:
        opened(settings(rds_server, host=other))
    assert f"{other} at {rds_server.host}:{rds_server.port}" in caught.value.message
    assert "--hostaddr" in (caught.value.hint or "")


def test_by_default_only_the_authorities_of_rds_count(opened: Opener, rds_server: PostgresServer) -> None:
    with pytest.raises(errors.CertificateRejected, match="certificate verify failed") as caught:
        opened(settings(rds_server, sslrootcert=str(RDS_CA_BUNDLE)))
    assert "sslrootcert" in (caught.value.hint or "")


def test_a_host_from_elsewhere_takes_the_address_of_the_url_away(
    opened: Opener, rds_server: PostgresServer
) -> None:
    url = f"postgresql://{RDS_NAME}:{rds_server.port}/postgres?hostaddr=192.0.2.1&connect_timeout=2"
    assert opened(settings(rds_server, url, host="localhost")).facts.database == "postgres"
