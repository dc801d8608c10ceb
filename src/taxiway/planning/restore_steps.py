"""The steps of a restore, a revert or a confirmation, and what each is in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from taxiway.model.snapshot import Configuration, Database, Instance, InstanceConfiguration


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done until RDS is done with it."""

    target: str
    status: str


@dataclass(frozen=True, slots=True)
class Restore:
    """Make a database of the snapshot."""

    target: str


@dataclass(frozen=True, slots=True)
class CreateInstance:
    """Give the restored cluster an instance."""

    target: str
    cluster: str
    instance: InstanceConfiguration


@dataclass(frozen=True, slots=True)
class Change:
    """Set what a restore cannot be given, or has not taken."""

    target: Database | Instance
    wanted: Configuration | InstanceConfiguration

    @property
    def key(self) -> str:
        """The same for the same change of the same thing."""
        return self.target.arn


@dataclass(frozen=True, slots=True)
class Compare:
    """Compare every setting; who wants the restore decides about differences."""

    target: str


@dataclass(frozen=True, slots=True)
class Tag:
    """Write down how far it is."""

    target: Database | Instance
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rename:
    """Give a database or an instance another name."""

    target: Database | Instance
    becomes: str


@dataclass(frozen=True, slots=True)
class RenameLater:
    """A renaming of something that is not there yet: part of a plan, and never the next step."""

    target: str
    becomes: str


@dataclass(frozen=True, slots=True)
class Unprotect:
    """Allow the deletion of a database."""

    target: Database


@dataclass(frozen=True, slots=True)
class DeleteInstance:
    """Delete an instance of a cluster: no data is on it."""

    target: Instance


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a database, with a last snapshot of it."""

    target: Database
    snapshot: str


@dataclass(frozen=True, slots=True)
class Untag:
    """The restore is over: nothing says any more that there is one."""

    target: Database | Instance


type Step = (
    Wait
    | Restore
    | CreateInstance
    | Change
    | Compare
    | Tag
    | Rename
    | RenameLater
    | Unprotect
    | DeleteInstance
    | Delete
    | Untag
)


def words_of(step: Step) -> str:
    """What is done, for people: ``rename shop to shop-old``."""
    match step:
        case Wait():
            return f"wait for {step.target} ({step.status})"
        case Restore():
            return f"restore the snapshot as {step.target}, beside the live database and with its settings"
        case CreateInstance():
            role = "writer" if step.instance.is_writer else "reader"
            return f"create instance {step.target} ({step.instance.settings.get('DBInstanceClass')}, {role})"
        case Change():
            return f"set what {step.target.name} has not got from the snapshot"
        case Compare():
            return f"compare every setting of {step.target}"
        case Tag():
            return f"note in the tags of {step.target.name} what it is"
        case Rename() | RenameLater():
            return f"rename {_name(step.target)} to {step.becomes}"
        case Unprotect():
            return f"switch off the deletion protection of {step.target.name}"
        case DeleteInstance():
            return f"delete instance {step.target.name}"
        case Delete():
            return f"delete {step.target.name}, keeping the snapshot {step.snapshot}"
        case Untag():
            return f"remove the tags of the restore from {step.target.name}"


def _name(target: Database | Instance | str) -> str:
    return target if isinstance(target, str) else target.name


def in_words(steps: Iterable[Step]) -> list[str]:
    """The sentences of a plan; waiting is none of its steps."""
    return [words_of(step) for step in steps if not isinstance(step, Wait)]
