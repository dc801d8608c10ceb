"""Who is believed about a task that has ended: nobody alone (docs/adr/0040-who-is-believed.md).

Three say how it ended: the last line of the log, which the engine has written; the exit code of the container,
which ECS has seen; and the reason of the stop. Only where all three agree is that the result. Otherwise the result
is a failure, whatever one of them says. A success has to be one of the branch or commit that was asked for.
"""

from taxiway import errors
from taxiway.model.run_report import RunReport
from taxiway.model.task import LogEnd, Task, TaskResult
from taxiway.ops.run_task import BRANCH, COMMIT
from taxiway.ops.stop_reasons import Explanation, StopCause, explain_stop
from taxiway.secret import MASK

# The container has ended by itself, and the task because of it.
_BY_ITSELF = frozenset({StopCause.EXITED})


def judge(task: Task, log: LogEnd) -> TaskResult:
    """The result of a stopped task, if log, exit code and stop reason agree about it: a failure or a success.

    A task that was asked to end is never a success, even if all was applied before it heard of that.

    Raises:
        TaskNotStarted: Its container has no exit code and has printed nothing.
        TaskStopped: It has an end, and no result: it was killed.
        TaskLogLost: Its log was not there, or not to its end.
        TaskDisagrees: They contradict each other.
    """
    why = explain_stop(task)
    if task.exit_code is None:
        raise _without_exit_code(task, log, why)
    report = log.report
    if report is None:
        raise _without_report(task, log, why)
    if report.exit_code != task.exit_code:
        raise _disagree(
            task, f"its log says exit code {report.exit_code}, and ECS says {task.exit_code} ({why.message})"
        )
    if report.is_success and why.cause not in _BY_ITSELF:
        raise _disagree(task, f"its log says {report.outcome.value}, and ECS says: {why.message}")
    if report.is_success and (other := _find_other_work(task, report)):
        raise _disagree(task, other)
    return TaskResult(task=task, report=report, lines=log.lines)


def _find_other_work(task: Task, report: RunReport) -> str | None:
    """What was run instead of what was asked for: by an entry point that has arguments of its own, for example.

    A branch in whose name a secret was masked cannot be compared.
    """
    branch, commit = task.variable(BRANCH), task.variable(COMMIT)
    if branch and branch != report.branch and MASK not in (report.branch or ""):
        return f"its log says branch {report.branch or 'unknown'}, and it was started for branch {branch}"
    if commit and not (report.commit and commit.startswith(report.commit)):
        return f"its log says commit {report.commit or 'unknown'}, and it was started for commit {commit}"
    return None


def _without_exit_code(task: Task, log: LogEnd, why: Explanation) -> errors.TaskError:
    if log.report is not None:
        said = log.report.outcome.value
        return _disagree(task, f"its log says {said}, and ECS has no exit code of its container ({why.message})")
    if log.lines:
        return errors.TaskStopped(
            f"Task {task.id} has no exit code, and its log no result. {why.message}", task=task.id, hint=_look(why)
        )
    error = errors.TaskWithoutCapacity if why.cause is StopCause.NO_CAPACITY else errors.TaskNotStarted
    return error(f"Task {task.id} never started. {why.message}", task=task.id, hint=why.hint)


def _without_report(task: Task, log: LogEnd, why: Explanation) -> errors.TaskError:
    ended = f"Task {task.id} ended with exit code {task.exit_code}"
    if log.loss is not None and why.cause is StopCause.EXITED:
        return errors.TaskLogLost(
            f"{ended}, and its log {log.loss.value}: its result is not known.",
            task=task.id,
            hint="Look at the database with 'taxiway info' before you run it again.",
        )
    if why.cause is StopCause.EXITED and task.exit_code == 0:
        return _disagree(task, "its exit code is 0, and its log has no result")
    return errors.TaskStopped(f"{ended}, and its log has no result. {why.message}", task=task.id, hint=_look(why))


def _look(why: Explanation) -> str:
    return f"{why.hint} Look at the database with 'taxiway info' first."


def _disagree(task: Task, contradiction: str) -> errors.TaskDisagrees:
    return errors.TaskDisagrees(
        f"Task {task.id} cannot be believed: {contradiction}.",
        task=task.id,
        hint=f"Read 'taxiway task logs {task.id}', and look at the database with 'taxiway info' first.",
    )
