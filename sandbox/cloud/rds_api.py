"""RDS with data and with time, in the place of the emulator's own calls.

Those of moto have no data, are done at once, restore every setting with a snapshot, and let instances go astray
when their cluster is renamed. Here a cluster owns a real server, a snapshot is a real copy of its data, what is
restored has the settings that it was given and otherwise those of a new one, and everything takes a while:
creating, modifying, renaming (after which RDS hides it for a moment), deleting. What comes too early is refused.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Timer
from typing import Any, Final

from moto.rds.exceptions import (
    DBClusterNotFoundError,
    DBInstanceNotFoundError,
    InvalidDBClusterStateFault,
    RDSClientError,
)
from moto.rds.models import DBCluster, DBInstance, MasterUserSecret, RDSBackend

from sandbox.cloud.database_servers import DatabaseServers
from sandbox.cloud.lone_instances import LoneInstances
from sandbox.cloud.patches import replace
from sandbox.password import make_password

# What a change, a renaming or a deletion takes, and how long RDS shows neither the old name nor the new one.
_CHANGE_SECONDS: Final = 0.15
_RENAME_SECONDS: Final = 0.3
_HIDDEN_SECONDS: Final = 0.3
_DELETE_SECONDS: Final = 0.3
# The part of an endpoint that is the same for all of an account in a region.
URL_IDENTIFIER: Final = "c0ffee123456"

# What comes with the data; everything else is as in a new cluster unless it is given.
_WITH_THE_DATA: Final = (
    "allocated_storage",
    "database_name",
    "engine",
    "engine_version",
    "master_username",
    "storage_encrypted",
    "kms_key_id",
    "engine_mode",
)


class RdsApi:
    """The calls about databases and snapshots."""

    def __init__(self, servers: DatabaseServers) -> None:
        self._servers = servers
        self._lock = Lock()
        # By the object of the emulator: its status for a time, and until when nobody sees it.
        self._status: dict[int, str] = {}
        self._hidden_until: dict[int, float] = {}
        self._numbers = 0
        self._alone = LoneInstances(self, servers)

    def install(self) -> None:
        """From now on, these calls come here."""
        self._install_status()
        self._install_clusters()
        self._install_instances()
        self._alone.install()
        self._install_looking()

    # --- status

    def _install_status(self) -> None:
        """A status of ours wins over the emulator's, which knows hardly any."""

        def get(resource: Any) -> str:  # noqa: ANN401 - moto's
            return self._status.get(id(resource), "available")

        def set_(_resource: Any, _value: str) -> None:  # noqa: ANN401 - moto's
            """What the emulator thinks of it does not matter."""

        DBCluster.status = property(get, set_)  # type: ignore[method-assign, assignment]
        DBInstance.status = property(get, set_)  # type: ignore[assignment]

    def being_made(self, resource: Any) -> None:  # noqa: ANN401 - moto's
        """Until :meth:`made` tells how it has ended."""
        self._status[id(resource)] = "creating"

    def begin(self, resource: Any, status: str, seconds: float, then: Callable[[], None] = lambda: None) -> None:  # noqa: ANN401
        """Let it have a status for a time; ``then`` happens at its end."""

        def end() -> None:
            then()
            self._status.pop(id(resource), None)

        self._status[id(resource)] = status
        _later(seconds, end)

    def _check_cluster(self, backend: RDSBackend, name: str) -> Any:  # noqa: ANN401 - moto's
        cluster = backend.clusters.get(name)
        if cluster is None or self._is_hidden(cluster):
            raise DBClusterNotFoundError(name)
        if cluster.status != "available":
            raise InvalidDBClusterStateFault(
                f"DBCluster {name} is in {cluster.status} state but expected it to be one of available."
            )
        return cluster

    def check_instance(self, backend: RDSBackend, name: str) -> Any:  # noqa: ANN401 - moto's
        """The instance, if something can be done to it now."""
        instance = backend.databases.get(name)
        if instance is None or self._is_hidden(instance):
            raise DBInstanceNotFoundError(name)
        if instance.status != "available":
            raise RDSClientError(
                "InvalidDBInstanceState", f"Instance {name} cannot be changed: {instance.status}."
            )
        return instance

    def is_at_rest(self, resource: Any) -> bool:  # noqa: ANN401 - moto's
        """It can be seen, and nothing is being done to it."""
        return resource.status == "available" and not self._is_hidden(resource)

    def _is_hidden(self, resource: Any) -> bool:  # noqa: ANN401 - moto's
        return time.monotonic() < self._hidden_until.get(id(resource), 0)

    # --- clusters

    def _install_clusters(self) -> None:
        create = replace(RDSBackend, "create_db_cluster", lambda *_: None)

        def create_db_cluster(backend: RDSBackend, kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
            return self._create_cluster(backend, dict(kwargs), create)

        def restore(backend: RDSBackend, from_snapshot_id: str, overrides: dict[str, Any]) -> Any:  # noqa: ANN401
            return self._restore_cluster(backend, from_snapshot_id, overrides, create)

        replace(RDSBackend, "create_db_cluster", create_db_cluster)
        replace(RDSBackend, "restore_db_cluster_from_snapshot", restore)
        self._install_cluster_changes()
        self._install_cluster_ends()

    def _create_cluster(self, backend: RDSBackend, kwargs: dict[str, Any], create: Callable[..., Any]) -> Any:  # noqa: ANN401
        _check_new_cluster(backend, kwargs["db_cluster_identifier"])
        cluster = create(backend, kwargs)
        cluster.url_identifier = URL_IDENTIFIER
        self.being_made(cluster)
        self._open(backend, cluster.db_cluster_identifier)
        self._servers.create(
            cluster.db_cluster_resource_id,
            user=cluster.master_username,
            password=kwargs.get("master_user_password") or _managed_password(cluster) or URL_IDENTIFIER,
            database=cluster.database_name,
            done=lambda is_good: self.made(cluster, is_good),
        )
        return cluster

    def _restore_cluster(
        self,
        backend: RDSBackend,
        snapshot_id: str,
        overrides: dict[str, Any],
        create: Callable[..., Any],
    ) -> Any:  # noqa: ANN401 - moto's
        name = snapshot_id.rpartition(":")[2]
        [snapshot] = backend.describe_db_cluster_snapshots(None, name)
        _check_new_cluster(backend, overrides["db_cluster_identifier"])
        kept = {key: getattr(snapshot.cluster, key) for key in _WITH_THE_DATA}
        given = {key: value for key, value in overrides.items() if key != "snapshot_identifier"}
        cluster = create(backend, {**kept, "master_user_password": URL_IDENTIFIER, **given})
        cluster.url_identifier = URL_IDENTIFIER
        self.being_made(cluster)
        self._open(backend, cluster.db_cluster_identifier)
        self._servers.restore(
            cluster.db_cluster_resource_id, name, done=lambda is_good: self.made(cluster, is_good)
        )
        return cluster

    def made(self, resource: Any, is_good: bool) -> None:  # noqa: ANN401 - moto's
        """It has come to an end with it."""
        if is_good:
            self._status.pop(id(resource), None)
        else:
            self._status[id(resource)] = "incompatible-restore"

    def _install_cluster_changes(self) -> None:
        genuine = replace(RDSBackend, "modify_db_cluster", lambda *_: None)

        def modify(backend: RDSBackend, kwargs: dict[str, Any]) -> Any:  # noqa: ANN401 - moto's
            kwargs = dict(kwargs)
            cluster = self._check_cluster(backend, kwargs["db_cluster_identifier"])
            new = kwargs.pop("new_db_cluster_identifier", None)
            if new:
                _check_new_cluster(backend, new)
                self.begin(
                    cluster, "renaming", _RENAME_SECONDS, lambda: self._rename_cluster(backend, cluster, new)
                )
                return cluster
            logs = kwargs.pop("cloudwatch_logs_export_configuration", None)
            for given, kept in (("enable_iam_database_authentication", "iam_auth"),):
                if given in kwargs:
                    setattr(cluster, kept, kwargs.pop(given))
            if "enable_http_endpoint" in kwargs:
                # The emulator knows it of the first Serverless only.
                cluster._enable_http_endpoint = kwargs.pop("enable_http_endpoint")  # noqa: SLF001
            manages = kwargs.get("manage_master_user_password")
            if manages and _managed_password(cluster):
                del kwargs["manage_master_user_password"]
                manages = False
            genuine(backend, kwargs)
            if logs:
                there = set(cluster.enabled_cloudwatch_logs_exports) - set(logs.get("disable_log_types") or ())
                cluster.enabled_cloudwatch_logs_exports = sorted(there | set(logs.get("enable_log_types") or ()))
            self.begin(
                cluster, "modifying", _CHANGE_SECONDS, lambda: self._take_over(cluster) if manages else None
            )
            return cluster

        replace(RDSBackend, "modify_db_cluster", modify)
        replace(MasterUserSecret, "_generate_secret_string", _make_login)

    def _take_over(self, cluster: Any) -> None:  # noqa: ANN401 - moto's
        """RDS manages the master password from now on: it is the one in the new secret."""
        password = _managed_password(cluster)
        assert password is not None  # the emulator has just made the secret
        self._servers.set_password(cluster.db_cluster_resource_id, cluster.master_username, password)

    def _rename_cluster(self, backend: RDSBackend, cluster: Any, new: str) -> None:  # noqa: ANN401 - moto's
        with self._lock:
            members = cluster.members
            backend.clusters.pop(cluster.db_cluster_identifier, None)
            cluster.db_cluster_identifier = new
            backend.clusters[new] = cluster
            for member in members:
                member.db_cluster_identifier = new
            self._hidden_until[id(cluster)] = time.monotonic() + _HIDDEN_SECONDS
        self._open(backend, new)

    def _install_cluster_ends(self) -> None:
        delete = replace(RDSBackend, "delete_db_cluster", lambda *_: None)
        snapshot = replace(RDSBackend, "create_db_cluster_snapshot", lambda *_: None)

        def create_snapshot(
            backend: RDSBackend,
            db_cluster_identifier: str,
            db_cluster_snapshot_identifier: str,
            snapshot_type: str = "manual",
            tags: Any = None,  # noqa: ANN401 - moto's
        ) -> Any:  # noqa: ANN401 - moto's
            if snapshot_type == "manual":
                self._check_cluster(backend, db_cluster_identifier)
            made = snapshot(backend, db_cluster_identifier, db_cluster_snapshot_identifier, snapshot_type, tags)
            cluster = backend.clusters[db_cluster_identifier]
            if snapshot_type == "manual":
                self._copy(cluster.db_cluster_resource_id, db_cluster_snapshot_identifier, made)
            else:
                # Automated ones are never restored here, and would be in the way of those that are.
                backend.cluster_snapshots.pop(db_cluster_snapshot_identifier)
            return made

        def delete_cluster(backend: RDSBackend, cluster_identifier: str, snapshot_name: str | None = None) -> Any:  # noqa: ANN401
            cluster = self._check_cluster(backend, cluster_identifier)
            if cluster.deletion_protection:
                return delete(backend, cluster_identifier)  # it refuses
            if cluster.members:
                raise InvalidDBClusterStateFault(
                    "Cluster cannot be deleted, it still contains DB instances in non-deleting state."
                )
            if snapshot_name:
                create_snapshot(backend, cluster_identifier, snapshot_name)

            def end() -> None:
                delete(backend, cluster_identifier)
                self._servers.end(cluster.db_cluster_resource_id)

            self.begin(cluster, "deleting", _DELETE_SECONDS, lambda: _after_copies(backend, end))
            return cluster

        replace(RDSBackend, "create_db_cluster_snapshot", create_snapshot)
        replace(RDSBackend, "delete_db_cluster", delete_cluster)

    def _copy(self, resource_id: str, name: str, snapshot: Any) -> None:  # noqa: ANN401 - moto's
        snapshot.status, snapshot.percent_progress = "creating", 0

        def done(is_good: bool) -> None:
            snapshot.percent_progress = 100
            snapshot.status = "available" if is_good else "failed"

        self._servers.copy(resource_id, name, done)

    # --- instances

    def _install_instances(self) -> None:
        create = replace(RDSBackend, "create_db_instance", lambda *_: None)
        modify = replace(RDSBackend, "modify_db_instance", lambda *_: None)
        delete = replace(RDSBackend, "delete_db_instance", lambda *_: None)

        def create_instance(backend: RDSBackend, db_kwargs: dict[str, Any]) -> Any:  # noqa: ANN401 - moto's
            cluster = db_kwargs.get("db_cluster_identifier")
            if cluster:
                self._check_cluster(backend, cluster)
            instance = create(backend, db_kwargs)
            self._numbers += 1
            instance.dbi_resource_id = f"db-SANDBOX{self._numbers:06}"
            if cluster:
                self.begin(instance, "creating", _CHANGE_SECONDS)
            else:
                self._alone.start(backend, instance, db_kwargs)
            return instance

        def modify_instance(backend: RDSBackend, db_instance_identifier: str, db_kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
            instance = self.check_instance(backend, db_instance_identifier)
            kwargs = dict(db_kwargs)
            new = kwargs.pop("new_db_instance_identifier", None)
            if not new:
                kwargs["db_instance_identifier"] = db_instance_identifier
                modify(backend, db_instance_identifier, kwargs)
                self.begin(instance, "modifying", _CHANGE_SECONDS)
                return instance
            if new in backend.databases:
                raise RDSClientError("DBInstanceAlreadyExists", f"DB instance {new} already exists")
            self.begin(
                instance, "renaming", _RENAME_SECONDS, lambda: self._rename_instance(backend, instance, new)
            )
            return instance

        def delete_instance(backend: RDSBackend, db_instance_identifier: str, **given: Any) -> Any:  # noqa: ANN401
            instance = self.check_instance(backend, db_instance_identifier)
            if not instance.db_cluster_identifier:
                return self._alone.delete(backend, instance, delete, **given)
            self.begin(
                instance,
                "deleting",
                _DELETE_SECONDS,
                lambda: delete(backend, db_instance_identifier, skip_final_snapshot=True),
            )
            return instance

        replace(RDSBackend, "create_db_instance", create_instance)
        replace(RDSBackend, "modify_db_instance", modify_instance)
        replace(RDSBackend, "delete_db_instance", delete_instance)

    def _rename_instance(self, backend: RDSBackend, instance: Any, new: str) -> None:  # noqa: ANN401 - moto's
        """It is restarted with that ("ModifyDBInstance", API reference)."""
        with self._lock:
            backend.databases.pop(instance.db_instance_identifier, None)
            instance.db_instance_identifier = new
            backend.databases[new] = instance
            self._hidden_until[id(instance)] = time.monotonic() + _HIDDEN_SECONDS
        cluster = backend.clusters.get(instance.db_cluster_identifier or "")
        if cluster:
            self._servers.cut(cluster.db_cluster_resource_id)
        else:
            self._alone.open(backend, instance)
            self._servers.cut(instance.dbi_resource_id)

    # --- looking

    def _install_looking(self) -> None:
        for name, owner in (("describe_db_clusters", "clusters"), ("describe_db_instances", "instances")):
            self._hide_in(name, owner)

    def _hide_in(self, name: str, _owner: str) -> None:
        genuine = replace(RDSBackend, name, lambda *_: None)

        def describe(backend: RDSBackend, *args: Any, **kwargs: Any) -> list[Any]:  # noqa: ANN401 - moto's
            return [one for one in genuine(backend, *args, **kwargs) if not self._is_hidden(one)]

        replace(RDSBackend, name, describe)

    def _open(self, backend: RDSBackend, name: str) -> None:
        port = int(backend.clusters[name].port)
        self._servers.open_endpoint(name, lambda: self._find_resource(backend, name), port=port)

    def _find_resource(self, backend: RDSBackend, name: str) -> str | None:
        """Whose endpoint a name is: nobody answers without an instance that runs."""
        cluster = backend.clusters.get(name)
        if cluster is None or self._is_hidden(cluster) or self._status.get(id(cluster)) == "renaming":
            return None
        if not any(one.status == "available" and not self._is_hidden(one) for one in cluster.members):
            return None
        resource_id: str = cluster.db_cluster_resource_id
        return resource_id

    def describe(self) -> dict[str, Any]:
        """The port of each name."""
        return dict(self._servers.describe())


def _check_new_cluster(backend: RDSBackend, name: str) -> None:
    if name in backend.clusters:
        raise RDSClientError("DBClusterAlreadyExistsFault", f"DB Cluster already exists: {name}")


def _make_login(managed: Any) -> str:  # noqa: ANN401 - moto's
    """What RDS writes into a secret that it manages. The emulator has always the same in it."""
    return json.dumps({"username": managed.resource.master_username, "password": make_password()})


def _managed_password(cluster: Any) -> str | None:  # noqa: ANN401 - moto's
    """That in the secret of a cluster, if it has one."""
    managed = getattr(cluster, "master_user_secret", None)
    if managed is None:
        return None
    secret = managed.secret
    password: str = json.loads(secret.versions[secret.default_version_id]["secret_string"])["password"]
    return password


def _later(seconds: float, what: Callable[[], None]) -> None:
    timer = Timer(seconds, what)
    timer.daemon = True
    timer.start()


def _after_copies(backend: RDSBackend, what: Callable[[], None]) -> None:
    """A database is not gone before its last snapshot is complete."""
    while any(one.status == "creating" for one in list(backend.cluster_snapshots.values())):
        time.sleep(0.05)
    with suppress(DBClusterNotFoundError):
        what()
