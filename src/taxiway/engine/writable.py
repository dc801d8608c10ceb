"""Whether a session can write: a reader of the cluster, and a standby, cannot.

A reader of Aurora PostgreSQL is in recovery like any standby: that is what AWS's own drivers ask
(aws-advanced-jdbc-wrapper, ``AuroraPgDialect``).
"""

from taxiway import errors
from taxiway.engine.ports import SessionFacts
from taxiway.model.endpoint import find_rds_endpoint

_SWITCH_OFF = (
    "Remove it from the URL or the properties (readOnly, options), if it stands there; else run "
    "'ALTER ROLE … RESET default_transaction_read_only', the same with DATABASE, or set it off in initSql."
)


def require_writable(facts: SessionFacts) -> None:
    """Refuse to begin what could only fail in the middle.

    Raises:
        ReadOnlyServer: The server follows another one, or the session's transactions may only read.
    """
    if facts.in_recovery:
        raise errors.ReadOnlyServer(
            f"{facts.label} is read-only: a standby, or a reader of an Aurora cluster. Nothing was changed.",
            hint=_where_to_write(facts.host),
        )
    if facts.read_only:
        raise errors.ReadOnlyServer(
            f"{facts.label} gives a read-only session: default_transaction_read_only is on. Nothing was changed.",
            hint=_SWITCH_OFF,
        )


def _where_to_write(host: str) -> str:
    endpoint = find_rds_endpoint(host)
    if endpoint is None:
        return "Connect to the primary server; for Aurora, to the cluster's writer endpoint."
    if endpoint.writer:
        return f"{host} is the cluster's reader endpoint. Connect to its writer endpoint, {endpoint.writer}."
    if endpoint.kind == "cluster":
        return "This is the cluster's writer endpoint: a failover is going on. Run again in a minute."
    return (
        "Connect to the cluster's writer endpoint (NAME.cluster-ID.REGION.rds.amazonaws.com; 'Endpoint' in "
        "'aws rds describe-db-clusters'): which instance writes changes with every failover."
    )
