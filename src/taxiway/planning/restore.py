"""What is left to do of a restore, a revert or a confirmation: from what AWS shows to a list of steps.

Nothing is remembered between two looks. Whoever comes later, or after an interruption, sees the same and goes on
at the same place. The order is that of one clean cut (docs/adr/0071-restore-by-rename.md): the original gives up
the live name, then its instances theirs; then the restored instances take theirs, and at last the restored
database the live name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from taxiway.model.snapshot import (
    INSTANCE_TAG,
    ITSELF,
    NOTHING,
    REPLACES_TAG,
    RESTORE_OF_TAG,
    RESTORE_TAG,
    RESTORE_TAGS,
    SNAPSHOT_TAG,
    Configuration,
    Database,
    Instance,
    InstanceConfiguration,
    Phase,
    is_ready,
)
from taxiway.planning.rds_names import final_name, new_name, old_name
from taxiway.planning.restore_steps import (
    Change,
    Compare,
    CreateInstance,
    Delete,
    DeleteInstance,
    Rename,
    RenameLater,
    Restore,
    Step,
    Tag,
    Unprotect,
    Untag,
    Wait,
)

# From a live name and the stamp of the restore to the name of what is not live.
type NameMaker = Callable[[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What AWS shows of one live name.

    Attributes:
        wanted: How the restored database has to be.
        tried: What was asked for in this run, and how many seconds ago: keys of :class:`Change`. It is not asked
            for twice.
        is_compared: The restored database was found to be as it has to be, or that was accepted.
    """

    name: str
    stamp: str
    phase: Phase
    original: Database | None
    restored: Database | None
    wanted: Configuration
    tried: Mapping[str, float] = field(default_factory=dict)
    is_compared: bool = False

    @property
    def lacks_original(self) -> bool:
        """The original is not to be seen, and was not deleted by us: RDS hides what it is renaming."""
        is_replaced = self.restored is not None and self.restored.tags.get(REPLACES_TAG) != NOTHING
        return is_replaced and self.original is None


# How long RDS may show the old value of a setting after it has taken the new one, in seconds.
_SETTLE_SECONDS: Final = 60.0
HIDDEN: Final = "RDS does not show it at the moment"


def remaining(scene: Scene) -> tuple[Step, ...]:
    """The steps that are left, the next one first. Empty: it is done.

    Several steps at the beginning may be for the same moment: whatever does not wait can be asked for at once.
    """
    match scene.phase:
        case Phase.BUILD:
            return (*_build(scene), *_swap_later(scene))
        case Phase.SWAP:
            return tuple(_swap(scene))
        case Phase.BACK:
            return tuple(_back(scene))
        case Phase.KEEP_RESTORED:
            return tuple(_keep(scene, keep=scene.restored, drop=scene.original))
        case Phase.KEEP_ORIGINAL:
            return tuple(_keep(scene, keep=scene.original, drop=scene.restored))


def with_phase(scene: Scene, phase: Phase) -> Scene:
    """The same, if it were meant to go there."""
    return replace(scene, phase=phase)


def is_swapped(scene: Scene) -> bool:
    """Whether the restored database has the live name, and all names are where they belong."""
    if scene.restored is None or scene.lacks_original:
        return False
    is_aside = scene.original is None or _is_aside(scene, scene.original, old_name)
    return is_aside and _is_live(scene, scene.restored)


def is_back(scene: Scene) -> bool:
    """Whether the original has the live name, and all names are where they belong."""
    if scene.original is None or scene.restored is None:
        return False
    return _is_aside(scene, scene.restored, new_name) and _is_live(scene, scene.original)


def _is_live(scene: Scene, database: Database) -> bool:
    return database.name == scene.name and all(one.name == one.live_name for one in database.instances)


def _is_aside(scene: Scene, database: Database, name_of: NameMaker) -> bool:
    return database.name == name_of(scene.name, scene.stamp) and all(
        one.name == name_of(one.live_name, scene.stamp) for one in database.instances
    )


def start_tags(scene: Scene) -> dict[str, str]:
    """Of the restored database, from its first moment on."""
    return {
        RESTORE_TAG: scene.stamp,
        RESTORE_OF_TAG: scene.name,
        REPLACES_TAG: scene.original.resource_id if scene.original else NOTHING,
    }


# --- beside the original


def _build(scene: Scene) -> Iterator[Step]:
    restored = scene.restored
    target = new_name(scene.name, scene.stamp)
    if scene.lacks_original:
        yield _hidden_original(scene)
    if restored is None:
        yield Restore(target)
        for one in _writer_first(scene.wanted.instances):
            yield CreateInstance(new_name(one.name, scene.stamp), target, one)
        yield Compare(target)
        return
    if not is_ready(restored.status):
        yield Wait(restored.name, restored.status)
    there = {one.live_name for one in restored.instances}
    for one in _writer_first(scene.wanted.instances):
        if one.name not in there:
            yield CreateInstance(new_name(one.name, scene.stamp), restored.name, one)
    busy = [one for one in restored.instances if not is_ready(one.status)]
    yield from (Wait(one.name, one.status) for one in busy)
    yield from _changes(scene, restored)
    if not scene.is_compared:
        yield Compare(restored.name)


def _changes(scene: Scene, restored: Database) -> Iterator[Step]:
    configuration = restored.configuration
    pairs: list[tuple[Database | Instance, Configuration | InstanceConfiguration, bool]] = [
        (restored, scene.wanted, _differ(scene.wanted, configuration))
    ]
    found = {one.name: one for one in configuration.instances}
    wanted = {one.name: one for one in scene.wanted.instances}
    pairs += [
        (one, wanted[one.live_name], _differ(wanted[one.live_name], found[one.live_name]))
        for one in restored.instances
        if one.live_name in wanted
    ]
    for target, goal, differs in pairs:
        change = Change(target, goal)
        if differs and change.key not in scene.tried:
            yield change
        elif differs and scene.tried[change.key] < _SETTLE_SECONDS:
            yield Wait(target.name, "its settings are being changed")


def _differ(wanted: Configuration | InstanceConfiguration, found: Configuration | InstanceConfiguration) -> bool:
    return wanted.settings != found.settings or wanted.tags != found.tags


def _writer_first(instances: Sequence[InstanceConfiguration]) -> list[InstanceConfiguration]:
    """The first instance of a cluster becomes its writer."""
    return sorted(instances, key=lambda one: not one.is_writer)


def _swap_later(scene: Scene) -> Iterator[Step]:
    """The swap as it will be, for the plan; nothing of it happens in this phase."""
    name, stamp = scene.name, scene.stamp
    if scene.original:
        yield Rename(scene.original, old_name(name, stamp))
        yield from (Rename(one, old_name(one.live_name, stamp)) for one in scene.original.instances)
    for one in scene.wanted.instances:
        yield RenameLater(new_name(one.name, stamp), one.name)
    yield RenameLater(new_name(name, stamp), name)


# --- the swap, and the way back


def _swap(scene: Scene) -> Iterator[Step]:
    if scene.lacks_original:
        yield _hidden_original(scene)
    if scene.restored is None:
        yield _hidden_restored(scene)
        return
    if scene.original:
        yield from _marks(scene, scene.original, scene.restored)
        yield from _put_aside(scene, scene.original, old_name)
    yield from _make_live(scene, scene.restored)


def _back(scene: Scene) -> Iterator[Step]:
    if scene.restored is None:
        yield _hidden_restored(scene)
    else:
        yield from _put_aside(scene, scene.restored, new_name)
    if scene.original is None:
        yield _hidden_original(scene)
    else:
        yield from _make_live(scene, scene.original)


def _hidden_original(scene: Scene) -> Wait:
    return Wait(f"the original of {scene.name}", HIDDEN)


def _hidden_restored(scene: Scene) -> Wait:
    return Wait(f"the restored {scene.name}", HIDDEN)


def _marks(scene: Scene, original: Database, restored: Database) -> Iterator[Tag]:
    """Before anything is renamed it is written down what it was called, and of which snapshot the restore is.

    RDS hides the restored database while it is renamed: then the original alone can tell.
    """
    if original.tags.get(RESTORE_OF_TAG) != scene.name:
        about = {key: restored.tags[key] for key in (RESTORE_TAG, SNAPSHOT_TAG) if key in restored.tags}
        yield Tag(original, {**about, RESTORE_OF_TAG: scene.name, REPLACES_TAG: ITSELF})
    for one in original.instances:
        if INSTANCE_TAG not in one.tags:
            yield Tag(one, {INSTANCE_TAG: one.name})


def _put_aside(scene: Scene, database: Database, name_of: NameMaker) -> Iterator[Step]:
    """The live name first: from then on nobody connects."""
    yield from _renames([database], lambda _: name_of(scene.name, scene.stamp))
    yield from _renames(database.instances, lambda one: name_of(one.live_name, scene.stamp))


def _make_live(scene: Scene, database: Database) -> Iterator[Step]:
    """The live name last: whoever connects finds everything in its place."""
    yield from _renames(database.instances, lambda one: one.live_name)
    yield from _renames([database], lambda _: scene.name)


def _renames[T: (Database, Instance)](targets: Sequence[T], name_of: Callable[[T], str]) -> Iterator[Step]:
    """What can be renamed now stands before what has to be waited for: instances are renamed side by side."""
    ready = [one for one in targets if is_ready(one.status)]
    yield from (Rename(one, name_of(one)) for one in ready if one.name != name_of(one))
    yield from (Wait(one.name, one.status) for one in targets if not is_ready(one.status))


# --- the end


def _keep(scene: Scene, *, keep: Database | None, drop: Database | None) -> Iterator[Step]:
    if drop is not None:
        yield from _delete(scene, drop)
    if keep is None:
        yield Wait(scene.name, HIDDEN)
        return
    if any(tag in keep.tags for tag in RESTORE_TAGS):
        # Instances first: what says that there is a restore goes last.
        yield from (Untag(one) for one in keep.instances if INSTANCE_TAG in one.tags)
        yield Untag(keep)


def _delete(scene: Scene, drop: Database) -> Iterator[Step]:
    if drop.status == "deleting":
        yield Wait(drop.name, drop.status)
        return
    if not is_ready(drop.status):
        yield Wait(drop.name, drop.status)
    if drop.settings.get("DeletionProtection"):
        yield Unprotect(drop)
    yield from (DeleteInstance(one) for one in drop.instances if one.status != "deleting")
    yield from (Wait(one.name, one.status) for one in drop.instances if one.status == "deleting")
    yield Delete(drop, final_name(scene.name, scene.stamp))
