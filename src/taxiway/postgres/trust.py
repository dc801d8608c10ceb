"""Whom a connection to RDS or Aurora trusts when nobody says it (docs/adr/0013-server-identity.md)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from taxiway.model.endpoint import find_rds_endpoint
from taxiway.postgres.certificates import RDS_CA_BUNDLE

VERIFY_FULL: Final = "verify-full"
_VERIFYING: Final = frozenset({"verify-ca", VERIFY_FULL})


def rds_trust(said: Mapping[str, str], host: str) -> dict[str, str]:
    """``sslmode`` and ``sslrootcert`` for a server that has a name of RDS, as far as neither is ``said``.

    RDS Proxy has certificates of public authorities, which the shipped ones are not. A file where libpq looks by
    itself (``~/.postgresql/root.crt``) was put there by somebody, and is what libpq is left with.
    """
    endpoint = find_rds_endpoint(host)
    if endpoint is None or endpoint.is_proxy:
        return {}
    mode = said.get("sslmode", VERIFY_FULL)
    trust = {} if "sslmode" in said else {"sslmode": mode}
    if mode in _VERIFYING and "sslrootcert" not in said and not _has_own_file():
        trust["sslrootcert"] = str(RDS_CA_BUNDLE)
    return trust


def _has_own_file() -> bool:
    try:
        return (Path.home() / ".postgresql" / "root.crt").exists()
    except RuntimeError:
        # There is no home directory, as in many containers.
        return False
