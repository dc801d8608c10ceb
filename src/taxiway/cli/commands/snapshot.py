"""``taxiway snapshot``: a way back, made before something goes wrong."""

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import click

from taxiway import exit_codes
from taxiway.cli.confirm import confirm as have_confirmed
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_aside, print_json, print_result
from taxiway.cli.snapshot_session import SnapshotSession, find_revision, now
from taxiway.cli.task_options import database_options, read_settings
from taxiway.model.snapshot import Database, Phase
from taxiway.ops.restore import Found, Restorer, RestoreWish
from taxiway.ops.snapshots import list_snapshots
from taxiway.planning.rds_names import final_name, old_name
from taxiway.planning.restore import Scene, is_back, is_swapped, remaining, with_phase
from taxiway.planning.restore_steps import in_words
from taxiway.reports.snapshot_json import created_json, plan_json, restore_json, snapshot_list_json
from taxiway.reports.snapshot_text import render_plan, render_snapshot_list
from taxiway.runner.signals import Terminated

type Command = Callable[..., Any]

_yes = click.option("--yes", is_flag=True, help="Agree to the plan beforehand.")
_dry_run = click.option("--dry-run", is_flag=True, help="Show the plan, and do nothing.")
_take_over = click.option(
    "--take-over", is_flag=True, help="Go on although somebody else seems to be at work on it."
)


@click.group()
def snapshot() -> None:
    """Make snapshots of the database in AWS, and restore them.

    Which database is told by 'database' in [task] of taxiway.toml, by the outputs of a stack, or by --database:
    the identifier of an Aurora cluster, or of an RDS instance that belongs to none.
    """


# --- create and list


@snapshot.command()
@database_options
@click.option("--reason", metavar="TEXT", help="Why, for everybody who sees the snapshot later.")
@click.option("--branch", metavar="NAME", help="The branch that it is made for; in a workflow, the workflow's.")
@click.option("--commit", metavar="SHA", help="The commit that it is made for; in a workflow, the workflow's.")
@click.pass_obj
def create(
    invocation: Invocation,
    /,
    *,
    reason: str | None,
    branch: str | None,
    commit: str | None,
    **options: object,
) -> int:
    """Make a snapshot with all settings of the database, and wait until it is complete.

    The settings are kept in tags of the snapshot, so that a restore has them even when the database is gone.
    """
    session = SnapshotSession(invocation, read_settings(options))
    workflow_branch, workflow_commit = find_revision(os.environ)
    try:
        made = session.create(branch=branch or workflow_branch, commit=commit or workflow_commit, reason=reason)
    except KeyboardInterrupt as stop:
        if not session.progress.last_step:
            raise  # RDS was not asked for one yet
        return _tell_stop(stop, session, "RDS completes the snapshot by itself: see 'taxiway snapshot list'.")
    invocation.progress.note_done(f"snapshot {made.name} had been made")
    if invocation.json:
        print_json(created_json(made))
    else:
        print_result(made.name)
    return exit_codes.SUCCESS


@snapshot.command("list")
@database_options
@click.pass_obj
def list_(invocation: Invocation, /, **options: object) -> None:
    """List the snapshots of the database, the newest first; also when the database is gone.

    'Settings' says whether the snapshot knows all settings of the database.
    """
    session = SnapshotSession(invocation, read_settings(options))
    found = list_snapshots(session.rds, session.database)
    if invocation.json:
        print_json(snapshot_list_json(session.database, found))
    else:
        print_result(render_snapshot_list(found, datetime.now().astimezone()))


# --- restore, revert, confirm


@snapshot.command()
@database_options
@click.option(
    "--settings",
    "settings_from",
    type=click.Choice(["live", "snapshot"]),
    default="live",
    show_default=True,
    help="Whose settings the restored one gets; if the live one is gone, it is always the snapshot's.",
)
@click.option(
    "--accept-differences", is_flag=True, help="Swap it in even if settings could not be restored; they are shown."
)
@_dry_run
@_yes
@_take_over
@click.argument("name", required=False, metavar="[SNAPSHOT]")
@click.pass_obj
def restore(
    invocation: Invocation,
    /,
    *,
    name: str | None,
    settings_from: str,
    accept_differences: bool,
    dry_run: bool,
    yes: bool,
    take_over: bool,
    **options: object,
) -> int:
    """Restore a snapshot beside the live database, and swap the two by their names.

    Without SNAPSHOT it is the newest. The restored one has every setting of the live one, which is compared before
    the swap. The old one stays, until 'taxiway snapshot confirm' deletes it or 'revert' swaps back.

    If the call is cut off, another one goes on where it was.
    """
    session = SnapshotSession(invocation, read_settings(options))
    restorer = session.restorer(takes_over=take_over, accepts_differences=accept_differences)
    wish = RestoreWish(snapshot=name, prefers_snapshot_settings=settings_from == "snapshot")
    found = restorer.look(wish, now())
    if found.scene.phase is Phase.SWAP and is_swapped(found.scene):
        return _tell(session, restorer, found, found.scene)
    phase = Phase.SWAP if found.scene.phase is Phase.BACK else found.scene.phase
    steps = in_words(remaining(with_phase(found.scene, phase)))
    if dry_run:
        return _show(session, "snapshot restore", steps, found, _restore_notes(found))
    print_aside(_plan("Restore", session, steps, found, _restore_notes(found)))
    have_confirmed(f"Restore '{session.database}'?", is_confirmed=yes)
    return _run(session, restorer, found, lambda: restorer.restore(found), "snapshot restore")


@snapshot.command()
@database_options
@_dry_run
@_yes
@_take_over
@click.pass_obj
def revert(invocation: Invocation, /, *, dry_run: bool, yes: bool, take_over: bool, **options: object) -> int:
    """Swap back: the database that was live before the restore is live again.

    That is possible until 'confirm', also in the middle of a restore. What was restored stays, until 'confirm'.
    """
    session = SnapshotSession(invocation, read_settings(options))
    restorer = session.restorer(takes_over=take_over, accepts_differences=False)
    found = restorer.get_begun()
    steps = in_words(remaining(with_phase(found.scene, Phase.BACK)))
    notes = ["What was written since the restore stays in the restored database, which is kept."]
    if dry_run:
        return _show(session, "snapshot revert", steps, found, notes)
    if not (found.scene.phase is Phase.BACK and is_back(found.scene)):
        print_aside(_plan("Revert", session, steps, found, notes))
        have_confirmed(f"Swap '{session.database}' back?", is_confirmed=yes)
    return _run(session, restorer, found, lambda: restorer.revert(found), "snapshot revert")


@snapshot.command()
@database_options
@_dry_run
@_yes
@_take_over
@click.pass_obj
def confirm(invocation: Invocation, /, *, dry_run: bool, yes: bool, take_over: bool, **options: object) -> int:
    """End a restore: delete the database that is not live any more, keeping a last snapshot of it.

    After a revert, that is the restored one.
    """
    session = SnapshotSession(invocation, read_settings(options))
    restorer = session.restorer(takes_over=take_over, accepts_differences=False)
    found = restorer.get_begun()
    steps = in_words(remaining(with_phase(found.scene, restorer.kept_phase(found))))
    notes = ["The deletion cannot be taken back; the last snapshot stays until somebody deletes it."]
    if dry_run:
        return _show(session, "snapshot confirm", steps, found, notes)
    print_aside(_plan("Confirmation", session, steps, found, notes))
    have_confirmed(f"Delete what is not live any more of '{session.database}'?", is_confirmed=yes)
    return _run(session, restorer, found, lambda: restorer.confirm(found), "snapshot confirm")


# --- what is told


def _plan(title: str, session: SnapshotSession, steps: list[str], found: Found, notes: list[str]) -> str:
    of = f" from snapshot {found.snapshot}" if found.snapshot else ""
    begun = "; it has begun already, and goes on here" if found.is_begun else ""
    return render_plan(f"{title} of '{session.database}'{of}{begun}:", steps, notes)


def _restore_notes(found: Found) -> list[str]:
    scene = found.scene
    notes = [f"Its settings are those of the {'live database' if found.settings_from == 'live' else 'snapshot'}."]
    if scene.original:
        notes += [
            f"While names change, for some minutes, nobody reaches '{scene.name}'.",
            f"What was written after the snapshot is not in it then, but in {old_name(scene.name, scene.stamp)},",
            "which stays until 'taxiway snapshot confirm'.",
        ]
    else:
        notes.append(f"There is no live database '{scene.name}': what is restored takes the name.")
    if scene.wanted.settings.get("ManageMasterUserPassword"):
        notes.append("RDS manages the master password: the restored one has a new secret, with another ARN.")
    return notes


def _show(session: SnapshotSession, operation: str, steps: list[str], found: Found, notes: list[str]) -> int:
    if session.invocation.json:
        print_json(plan_json(operation, session.database, steps, snapshot=found.snapshot))
    else:
        print_result(_plan("Plan", session, steps, found, notes))
    return exit_codes.SUCCESS


def _run(
    session: SnapshotSession,
    restorer: Restorer,
    found: Found,
    work: Callable[[], Scene],
    operation: str,
) -> int:
    """Do it, and tell how it is now. Whatever ends it, nobody has to wait for us any more."""
    is_done = False
    # Also while the lease is being released, and the end being told
    session.invocation.progress.note_done(f"RDS had been asked to change '{session.database}'")
    try:
        scene = work()
        is_done = True
    except KeyboardInterrupt as stop:
        return _tell_stop(stop, session, _ways_on(restorer, session.progress.last_step, operation))
    finally:
        restorer.release(is_done=is_done)
    return _tell(session, restorer, found, scene, operation)


def _ways_on(restorer: Restorer, last_step: str, operation: str) -> str:
    """What RDS is at behind us, and what leads on from there. Nobody goes back from what has not begun."""
    if restorer.refusal is not None:
        first = f"RDS has not taken what it was asked for last ({last_step}): {restorer.refusal.message}"
    elif last_step:
        first = f"RDS goes on with what it was asked for last ({last_step})."
    else:
        first = "RDS was asked for nothing."
    ways = [
        f"  {'Go on:    ' if restorer.is_begun else 'Try again:'} taxiway {operation}",
        "  Look:      taxiway snapshot restore --dry-run",
        *(["  Go back:   taxiway snapshot revert"] if restorer.is_begun else []),
    ]
    return "\n".join([first, *ways])


def _tell(
    session: SnapshotSession,
    restorer: Restorer,
    found: Found,
    scene: Scene,
    operation: str = "snapshot restore",
) -> int:
    live, aside = _sides(scene)
    has_dropped = operation == "snapshot confirm" and _has_both(found.scene)
    last = final_name(scene.name, scene.stamp) if has_dropped else None
    if session.invocation.json:
        print_json(
            restore_json(
                operation,
                session.database,
                snapshot=found.snapshot,
                live=live,
                aside=aside,
                differences=restorer.differences,
                final_snapshot=last,
            )
        )
        return exit_codes.SUCCESS
    print_result(_ENDINGS[operation].format(name=session.database, snapshot=found.snapshot))
    if last:
        print_result(f"The last snapshot of what was deleted is {last}.")
    _tell_what_is_left(live, aside, operation)
    return exit_codes.SUCCESS


def _tell_what_is_left(live: Database | None, aside: Database | None, operation: str) -> None:
    """To do by hand, or to decide."""
    if live and live.master_secret and operation != "snapshot confirm":
        print_aside(
            f"Its master password lies in {live.master_secret}.\n"
            f'  Of a stack with [infra.database]: write master_secret = "{live.master_secret}" there, and\n'
            f'  database_resource_id = "{live.resource_id}" below [infra] if somebody logs in with IAM.\n'
            "  Then:                            taxiway infra deploy"
        )
    if aside:
        print_aside(
            f"{aside.name} is kept.\n"
            "  Delete it, with a last snapshot: taxiway snapshot confirm\n"
            f"  Swap the two again:              taxiway snapshot {_BACK[operation]}"
        )


_ENDINGS: Final = {
    "snapshot restore": "'{name}' is now the database that was restored from snapshot {snapshot}.",
    "snapshot revert": "'{name}' is again the database that it was before the restore.",
    "snapshot confirm": "'{name}' stays as it is, and no restore is under way.",
}
_BACK: Final = {"snapshot restore": "revert", "snapshot revert": "restore", "snapshot confirm": "restore"}


def _sides(scene: Scene) -> tuple[Database | None, Database | None]:
    both = [one for one in (scene.restored, scene.original) if one]
    live = next((one for one in both if one.name == scene.name), None)
    return live, next((one for one in both if one is not live), None)


def _has_both(scene: Scene) -> bool:
    return scene.original is not None and scene.restored is not None


def _tell_stop(stop: KeyboardInterrupt, session: SnapshotSession, words: str) -> int:
    print_aside(f"\nStopped. Nothing is lost. {words}")
    if session.invocation.json:
        print_json({"operation": "snapshot", "database": session.database, "isStopped": True})
    return exit_codes.TERMINATED if isinstance(stop, Terminated) else exit_codes.INTERRUPTED
