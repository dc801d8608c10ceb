"""Watching a task to its end: its status, its log as it grows, and what whoever watches wants meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from taxiway import errors
from taxiway.model.run_report import RunReport
from taxiway.model.task import LogEnd, Task, TaskTarget
from taxiway.ops.follow_logs import LogFollower
from taxiway.ops.seams import Aws, Clock, Watcher, Wish

# ECS and CloudWatch Logs allow many times this; nobody reads faster.
_POLL_SECONDS: Final = 1.0
# What the awslogs driver and CloudWatch Logs may need from the container's last line to its being readable.
_DRAIN_SECONDS: Final = 20.0
# A container that was killed, or never ran, has no result to wait for: only its last lines.
_SHORT_DRAIN_SECONDS: Final = 5.0
# 128 + SIGINT and 128 + SIGTERM: an engine that was stopped has said so.
_STOPPED_WITH_A_WORD: Final = frozenset({130, 143})
# How long ECS may not know a task that it has just started (eventual consistency, API reference of RunTask).
_APPEAR_SECONDS: Final = 60.0
# How long AWS may be throttling or silent: what matters is the task, which goes on.
_PATIENCE_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What watching came to. ``task`` has stopped and its log is read, unless ``is_detached``."""

    task: Task
    log: LogEnd
    is_detached: bool = False
    is_timed_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """When watching is over, on the monotonic clock, and whether the task is to end then."""

    deadline: float
    stops: bool
    words: str


@dataclass(slots=True, kw_only=True)
class TaskWatch:
    """One task under watch. ``parse_report`` finds the result in a line of the log.

    There is no limit of time but ``limit``: a migration takes as long as it takes.
    """

    aws: Aws
    target: TaskTarget
    watcher: Watcher
    clock: Clock
    parse_report: Callable[[str], RunReport | None]
    actor: str
    limit: TimeLimit | None = None
    poll_seconds: float = _POLL_SECONDS
    _last_answer: float = field(default=0.0, init=False)
    _last_seen: float = field(default=0.0, init=False)
    _trouble: str = field(default="", init=False)
    _is_late: bool = field(default=False, init=False)
    # Why the task is to be stopped, as long as ECS has not heard of it.
    _to_stop: str = field(default="", init=False)

    def watch(self, task: Task) -> Watched:
        """Watch until the task has stopped and its log is read, or somebody has had enough.

        Raises:
            TaskNotFound: ECS does not know the task any more.
            AwsError: AWS did not answer for ten minutes, or refuses. The task goes on.
        """
        follower = LogFollower(
            self.aws.logs,
            self.target.log.group,
            self.target.stream_of(task.id),
            parse_report=self.parse_report,
        )
        self._last_answer = self._last_seen = self.clock.monotonic()
        self.watcher.on_status(task)
        while not task.is_stopped:
            self._patiently(lambda: follower.read(self.watcher.on_line))
            if self._act_on_wish(task):
                return Watched(task=task, log=follower.end(), is_detached=True, is_timed_out=self._is_late)
            self.clock.sleep(self.poll_seconds)
            task = self._look(task)
        is_cut_short = self._drain(task, follower)
        return Watched(
            task=task,
            log=follower.end(),
            is_detached=is_cut_short,
            is_timed_out=self._is_late and not is_cut_short,
        )

    def _act_on_wish(self, task: Task) -> bool:
        """Whether to watch no longer."""
        if self.limit and not self._is_late and self.clock.monotonic() >= self.limit.deadline:
            self._is_late = True
            if not self.limit.stops:
                return True
            self._want_stop(f"Timeout of {self.limit.words} passed ({self.actor})")
        match self.watcher.wish():
            case Wish.DETACH:
                return True
            case Wish.STOP:
                self._want_stop(f"Stopped by {self.actor}")
        if self._to_stop:
            self._patiently(lambda: self._stop(task))
        return False

    def _want_stop(self, reason: str) -> None:
        self._to_stop = reason
        self.watcher.on_trouble(f"Stopping the task: {reason}.")

    def _stop(self, task: Task) -> None:
        try:
            self.aws.tasks.stop_task(self.target.cluster, task.arn, self._to_stop)
        except errors.TaskNotFound:
            self.watcher.on_trouble("ECS does not know the task any more.")
        self._to_stop = ""

    def _look(self, before: Task) -> Task:
        found = self._patiently(
            lambda: self.aws.tasks.describe_tasks(self.target.cluster, [before.arn], self.target.container)
        )
        if found == []:
            self._check_forgotten(before)
        if not found:
            return before
        [task] = found
        self._last_seen = self.clock.monotonic()
        if task.status != before.status:
            self.watcher.on_status(task)
        return task

    def _check_forgotten(self, task: Task) -> None:
        if self.clock.monotonic() - self._last_seen > _APPEAR_SECONDS:
            raise errors.TaskNotFound(
                f"ECS does not know task {task.id} any more, so that its result is not known.",
                task=task.id,
                hint=f"Read what it has printed: taxiway task logs {task.id}",
            )

    def _patiently[T](self, ask: Callable[[], T]) -> T | None:
        """The answer; ``None`` when AWS is silent for the moment, which is told once."""
        try:
            answer = ask()
        except (errors.AwsThrottled, errors.AwsUnreachable) as error:
            if self.clock.monotonic() - self._last_answer > _PATIENCE_SECONDS:
                raise
            if error.message != self._trouble:
                self._trouble = error.message
                self.watcher.on_trouble(f"{error.message} The task goes on; trying again.")
            return None
        self._last_answer, self._trouble = self.clock.monotonic(), ""
        return answer

    def _drain(self, task: Task, follower: LogFollower) -> bool:
        """Read what is still on its way; a last look after the result, because it need not be the last line.

        Whether somebody did not want to wait for it.
        """
        code = task.exit_code
        ran = code is not None and (code < 128 or code in _STOPPED_WITH_A_WORD)
        end = self.clock.monotonic() + (_DRAIN_SECONDS if ran else _SHORT_DRAIN_SECONDS)
        while True:
            had_report = follower.report is not None
            self._patiently(lambda: follower.read(self.watcher.on_line))
            if had_report or follower.is_gone or self.clock.monotonic() >= end:
                return False
            if self.watcher.wish(is_over=True) is Wish.DETACH:
                # With the result there is nothing left to wait for.
                return follower.report is None
            self.clock.sleep(self.poll_seconds)
