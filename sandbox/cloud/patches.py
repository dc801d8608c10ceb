"""How the emulator is changed: in one place, so that it is seen what depends on its inside.

Its version is pinned exactly. tests/integration/sandbox/test_emulator.py has a canary for everything that we mend:
it fails when the emulator has mended it itself, and then the patch can go.
"""

from collections.abc import Callable
from functools import cache
from typing import Any


def replace(owner: type, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """Put our method in the place of one that is there, which is given back.

    Raises:
        AttributeError: There is no such method: the emulator has changed.
    """
    genuine: Callable[..., Any] = getattr(owner, name)
    setattr(owner, name, method)
    return genuine


def add(owner: type, name: str, method: Callable[..., Any]) -> None:
    """Put a method where none is.

    Raises:
        AttributeError: There is one: the emulator has it itself by now.
    """
    if hasattr(owner, name):
        message = f"{owner.__name__}.{name} is there"
        raise AttributeError(message)
    setattr(owner, name, method)


@cache
def mend_restored_clusters() -> None:
    """RestoreDBClusterFromSnapshot ends in a KeyError if RDS manages the master password of the cluster."""
    from moto.rds.models import DBCluster

    def get_cfg(cluster: Any) -> Any:  # noqa: ANN401 - moto's
        cluster.__dict__.setdefault("_master_user_password", None)
        return genuine(cluster)

    genuine = replace(DBCluster, "get_cfg", get_cfg)
