"""One call of ``taxiway task``: its services, what it works on, and what it shows meanwhile."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from taxiway import errors, exit_codes
from taxiway.cli.interrupts import Interrupts, has_terminal
from taxiway.cli.output import print_aside, print_result
from taxiway.cli.task_options import find_actor
from taxiway.clock import SystemClock
from taxiway.model.run_report import RunReport
from taxiway.model.task import LogEvent, Task, TaskSettings, TaskTarget
from taxiway.ops.seams import Aws, Wish
from taxiway.ops.watch_task import TaskWatch, TimeLimit, Watched
from taxiway.reports.result_line import parse_result_line
from taxiway.reports.task_text import render_log_line, render_status, short_id
from taxiway.runner.signals import Terminated

if TYPE_CHECKING:
    from taxiway.aws.ecs import Ecs
    from taxiway.aws.session import Place
    from taxiway.cli.invocation import Invocation


@dataclass
class TaskSession:
    """The services of a call, made when they are needed, and the target once its names are resolved."""

    invocation: "Invocation"
    settings: TaskSettings
    actor: str = field(default_factory=find_actor)
    snapshot: str | None = None
    has_asked_to_stop: bool = False

    @property
    def more(self) -> dict[str, str]:
        """What the report of the task has besides: the snapshot that was made before."""
        return {"snapshot": self.snapshot} if self.snapshot else {}

    @cached_property
    def ecs(self) -> "Ecs":
        """ECS where the settings say."""
        from taxiway.aws.ecs import Ecs

        return Ecs(self._place())

    @cached_property
    def target(self) -> TaskTarget:
        """Where tasks run and write, without the network that only a start needs.

        Raises:
            TaxiwayError: A name is missing, wrong or ambiguous, or AWS refuses.
        """
        from taxiway.aws.cloudformation import CloudFormation
        from taxiway.ops.resolve_target import resolve_target, with_stack

        if self.settings.stack is not None:
            self.settings = with_stack(self.settings, CloudFormation(self._place()))
        target = resolve_target(self.settings, self.ecs)
        if target.log.may_drop:
            print_aside(
                "WARNING: the log driver may drop lines (mode is non-blocking in the task definition); a result "
                "that is dropped is reported as a failure."
            )
        return target

    @cached_property
    def aws(self) -> Aws:
        """ECS, and the logs where the task definition says."""
        from taxiway.aws.logs import Logs

        return Aws(self.ecs, Logs(self._place(self.target.log.region)))

    def target_with_network(self) -> TaskTarget:
        """The target that a task can be started on. Raises as :attr:`target`."""
        from taxiway.aws.ec2 import Ec2
        from taxiway.ops.resolve_target import resolve_network

        target = self.target
        return resolve_network(target, self.settings, Ec2(self._place()))

    def find(self, wanted: str | None) -> str:
        """The id of the task that is meant: by its beginning, or the only one that is running.

        Raises:
            TaskNotFound, TaskAmbiguous: There is none, or several.
        """
        from taxiway.ops.list_tasks import find_running_id, find_task_id

        if wanted is None:
            return find_running_id(self.aws, self.target)
        return find_task_id(wanted, self.aws, self.target)

    def describe(self, task_id: str) -> Task | None:
        """The task, if ECS still knows it."""
        found = self.ecs.describe_tasks(self.target.cluster, [task_id], self.target.container)
        return found[0] if found else None

    def watch(self, task: Task, *, limit: TimeLimit | None = None, shows_log: bool = True) -> Watched | int:
        """Watch a task, and show what it does; an exit code if that was cut short, and the task goes on.

        Raises:
            TaskUnwatched: AWS refuses, or does not answer. The error is not that of AWS, because its exit code
                would say that nothing was begun, or that one may try again.
            TaskNotFound: ECS has forgotten the task.
        """
        watcher = Terminal(self.invocation, Interrupts(may_ask=has_terminal()), shows_log=shows_log)
        watch = TaskWatch(
            aws=self.aws,
            target=self.target,
            watcher=watcher,
            clock=SystemClock(),
            parse_report=parse_result_line,
            actor=self.actor,
            limit=limit,
        )
        try:
            with watcher.interrupts.listening():
                watched = watch.watch(task)
        except KeyboardInterrupt as stop:
            self.say_detached(watcher.task or task, watcher.report)
            return exit_codes.TERMINATED if isinstance(stop, Terminated) else exit_codes.INTERRUPTED
        except errors.AwsError as error:
            raise unwatched(task, error) from error
        if watched.is_detached and not watched.is_timed_out:
            self.say_detached(watched.task, watched.log.report)
            return exit_codes.INTERRUPTED
        return watched

    def say_detached(self, task: Task, report: RunReport | None = None) -> None:
        """Where the task is, what its log has told as its result, and how to get back to it."""
        name = short_id(task.id)
        said = f"its log says {report.words}, which is not confirmed" if report else "its result is not known"
        if task.is_stopped:
            why = said if report else f"its log was not read to the end, so that {said}"
            print_aside(f"Task {name} has ended; {why}.\n  Learn it: taxiway task attach {name}")
            return
        state = "was running when it was last looked at" if report else "goes on running"
        if self.has_asked_to_stop:
            state = "was asked to stop"
        print_aside(
            f"Detached. Task {name} {state}; {said}.\n"
            f"  Watch it again: taxiway task attach {name}\n"
            f"  Stop it:        taxiway task stop {name}"
        )

    def _place(self, region: str | None = None) -> "Place":
        from taxiway.aws.session import Place

        return Place(region or self.settings.region, self.settings.profile)


def unwatched(task: Task, error: errors.AwsError) -> errors.TaskUnwatched:
    """The error of a watch that AWS has ended."""
    name = short_id(task.id)
    # Their hints say to try again, which must not be taken for starting another task.
    passes = isinstance(error, errors.AwsThrottled | errors.AwsUnreachable)
    first = "" if passes or not error.hint else f"{error.hint} "
    return errors.TaskUnwatched(
        f"Task {name} was started and may still be running; its result is not known: {error.message}",
        task=task.id,
        hint=f"{first}Watch it again, which starts nothing: taxiway task attach {name}",
    )


@dataclass
class Terminal:
    """Shows a task: its lines on standard output, all else on standard error; with JSON everything there."""

    invocation: "Invocation"
    interrupts: Interrupts
    shows_log: bool
    task: Task | None = field(default=None, init=False)
    """As it was when its status was last told."""
    report: RunReport | None = field(default=None, init=False)
    """The result that its log has told."""

    def on_status(self, task: Task) -> None:
        """Its status has changed."""
        self.task = task
        if not self.invocation.quiet:
            print_aside(render_status(task))

    def on_line(self, event: LogEvent) -> None:
        """It has printed a line."""
        self.report = parse_result_line(event.message) or self.report
        if not self.shows_log:
            return
        line = render_log_line(event.message)
        if self.invocation.json:
            print_aside(line)
        else:
            print_result(line)

    def on_trouble(self, message: str) -> None:
        """Something to know that is not the task's own."""
        print_aside(message)

    def wish(self, *, is_over: bool = False) -> Wish:
        """What Ctrl-C has asked for."""
        return self.interrupts.wish(is_over=is_over)
