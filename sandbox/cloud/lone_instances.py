"""Instances of RDS that belong to no cluster: each is a real server, and its snapshots are real copies.

What is restored has the settings that it was given, and otherwise those of a new one. What RDS refuses to be given
is refused ("RestoreDBInstanceFromDBSnapshot", API reference; "gp3 storage", RDS manual).
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from moto.rds.exceptions import DBInstanceNotFoundError, RDSClientError
from moto.rds.models import DBInstance, RDSBackend

from sandbox.cloud.database_servers import DatabaseServers
from sandbox.cloud.patches import replace

if TYPE_CHECKING:
    from sandbox.cloud.rds_api import RdsApi

_DELETE_SECONDS: Final = 0.3
# What comes with the data
_WITH_THE_DATA: Final = (
    "allocated_storage",
    "db_name",
    "engine",
    "engine_version",
    "kms_key_id",
    "license_model",
    "master_username",
    "storage_encrypted",
    "storage_type",
)
_STRIPED_GIB: Final = 400
_SMALL_IOPS: Final = 3000


class LoneInstances:
    """Those calls about instances that are about their data."""

    def __init__(self, api: "RdsApi", servers: DatabaseServers) -> None:
        self._api, self._servers = api, servers

    def install(self) -> None:
        """From now on, these calls come here."""
        snapshot = replace(RDSBackend, "create_db_snapshot", lambda *_: None)

        def create_snapshot(
            backend: RDSBackend,
            db_instance_identifier: str,
            db_snapshot_identifier: str,
            snapshot_type: str = "manual",
            **given: Any,  # noqa: ANN401 - moto's
        ) -> Any:  # noqa: ANN401 - moto's
            if snapshot_type == "manual":
                self._api.check_instance(backend, db_instance_identifier)
            made = snapshot(backend, db_instance_identifier, db_snapshot_identifier, snapshot_type, **given)
            if snapshot_type == "manual":
                self._copy(made)
            else:
                # Automated ones are never restored here, and would be in the way of those that are.
                backend.database_snapshots.pop(db_snapshot_identifier)
            return made

        def restore(backend: RDSBackend, from_snapshot_id: str, overrides: dict[str, Any]) -> Any:  # noqa: ANN401
            return self._restore(backend, from_snapshot_id, overrides)

        replace(RDSBackend, "create_db_snapshot", create_snapshot)
        replace(RDSBackend, "restore_db_instance_from_db_snapshot", restore)

    # --- making

    def start(self, backend: RDSBackend, instance: Any, given: dict[str, Any]) -> None:  # noqa: ANN401 - moto's
        """Give a new one its server: with the data of a snapshot, if one is given."""
        self._api.being_made(instance)
        self.open(backend, instance)
        resource: str = instance.dbi_resource_id

        def done(is_good: bool) -> None:
            self._api.made(instance, is_good)

        if "sandbox_snapshot" in given:
            self._servers.restore(resource, given["sandbox_snapshot"], done)
            return
        user, password = instance.master_username, given["master_user_password"]
        self._servers.create(resource, user=user, password=password, database=instance.db_name, done=done)

    def open(self, backend: RDSBackend, instance: Any) -> None:  # noqa: ANN401 - moto's
        """Let its present name have an endpoint."""
        name = instance.db_instance_identifier
        self._servers.open_endpoint(name, lambda: self._find_resource(backend, name), port=int(instance.port))

    def _find_resource(self, backend: RDSBackend, name: str) -> str | None:
        instance = backend.databases.get(name)
        if instance is None or not self._api.is_at_rest(instance):
            return None
        resource: str = instance.dbi_resource_id
        return resource

    def _restore(self, backend: RDSBackend, from_snapshot_id: str, overrides: dict[str, Any]) -> Any:  # noqa: ANN401
        [snapshot] = backend.describe_db_snapshots(None, from_snapshot_id)
        kept = {key: getattr(snapshot.database, key) for key in _WITH_THE_DATA}
        given = {key: value for key, value in overrides.items() if key != "db_snapshot_identifier"}
        _check({**kept, **given}, given)
        if given.get("option_group_name", "").startswith("default:"):
            # On AWS it is there, and is what one has without it.
            del given["option_group_name"]
        ours = {"master_user_password": "", "sandbox_snapshot": snapshot.db_snapshot_identifier}
        usual = {"iops": _SMALL_IOPS} if _is_small({**kept, **given}) else {}
        return backend.create_db_instance({**kept, **ours, **usual, **given})

    # --- copying and deleting

    def _copy(self, snapshot: Any) -> None:  # noqa: ANN401 - moto's
        snapshot.status = "creating"

        def done(is_good: bool) -> None:
            snapshot.status = "available" if is_good else "failed"

        self._servers.copy(snapshot.dbi_resource_id, snapshot.db_snapshot_identifier, done)

    def delete(
        self,
        backend: RDSBackend,
        instance: DBInstance,
        delete: Callable[..., Any],
        final_db_snapshot_identifier: str | None = None,
        **_: Any,  # noqa: ANN401 - moto's
    ) -> Any:  # noqa: ANN401 - moto's
        """Delete one, behind its last snapshot."""
        name = instance.db_instance_identifier
        if instance.deletion_protection:
            return delete(backend, name)  # it refuses
        if final_db_snapshot_identifier:
            backend.create_db_snapshot(name, final_db_snapshot_identifier)

        def end() -> None:
            while any(one.status == "creating" for one in [*backend.database_snapshots.values()]):
                time.sleep(0.05)
            with suppress(DBInstanceNotFoundError):
                delete(backend, name, skip_final_snapshot=True)
            self._servers.end(instance.dbi_resource_id)

        self._api.begin(instance, "deleting", _DELETE_SECONDS, end)
        return instance


def _is_small(wanted: dict[str, Any]) -> bool:
    """All such volumes have the same IOPS and throughput."""
    is_small: bool = wanted.get("storage_type") == "gp3" and wanted["allocated_storage"] < _STRIPED_GIB
    return is_small


def _check(wanted: dict[str, Any], given: dict[str, Any]) -> None:
    if wanted.get("multi_az") and given.get("availability_zone"):
        raise RDSClientError(
            "InvalidParameterCombination",
            "Requesting a specific availability zone is not valid for Multi-AZ instances.",
        )
    if _is_small(wanted) and (given.get("iops") or given.get("storage_throughput")):
        raise RDSClientError(
            "InvalidParameterCombination",
            "You can't specify IOPS or storage throughput for engine postgres and a storage size less than 400.",
        )
