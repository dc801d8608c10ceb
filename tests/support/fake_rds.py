"""RDS as values: every change is there at once, unless a script says otherwise. Time stands still but for waiting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from taxiway.model.snapshot import (
    Configuration,
    Database,
    DatabaseKind,
    Instance,
    InstanceConfiguration,
    Snapshot,
)

MOMENT = datetime(2026, 1, 2, 12, tzinfo=UTC)
ARN = "arn:aws:rds:eu-central-1:123456789012"
SETTINGS: dict[str, Any] = {"BackupRetentionPeriod": 9, "DeletionProtection": True, "Port": 5432}


def instance(name: str, **fields: Any) -> Instance:
    usual: dict[str, Any] = {
        "arn": f"{ARN}:db:{name}",
        "status": "available",
        "is_writer": name.endswith("1"),
        "settings": {"DBInstanceClass": "db.serverless"},
        "tags": {},
    }
    return Instance(name=name, **{**usual, **fields})


def cluster(name: str = "shop", *instances: Instance, **fields: Any) -> Database:
    usual: dict[str, Any] = {
        "kind": DatabaseKind.CLUSTER,
        "arn": f"{ARN}:cluster:{name}",
        "resource_id": f"cluster-{name}",
        "status": "available",
        "settings": SETTINGS,
        "tags": {"team": "shop"},
        "instances": instances,
    }
    return Database(name=name, **{**usual, **fields})


def snapshot(name: str = "shop-1", **fields: Any) -> Snapshot:
    usual: dict[str, Any] = {
        "kind": DatabaseKind.CLUSTER,
        "arn": f"{ARN}:cluster-snapshot:{name}",
        "database": "shop",
        "status": "available",
        "created_at": MOMENT,
        "manifest": cluster("shop", instance("shop-1"), instance("shop-2")).configuration,
    }
    return Snapshot(name=name, **{**usual, **fields})


@dataclass
class FakeRds:
    """``before`` is called with the name of each call and its target, and may raise what AWS would."""

    databases: list[Database] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda _call, _target: None
    restored_settings: Mapping[str, Any] = field(default_factory=lambda: {"BackupRetentionPeriod": 1})
    unchangeable: bool = False
    hidden: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    region: str = "eu-central-1"

    def list_databases(self) -> list[Database]:
        self._note("list", "")
        return [one for one in self.databases if one.resource_id not in self.hidden]

    def list_snapshots(self, kind: DatabaseKind, database: str) -> list[Snapshot]:
        self._note("snapshots", database)
        return [one for one in self.snapshots if one.kind is kind and one.database == database]

    def create_snapshot(self, database: Database, name: str, tags: Mapping[str, str]) -> None:
        self._note("create_snapshot", database.name)
        self.snapshots.append(snapshot(name, database=database.name, tags=dict(tags)))

    def restore(self, made_of: Snapshot, name: str, wanted: Configuration, tags: Mapping[str, str]) -> None:
        self._note("restore", name)
        settings = {**wanted.settings, **self.restored_settings}
        self.databases.append(cluster(name, settings=settings, tags={**wanted.tags, **tags}))

    def create_instance(
        self, cluster: str, name: str, wanted: InstanceConfiguration, tags: Mapping[str, str]
    ) -> None:
        self._note("create_instance", name)
        made = instance(name, is_writer=wanted.is_writer, settings=wanted.settings, tags={**wanted.tags, **tags})
        self._update(cluster, lambda one: replace(one, instances=(*one.instances, made)))

    def change(self, target: Database | Instance, wanted: Configuration | InstanceConfiguration) -> None:
        self._note("change", target.name)
        if not self.unchangeable:
            self._update(target.name, lambda one: replace(one, settings=wanted.settings))

    def rename(self, target: Database | Instance, name: str) -> None:
        self._note("rename", f"{target.name} {name}")
        kind = "cluster" if isinstance(target, Database) else "db"
        self._update(target.name, lambda one: replace(one, name=name, arn=f"{ARN}:{kind}:{name}"))

    def unprotect(self, target: Database) -> None:
        self._note("unprotect", target.name)
        off = {"DeletionProtection": False}
        self._update(target.name, lambda one: replace(one, settings={**one.settings, **off}))

    def add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        self._note("add_tags", arn)
        self._update(arn, lambda one: replace(one, tags={**one.tags, **tags}))

    def remove_tags(self, arn: str, keys: list[str]) -> None:
        self._note("remove_tags", arn)
        self._update(
            arn,
            lambda one: replace(one, tags={key: value for key, value in one.tags.items() if key not in keys}),
        )

    def delete_instance(self, target: Instance) -> None:
        self._note("delete_instance", target.name)
        self.databases = [
            replace(one, instances=tuple(part for part in one.instances if part.name != target.name))
            for one in self.databases
        ]

    def delete(self, target: Database, snapshot_name: str) -> None:
        self._note("delete", target.name)
        self.databases = [one for one in self.databases if one.name != target.name]
        self.snapshots.append(snapshot(snapshot_name, database=target.name))

    def made(self, *kinds: str) -> list[str]:
        """The calls of these kinds, with their targets."""
        return [one for one in self.calls if one.split(" ")[0] in kinds]

    def _note(self, call: str, target: str) -> None:
        self.before(call, target)
        self.calls.append(f"{call} {target}".rstrip())

    def _update(self, key: str, change: Callable[[Any], Any]) -> None:
        """Of what has that name or ARN."""
        self.databases = [
            change(one)
            if key in {one.name, one.arn}
            else replace(
                one,
                instances=tuple(change(part) if key in {part.name, part.arn} else part for part in one.instances),
            )
            for one in self.databases
        ]


@dataclass
class Seen:
    """Writes down what is told."""

    steps: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def on_step(self, words: str) -> None:
        self.steps.append(words)

    def on_wait(self, words: str, seconds: float) -> None:
        self.waits.append(words)

    def on_trouble(self, message: str) -> None:
        self.troubles.append(message)
