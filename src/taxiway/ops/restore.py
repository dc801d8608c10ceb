"""Restoring a database, swapping it in, swapping it back, and ending it: look, take the next step, look again.

Between two steps nothing is remembered but what was asked for in this run: where it stands is what AWS shows.
An answer that is lost, a call that comes too early and a name that is taken all mean the same: look again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from taxiway import errors
from taxiway.model.snapshot import (
    INSTANCE_TAG,
    ITSELF,
    NOTHING,
    PHASE_TAG,
    REPLACES_TAG,
    RESTORE_OF_TAG,
    RESTORE_TAG,
    RESTORE_TAGS,
    SETTINGS_TAG,
    SNAPSHOT_TAG,
    Configuration,
    Database,
    Difference,
    Instance,
    Phase,
    Snapshot,
    is_broken,
)
from taxiway.ops.lease import Lease
from taxiway.ops.patience import Patience, Waiting
from taxiway.ops.seams import Clock, Databases, Progress
from taxiway.ops.snapshots import find_database, get_database, get_snapshot, keep_settings, list_snapshots
from taxiway.planning import restore as plan
from taxiway.planning import restore_steps as steps
from taxiway.planning.rds_names import stamp_of
from taxiway.planning.restore import Scene, remaining
from taxiway.planning.restore_steps import Step, words_of
from taxiway.planning.settings import compare

# How long RDS may hide what it is renaming or has just made.
_APPEAR_SECONDS: Final = 900.0
# How long RDS may not find a snapshot that it has just listed. Nobody has deleted or renamed it for us.
_SNAPSHOT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The restore of a live name that there is, or what one would begin with."""

    scene: Scene
    is_begun: bool
    snapshot: str | None
    settings_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreWish:
    """What is to be restored. Without a snapshot it is the one of the restore that has begun, or the newest."""

    snapshot: str | None = None
    prefers_snapshot_settings: bool = False


@dataclass(kw_only=True)
class Restorer:
    """Everything about one live name. ``accepts`` decides about settings that could not be restored."""

    databases: Databases
    name: str
    lease: Lease
    clock: Clock
    progress: Progress
    accepts: Callable[[tuple[Difference, ...]], bool]
    differences: tuple[Difference, ...] = ()
    refusal: errors.AwsError | None = field(default=None, init=False)
    """Why RDS has not taken what it was asked for last; ``None`` if it has, or if nobody knows."""
    _has_asked: bool = field(default=False, init=False)
    _tried: dict[str, float] = field(default_factory=dict, init=False)
    _is_compared: bool = field(default=False, init=False)
    _found: Found | None = field(default=None, init=False)
    _snapshot: Snapshot | None = field(default=None, init=False)

    # --- looking

    def look(self, wish: RestoreWish, now: datetime) -> Found:
        """What there is, before anything is done.

        Raises:
            AwsNotFound, SnapshotNotFound: There is no such database, or no such snapshot of it.
            ManifestMissing: The database is gone, and its snapshot does not know its settings.
            RestoreUnfinished: The restore of another snapshot has begun.
            AwsError: AWS refused or could not be asked.
        """
        begun = self._look_for_begun()
        if begun is None:
            return self._look_for_new(wish, now)
        # Of one that is being ended nothing may be left to tell; it is not gone on with anyhow.
        if begun.snapshot is not None and wish.snapshot not in {None, begun.snapshot}:
            raise errors.RestoreUnfinished(
                f"'{self.name}' has a restore of another snapshot, {begun.snapshot}, that has not ended.",
                hint="End it first: taxiway snapshot confirm, or taxiway snapshot revert and then confirm.",
            )
        return begun

    def get_begun(self) -> Found:
        """The restore that has begun.

        Raises:
            RestoreNotFound: There is none.
        """
        begun = self._look_for_begun()
        if begun is None:
            get_database(self.databases.list_databases(), self.name, region=self.databases.region)
            raise errors.RestoreNotFound(
                f"The database '{self.name}' has no restore under way.",
                hint="Begin one with 'taxiway snapshot restore'.",
            )
        return begun

    def _look_for_begun(self) -> Found | None:
        there = self.databases.list_databases()
        ours = [one for one in there if one.tags.get(RESTORE_OF_TAG) == self.name]
        made = [one for one in ours if one.tags.get(REPLACES_TAG) != ITSELF]
        if len(made) > 1:
            raise errors.AwsAmbiguous(
                f"{len(made)} restores of '{self.name}' have begun: {', '.join(one.name for one in made)}.",
                candidates=[one.name for one in made],
                hint=f"Remove the tag {RESTORE_OF_TAG} from those that are not wanted, and delete them.",
            )
        if not made and not ours:
            return None
        restored = made[0] if made else None
        original = self._original_of(restored, ours, there)
        return self._found_begun(restored, original, made or ours)

    def _original_of(
        self, restored: Database | None, ours: list[Database], there: list[Database]
    ) -> Database | None:
        if restored is None:
            return ours[0]
        replaces = restored.tags.get(REPLACES_TAG)
        return next((one for one in there if one.resource_id == replaces), None)

    def _found_begun(
        self, restored: Database | None, original: Database | None, tagged: list[Database]
    ) -> Found | None:
        tags = tagged[0].tags
        phase = tagged[0].phase or (Phase.SWAP if restored is None else Phase.BUILD)
        settings_from = tags.get(SETTINGS_TAG, "live")
        scene = Scene(
            name=self.name,
            stamp=tags[RESTORE_TAG],
            phase=phase,
            original=original,
            restored=restored,
            wanted=self._wanted(original, restored, settings_from),
        )
        return Found(scene=scene, is_begun=True, snapshot=tags.get(SNAPSHOT_TAG), settings_from=settings_from)

    def _wanted(self, original: Database | None, restored: Database | None, settings_from: str) -> Configuration:
        """As the original is, or as it was. After the comparison nobody needs it any more."""
        if settings_from == "live" and original is not None:
            return original.configuration
        if restored is not None and restored.phase is Phase.BUILD and settings_from != "live":
            return self._manifest(restored.tags.get(SNAPSHOT_TAG))
        present = restored or original
        assert present is not None  # one of them has told that there is a restore
        return present.configuration

    def _manifest(self, name: str | None) -> Configuration:
        if self._snapshot is None or self._snapshot.name != name:
            self._snapshot = get_snapshot(list_snapshots(self.databases, self.name), name, database=self.name)
        return _manifest_of(self._snapshot)

    def _look_for_new(self, wish: RestoreWish, now: datetime) -> Found:
        there = self.databases.list_databases()
        original = find_database(there, self.name)
        snapshots = list_snapshots(self.databases, self.name)
        snapshot = get_snapshot(snapshots, wish.snapshot, database=self.name)
        self._snapshot = snapshot
        settings_from = "live" if original and not wish.prefers_snapshot_settings else "snapshot"
        wanted = original.configuration if original and settings_from == "live" else _manifest_of(snapshot)
        scene = Scene(
            name=self.name,
            stamp=self.lease.stamp_of(original.tags if original else snapshot.tags) or stamp_of(now),
            phase=Phase.BUILD,
            original=original,
            restored=None,
            wanted=wanted,
        )
        return Found(scene=scene, is_begun=False, snapshot=snapshot.name, settings_from=settings_from)

    # --- doing

    @property
    def is_begun(self) -> bool:
        """Whether a restore is under way, or may be: RDS has taken a request of this run, or has not answered."""
        return self._has_asked or (self._found is not None and self._found.is_begun)

    def release(self, *, is_done: bool) -> None:
        """Nobody is at work any more. A restore that RDS has certainly not begun leaves no name to go on with."""
        refused = self.refusal is None or isinstance(self.refusal, errors.AwsNotFound)
        self.lease.release(is_done=is_done or (not self.is_begun and refused and not self.lease.is_inherited))

    def restore(self, found: Found) -> Scene:
        """Bring a restore to the point where the restored database has the live name.

        Raises:
            SettingsDiffer: A setting could not be restored, and nobody has accepted that.
            RestoreBusy: Somebody else is at it.
            RestoreStuck: RDS shows something that does not end by waiting.
            AwsError: AWS refused or could not be asked.
        """
        self._found = found
        if found.scene.phase in {Phase.KEEP_RESTORED, Phase.KEEP_ORIGINAL}:
            raise errors.RestoreUnfinished(
                f"The last restore of '{self.name}' is being ended.",
                hint="Run 'taxiway snapshot confirm' until it succeeds, then restore.",
            )
        self._take(found)
        if found.scene.phase is Phase.BACK:
            self._enter(Phase.SWAP)
        scene = self._work(Phase.BUILD) if found.scene.phase is Phase.BUILD else found.scene
        if scene.phase is Phase.BUILD:
            self._enter(Phase.SWAP)
        return self._work(Phase.SWAP)

    def revert(self, found: Found) -> Scene:
        """Give the original the live name again. Raises as above.

        Raises:
            RestoreNotFound: There was no original.
        """
        self._found = found
        scene = found.scene
        if scene.phase in {Phase.KEEP_RESTORED, Phase.KEEP_ORIGINAL}:
            raise errors.RestoreUnfinished(
                f"The restore of '{self.name}' is confirmed, and is being ended: there is no way back.",
                hint="Run 'taxiway snapshot confirm' until it succeeds.",
            )
        if scene.restored and scene.restored.tags.get(REPLACES_TAG) == NOTHING:
            raise errors.RestoreNotFound(
                f"'{self.name}' was gone before it was restored: there is nothing to go back to.",
                hint="Keep it with 'taxiway snapshot confirm', or restore another snapshot after that.",
            )
        self._take(found)
        self._enter(Phase.BACK)
        return self._work(Phase.BACK)

    def confirm(self, found: Found) -> Scene:
        """Delete the database that has not got the live name, with a last snapshot. Raises as above.

        Raises:
            RestoreUnfinished: It is not finished, in either direction.
        """
        self._found = found
        phase = self.kept_phase(found)
        self._take(found)
        self._enter(phase)
        return self._work(phase)

    def kept_phase(self, found: Found) -> Phase:
        """Which of the two a confirmation keeps.

        Raises:
            RestoreUnfinished: It is not finished, in either direction.
        """
        scene = found.scene
        if scene.phase in {Phase.KEEP_RESTORED, Phase.KEEP_ORIGINAL}:
            return scene.phase
        if scene.phase is Phase.SWAP and plan.is_swapped(scene):
            return Phase.KEEP_RESTORED
        if scene.phase is Phase.BACK and plan.is_back(scene):
            return Phase.KEEP_ORIGINAL
        raise errors.RestoreUnfinished(
            f"The restore of '{self.name}' is not finished, so that it cannot be confirmed.",
            hint="Finish it with 'taxiway snapshot restore', or go back with 'taxiway snapshot revert'.",
        )

    def _take(self, found: Found) -> None:
        holder = found.scene.original or found.scene.restored or self._snapshot
        if holder is not None:
            self.lease.take(holder, found.scene.stamp)

    def _enter(self, phase: Phase) -> None:
        """Write down where it goes, before anything goes there."""
        patience = Patience(self.clock, self.progress)
        while True:
            try:
                self._note(self._look_again(phase), phase)
            except (errors.AwsBusy, errors.AwsNotFound, errors.AwsThrottled, errors.AwsUnreachable) as error:
                # Its ARN has its name, which is just being changed.
                patience.bear(error)
            else:
                return

    def _note(self, scene: Scene, phase: Phase) -> None:
        tags = {PHASE_TAG: phase.value}
        if phase is Phase.KEEP_ORIGINAL and scene.original is not None:
            # The one that knows it is about to go.
            about = {RESTORE_TAG: scene.stamp, RESTORE_OF_TAG: self.name, REPLACES_TAG: ITSELF}
            self.databases.add_tags(scene.original.arn, {**about, **tags})
        if scene.restored is not None:
            self.databases.add_tags(scene.restored.arn, tags)

    def _work(self, phase: Phase) -> Scene:
        """Step by step, to the end of a phase."""
        waiting = Waiting(self.clock, self.progress)
        # One for looking and one for doing: that looking goes well says nothing about a step that does not.
        looking, patience = Patience(self.clock, self.progress), Patience(self.clock, self.progress)
        refused = ""
        while True:
            scene = looking.ask(lambda: self._look_again(phase))
            if scene is None:
                continue
            _check_health(scene)
            step = next(iter(_of_this_phase(scene)), None)
            if step is None:
                return scene
            if isinstance(step, steps.Wait):
                _check_shown(step, waiting)
                waiting.wait(words_of(step))
                self.lease.renew()
                continue
            try:
                self.lease.renew()
                if words_of(step) != refused:
                    self.progress.on_step(words_of(step))
                self._ask_for(step, scene)
            except (errors.AwsBusy, errors.AwsNotFound, errors.AwsThrottled, errors.AwsUnreachable) as error:
                refused = words_of(step)
                self._bear(error, step, patience)
            else:
                refused = ""
                patience.calm()

    def _ask_for(self, step: Step, scene: Scene) -> None:
        """Do a step, and remember whether RDS may be at it: also when this is cut off in the middle."""
        before, self._has_asked, self.refusal = self._has_asked, True, None
        try:
            self._do(step, scene)
        except errors.AwsUnreachable:
            raise
        except errors.AwsError as error:
            self._has_asked, self.refusal = before, error
            raise

    def _bear(self, error: errors.AwsError, step: Step, patience: Patience) -> None:
        """A moment, if it may pass. A snapshot that is not found is not waited for as long as what is renamed."""
        if not (isinstance(step, steps.Restore) and isinstance(error, errors.AwsNotFound)):
            patience.bear(error)
            return
        try:
            patience.bear(error, seconds=_SNAPSHOT_SECONDS)
        except errors.AwsNotFound:
            assert self._snapshot is not None  # it was asked for
            raise errors.SnapshotNotFound(
                f"RDS does not find snapshot {self._snapshot.name} of '{self.name}', although it has listed it: "
                f"{error.message}",
                hint="See which there are with 'taxiway snapshot list', and restore another one.",
            ) from error

    def _look_again(self, phase: Phase) -> Scene:
        assert self._found is not None  # looked at before any work
        found = self._look_for_begun()
        now = self.clock.monotonic()
        tried = {key: now - since for key, since in self._tried.items()}
        if found is None:
            there = find_database(self.databases.list_databases(), self.name)
            # All tags are gone when it has ended; before it has begun there are none.
            original = there if phase in {Phase.BUILD, Phase.KEEP_ORIGINAL} else None
            restored = there if phase is Phase.KEEP_RESTORED else None
            return replace(self._found.scene, phase=phase, original=original, restored=restored)
        if found.snapshot not in {None, self._found.snapshot}:
            raise errors.RestoreUnfinished(
                f"A restore of another snapshot of '{self.name}', {found.snapshot}, has begun meanwhile.",
                hint="Look at it with 'taxiway snapshot restore --dry-run'.",
            )
        return replace(found.scene, phase=phase, tried=tried, is_compared=self._is_compared)

    def _do(self, step: Step, scene: Scene) -> None:
        rds = self.databases
        match step:
            case steps.Restore():
                self._begin(step, scene)
            case steps.CreateInstance():
                rds.create_instance(step.cluster, step.target, step.instance, {INSTANCE_TAG: step.instance.name})
            case steps.Change():
                rds.change(step.target, step.wanted)
                self._tried[step.key] = self.clock.monotonic()
            case steps.Compare():
                self._compare(scene)
            case steps.Tag():
                rds.add_tags(step.target.arn, step.tags)
            case steps.Rename():
                rds.rename(step.target, step.becomes)
            case steps.Unprotect():
                rds.unprotect(step.target)
            case steps.DeleteInstance():
                rds.delete_instance(step.target)
            case steps.Delete():
                rds.delete(step.target, step.snapshot)
                keep_settings(rds, step.target, step.snapshot, database_name=self.name, clock=self.clock)
            case steps.Untag():
                rds.remove_tags(step.target.arn, [*RESTORE_TAGS])

    def _begin(self, step: steps.Restore, scene: Scene) -> None:
        assert self._found is not None  # looked at before any work
        assert self._snapshot is not None  # a restore begins with one
        tags = {
            **plan.start_tags(scene),
            SNAPSHOT_TAG: self._snapshot.name,
            SETTINGS_TAG: self._found.settings_from,
            PHASE_TAG: Phase.BUILD.value,
        }
        self.databases.restore(self._snapshot, step.target, scene.wanted, tags)

    def _compare(self, scene: Scene) -> None:
        assert scene.restored is not None  # compared is what is there
        self.differences = compare(scene.wanted, scene.restored.configuration)
        if self.differences and not self.accepts(self.differences):
            raise errors.SettingsDiffer(
                f"{len(self.differences)} settings of {scene.restored.name} are not as they have to be, so "
                f"that it was not given the name '{self.name}'.",
                hint="Mend them and run it again, or accept them with --accept-differences.",
            )
        self._is_compared = True


def _of_this_phase(scene: Scene) -> list[Step]:
    """Without what a plan shows of the next phase."""
    left = remaining(scene)
    if scene.phase is not Phase.BUILD:
        return [*left]
    return [one for one in left if not isinstance(one, steps.Rename | steps.RenameLater)]


def _check_shown(step: steps.Wait, waiting: Waiting) -> None:
    if step.status != plan.HIDDEN or waiting.seconds_of(words_of(step)) < _APPEAR_SECONDS:
        return
    raise errors.RestoreStuck(
        f"RDS has not shown {step.target} for {_APPEAR_SECONDS / 60:.0f} minutes.",
        hint="Look for it in the console of RDS. If it was deleted there, remove the tags that begin with "
        f"{RESTORE_TAG} from the other one.",
    )


def _check_health(scene: Scene) -> None:
    for database in (scene.original, scene.restored):
        if database is None:
            continue
        both: tuple[Database | Instance, ...] = (database, *database.instances)
        for one in both:
            if is_broken(one.status):
                raise errors.RestoreStuck(
                    f"{one.name} is {one.status}: that does not end by waiting.",
                    hint="Start or mend it in the console of RDS, then run this again; or go back with 'taxiway "
                    "snapshot revert'.",
                )


def _manifest_of(snapshot: Snapshot) -> Configuration:
    if snapshot.manifest is None:
        raise errors.ManifestMissing(
            f"Snapshot {snapshot.name} has no settings with it: it was not made by 'taxiway snapshot create'.",
            hint="Restore one that has (taxiway snapshot list), or this one while the live database is there.",
        )
    return snapshot.manifest
