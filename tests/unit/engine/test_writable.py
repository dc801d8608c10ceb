"""A session that may only read is refused by name, with the endpoint to use instead."""

import pytest

from taxiway import errors
from taxiway.engine.ports import SessionFacts
from taxiway.engine.writable import require_writable

WRITER = "shop.cluster-abc123.eu-west-1.rds.amazonaws.com"


def facts(host: str, *, in_recovery: bool = False, read_only: bool = False) -> SessionFacts:
    return SessionFacts(
        label=f"{host}:5432/shop",
        user="u",
        database="shop",
        current_schema="public",
        search_path="public",
        server_version="17.10",
        server_version_num=170010,
        time_zone="UTC",
        host=host,
        in_recovery=in_recovery,
        read_only=read_only,
    )


def test_a_session_that_may_write_is_let_pass() -> None:
    require_writable(facts(WRITER))


@pytest.mark.parametrize(
    ("host", "advice"),
    [
        (WRITER.replace("cluster", "cluster-ro"), f"its writer endpoint, {WRITER}."),
        (WRITER, "a failover is going on"),
        ("shop-2.abc123.eu-west-1.rds.amazonaws.com", "NAME.cluster-ID.REGION.rds.amazonaws.com"),
        ("10.0.0.7", "the primary server"),
    ],
)
def test_a_server_in_recovery_is_refused_with_where_to_write(host: str, advice: str) -> None:
    with pytest.raises(errors.ReadOnlyServer) as caught:
        require_writable(facts(host, in_recovery=True, read_only=True))
    assert host in caught.value.message
    assert advice in (caught.value.hint or "")


def test_a_session_that_begins_read_only_is_refused_with_how_to_end_that() -> None:
    with pytest.raises(errors.ReadOnlyServer, match="default_transaction_read_only is on") as caught:
        require_writable(facts(WRITER, read_only=True))
    assert "initSql" in (caught.value.hint or "")
