"""``taxiway task``: tasks in AWS, from the outside."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import click

from taxiway import errors, exit_codes
from taxiway.cli.duration import parse_duration
from taxiway.cli.flyway_args import parse_command_line
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_aside, print_json, print_result
from taxiway.cli.table_options import refuse_empty
from taxiway.cli.task_options import read_settings, target_options
from taxiway.cli.task_session import TaskSession
from taxiway.model.task import LogEvent, Task, TaskResult
from taxiway.ops.judge_task import judge
from taxiway.ops.list_tasks import list_known, list_tasks
from taxiway.ops.run_task import Work, make_request, start_task
from taxiway.ops.watch_task import TimeLimit, Watched
from taxiway.reports.result_line import parse_result_line
from taxiway.reports.task_json import task_json, task_list_json, task_logs_json, task_result_json
from taxiway.reports.task_text import render_log_line, render_task_list, render_task_result, short_id
from taxiway.runner.signals import Terminated
from taxiway.sources.git_branch import check_branch_name
from taxiway.sources.git_commit import parse_commit_id

_FORGOTTEN_SHOWN: Final = 50


@click.group()
def task() -> None:
    """Run, watch, stop and list tasks in AWS.

    Where tasks run is told by [task] in taxiway.toml, by the outputs of a stack, or by options.
    """


# --- run


@task.command()
@target_options
@click.option("--branch", metavar="NAME", callback=refuse_empty, help="Run the newest commit of this branch.")
@click.option("--commit", metavar="SHA", callback=refuse_empty, help="Run this commit, by its full id.")
@click.option("--detach", is_flag=True, help="Start the task, tell its id, and do not watch it.")
@click.option(
    "--timeout",
    metavar="DURATION",
    callback=refuse_empty,
    help="How long the task may take from its start, such as 30m; without it, as long as it wants.",
)
@click.option(
    "--on-timeout",
    type=click.Choice(["stop", "detach"]),
    help="What becomes of a task that takes longer than --timeout: it is stopped, which is the default, or goes "
    "on unwatched. The call fails.",
)
@click.option(
    "--snapshot",
    "with_snapshot",
    is_flag=True,
    help="Make a snapshot of the database before, with all its settings; without it, nothing is started.",
)
@click.argument("more", nargs=-1, metavar="[-- ARGUMENT...]", callback=refuse_empty)
@click.pass_obj
def run(
    invocation: Invocation,
    /,
    *,
    branch: str | None,
    commit: str | None,
    detach: bool,
    timeout: str | None,
    on_timeout: str | None,
    with_snapshot: bool,
    more: tuple[str, ...],
    **options: object,
) -> int:
    """Start one task, watch it live, and end with its exit code.

    Without --branch and --commit it runs what its definition says. ARGUMENTs are for 'taxiway run' in the
    container, behind that. The call ends with the container's exit code only where the log, that code and the
    reason of the stop agree; otherwise it fails.

    Ctrl-C asks whether to stop the task or to detach. Without a terminal, and on SIGTERM, it detaches.
    """
    work = _work(branch, commit, more)
    limit_seconds = _limit_seconds(timeout, on_timeout, detach=detach)
    session = TaskSession(invocation, read_settings(options))
    work = Work(actor=session.actor, branch=work.branch, commit=work.commit, more=work.more)
    if with_snapshot:
        stopped = _make_snapshot(session, work)
        if stopped is not None:
            return stopped
    with _telling_snapshot(session):
        started = _start(session, work)
        if isinstance(started, int):
            return started
        if detach:
            return _tell_start(session, started)
        limit = (
            TimeLimit(deadline=time.monotonic() + limit_seconds, stops=on_timeout != "detach", words=timeout or "")
            if limit_seconds
            else None
        )
        return _watch_and_tell("task run", session, started, limit)


def _work(branch: str | None, commit: str | None, more: tuple[str, ...]) -> Work:
    """What is asked for, checked before AWS is asked for anything."""
    if branch is not None and commit is not None:
        raise click.UsageError("--branch and --commit are both given: which of them is to be run?")
    if branch is not None:
        check_branch_name(branch)
    if settings := parse_command_line(["run", *more]).settings:
        # 'taxiway run' refuses them too, but then the values are in ECS, where many may read them.
        given = ", ".join(f"-{key}" for key in settings)
        raise click.UsageError(
            f"'taxiway run' takes its settings from the environment and the repository, not from {given}."
        )
    return Work(actor="", branch=branch, commit=parse_commit_id(commit) if commit else None, more=more)


def _limit_seconds(timeout: str | None, on_timeout: str | None, *, detach: bool) -> int | None:
    """How long the task may take; what would be without effect is refused."""
    if timeout is None:
        if on_timeout is not None:
            raise click.UsageError("--on-timeout is given, and no --timeout that could pass.")
        return None
    if detach:
        raise click.UsageError("--timeout needs somebody who watches, and --detach leaves nobody.")
    return parse_duration(timeout)


def _make_snapshot(session: TaskSession, work: Work) -> int | None:
    """Make one; an exit code if that was interrupted. A target that is wrong shall not cost one."""
    from taxiway.cli.snapshot_session import SnapshotSession

    session.target_with_network()
    snapshots = SnapshotSession(session.invocation, session.settings, session.actor)
    try:
        made = snapshots.create(branch=work.branch, commit=work.commit, reason="before a task")
    except KeyboardInterrupt as stop:
        if not snapshots.progress.last_step:
            raise  # RDS was not asked for one yet
        print_aside(
            "Interrupted while the snapshot was being made; no task was started. RDS completes it by itself."
        )
        return exit_codes.TERMINATED if isinstance(stop, Terminated) else exit_codes.INTERRUPTED
    session.snapshot = made.name
    session.invocation.progress.note_done(f"snapshot {made.name} had been made")
    return None


def _start(session: TaskSession, work: Work) -> Task | int:
    """The task; an exit code if this process was told to end before it was certain that there is one."""
    target = session.target_with_network()
    request = make_request(work, target.command)
    try:
        started = start_task(request, target, session.ecs)
    except KeyboardInterrupt as stop:
        print_aside("Interrupted while the task was being started, so that it may run: see 'taxiway task list'.")
        return exit_codes.TERMINATED if isinstance(stop, Terminated) else exit_codes.INTERRUPTED
    session.invocation.progress.note_done(f"task {short_id(started.id)} had been started")
    if not session.invocation.quiet:
        definition = target.definition.arn.rpartition("/")[2]
        cluster = target.cluster.rpartition("/")[2]
        print_aside(f"Started task {short_id(started.id)} ({definition}) in cluster {cluster} as {work.actor}.")
    return started


def _tell_start(session: TaskSession, started: Task) -> int:
    if session.invocation.json:
        print_json(task_json("task run", started, **session.more))
    else:
        print_result(started.id)
        session.say_detached(started)
    return exit_codes.SUCCESS


# --- attach


@task.command()
@target_options
@click.argument("task_id", required=False, metavar="[ID]", callback=refuse_empty)
@click.pass_obj
def attach(invocation: Invocation, /, *, task_id: str | None, **options: object) -> int:
    """Watch a task that was started before, from its first line, and end with its exit code.

    ID may be the beginning of one; without it, it is the only task that is running.
    """
    session = TaskSession(invocation, read_settings(options))
    found = session.find(task_id)
    running = session.describe(found)
    if running is None:
        raise errors.TaskNotFound(
            f"ECS does not know task {found} any more, so that its result cannot be confirmed.",
            task=found,
            hint=f"Read what it has printed: taxiway task logs {short_id(found)}",
        )
    return _watch_and_tell("task attach", session, running, None)


def _watch_and_tell(operation: str, session: TaskSession, started: Task, limit: TimeLimit | None) -> int:
    """Watch to the end, and tell how it was; the exit code."""
    watched = session.watch(started, limit=limit)
    if isinstance(watched, int):
        if session.invocation.json:
            print_json(task_json(operation, started, **session.more))
        return watched
    if watched.is_timed_out and limit:
        raise _timed_out(watched, limit)
    return _tell_result(operation, session, judge(watched.task, watched.log))


def _tell_result(operation: str, session: TaskSession, result: TaskResult) -> int:
    if session.invocation.json:
        print_json(task_result_json(operation, result, **session.more))
    else:
        print_aside(render_task_result(result))
    return result.report.exit_code


@contextmanager
def _telling_snapshot(session: TaskSession) -> Iterator[None]:
    """Tell the way back, whatever the end is: a snapshot that was made is there also when there is no task."""
    try:
        yield
    except errors.TaxiwayError as error:
        error.snapshot = session.snapshot
        raise
    finally:
        if session.snapshot:
            print_aside(f"The snapshot from before the task: taxiway snapshot restore {session.snapshot}")


def _timed_out(watched: Watched, limit: TimeLimit) -> errors.TaskTimedOut:
    name = short_id(watched.task.id)
    if watched.is_detached:
        return errors.TaskTimedOut(
            f"Task {name} is still running after {limit.words}; it goes on.",
            task=watched.task.id,
            hint=f"Watch it again: taxiway task attach {name}",
        )
    report = watched.log.report
    said = report.words if report else "no result"
    return errors.TaskTimedOut(
        f"Task {name} took longer than {limit.words} and was stopped; its log says {said}.",
        task=watched.task.id,
        hint="Look at the database with 'taxiway info', then run it again with a longer --timeout.",
    )


# --- stop


@task.command()
@target_options
@click.option("--reason", metavar="TEXT", help="Why, for everybody who looks at the task later.")
@click.argument("task_id", required=False, metavar="[ID]", callback=refuse_empty)
@click.pass_obj
def stop(invocation: Invocation, /, *, task_id: str | None, reason: str | None, **options: object) -> int:
    """Stop a task, wait for its end, and say how it ended.

    The running statement is cancelled and its transaction rolled back. ID may be the beginning of one; without it,
    it is the only task that is running. The call succeeds when the task has ended.
    """
    session = TaskSession(invocation, read_settings(options))
    found = session.find(task_id)
    running = session.describe(found)
    if running is None or running.is_stopped:
        raise errors.TaskNotFound(
            f"Task {short_id(found)} has ended already.",
            task=found,
            hint=f"See how: taxiway task logs {short_id(found)}",
        )
    words = f"{reason or 'Stopped'} (by {session.actor})"
    name = short_id(found)
    leaves = f"it may end, or go on running. Ask again: taxiway task stop {name}"
    with session.invocation.progress.changing(f"task {name}", "asked to stop", leaves=leaves):
        session.ecs.stop_task(session.target.cluster, running.arn, words)
    session.has_asked_to_stop = True
    watched = session.watch(running, shows_log=False)
    if isinstance(watched, int):
        return watched
    _tell_stop(session, watched)
    return exit_codes.SUCCESS


def _tell_stop(session: TaskSession, watched: Watched) -> None:
    try:
        result = judge(watched.task, watched.log)
    except errors.TaskError as error:
        if session.invocation.json:
            failure = {"code": error.code, "message": error.message}
            print_json(task_json("task stop", watched.task, error=failure))
        else:
            print_result(error.message)
        return
    if session.invocation.json:
        print_json(task_result_json("task stop", result))
    else:
        print_result(render_task_result(result))


# --- logs


@task.command()
@target_options
@click.option("--follow", "-f", is_flag=True, help="Go on until the task has ended.")
@click.argument("task_id", required=False, metavar="[ID]", callback=refuse_empty)
@click.pass_obj
def logs(invocation: Invocation, /, *, task_id: str | None, follow: bool, **options: object) -> int:
    """Show what a task has printed, from the first line on.

    ID may be the beginning of one; without it, it is the newest task that ECS knows. Logs are there for as long as
    the log group keeps them, long after ECS has forgotten the task.
    """
    session = TaskSession(invocation, read_settings(options))
    found = session.find(task_id) if task_id else _newest(session)
    known = session.describe(found) if follow else None
    if known is not None:
        watched = session.watch(known)
        return watched if isinstance(watched, int) else exit_codes.SUCCESS
    return _show_log(session, found)


def _newest(session: TaskSession) -> str:
    known = list_known(session.aws, session.target)
    if not known:
        raise errors.TaskNotFound(
            f"ECS knows no task of {session.target.definition.family}.",
            hint="See 'taxiway task list --all' for older ones, and name one.",
        )
    return known[0].id


def _show_log(session: TaskSession, task_id: str) -> int:
    from taxiway.ops.follow_logs import LogFollower

    target = session.target
    stream = target.stream_of(task_id)
    follower = LogFollower(session.aws.logs, target.log.group, stream, parse_report=parse_result_line)
    events: list[LogEvent] = []
    as_json = session.invocation.json
    follower.read(events.append if as_json else lambda event: print_result(render_log_line(event.message)))
    loss = follower.end().loss
    if loss is not None:
        raise errors.TaskLogLost(
            f"The log of task {short_id(task_id)} {loss.value} (stream {stream} of {target.log.group}).",
            task=task_id,
            hint="A task that has not started yet has none; see 'taxiway task list'.",
        )
    if as_json:
        print_json(task_logs_json(task_id, events))
    return exit_codes.SUCCESS


# --- list


@task.command("list")
@target_options
@click.option(
    "--all",
    "with_forgotten",
    is_flag=True,
    help=f"Also those that ECS has forgotten, an hour after their end: the newest {_FORGOTTEN_SHOWN} in the log.",
)
@click.pass_obj
def list_(invocation: Invocation, /, *, with_forgotten: bool, **options: object) -> None:
    """List the tasks that are running and those of the last hour, the newest first.

    The result of a task that has ended is the one that 'task run' would have told.
    """
    session = TaskSession(invocation, read_settings(options))
    forgotten = _FORGOTTEN_SHOWN if with_forgotten else 0
    rows = list_tasks(session.aws, session.target, parse_report=parse_result_line, forgotten=forgotten)
    if invocation.json:
        print_json(task_list_json(rows))
    else:
        print_result(render_task_list(rows, datetime.now().astimezone()))
