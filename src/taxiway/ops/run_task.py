"""Starting exactly one task, and saying who did, of what."""

import re
import uuid
from dataclasses import dataclass
from typing import Final

from taxiway import errors
from taxiway.model.task import Refusal, Task, TaskRequest, TaskTarget
from taxiway.ops.seams import Tasks
from taxiway.ops.stop_reasons import StopCause, explain_refusal

# RunTask, "startedBy": up to 128 letters, digits, hyphens, slashes and underscores.
_NOT_IN_STARTED_BY: Final = re.compile(r"[^A-Za-z0-9/_-]")
_STARTED_BY_LENGTH: Final = 128
# "Tag naming limits" (AWS manual): letters, numbers, spaces and these, up to 256 characters.
_NOT_IN_TAG: Final = re.compile(r"[^\w +\-=.:/@]")
_TAG_LENGTH: Final = 256

ACTOR: Final = "TAXIWAY_ACTOR"
BRANCH: Final = "TAXIWAY_BRANCH"
COMMIT: Final = "TAXIWAY_COMMIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a task is to run, and for whom. At most one of branch and commit; neither: what its definition says."""

    actor: str
    branch: str | None = None
    commit: str | None = None
    more: tuple[str, ...] = ()


def make_request(work: Work, usual: tuple[str, ...] = ()) -> TaskRequest:
    """The call that starts it: made once, so that it can be repeated without starting a second task.

    ``usual`` is the command of the task definition. Arguments and variables are values of the call. No shell ever
    sees them.
    """
    facts = ((ACTOR, work.actor), (BRANCH, work.branch), (COMMIT, work.commit))
    given = tuple((name, value) for name, value in facts if value)
    return TaskRequest(
        command=_command(work, usual),
        environment=given,
        started_by=_NOT_IN_STARTED_BY.sub("-", f"taxiway/{work.actor}")[:_STARTED_BY_LENGTH],
        tags=tuple((f"taxiway:{name.removeprefix('TAXIWAY_').lower()}", _as_tag(value)) for name, value in given),
        client_token=str(uuid.uuid4()),
    )


def _command(work: Work, usual: tuple[str, ...]) -> tuple[str, ...]:
    """A command takes the place of that of the definition, which ECS does not add to.

    So options alone are put behind it: they are to change how it runs, and not which branch.
    """
    if work.commit:
        return ("--commit", work.commit, *work.more)
    if work.branch:
        return (work.branch, *work.more)
    is_options = work.more[:1] and work.more[0].startswith("-")
    return (*usual, *work.more) if is_options else work.more


def start_task(request: TaskRequest, target: TaskTarget, tasks: Tasks) -> Task:
    """Start it.

    Raises:
        TaskNotStarted: ECS refuses; message and hint say why and what to do.
        TaskStartUnknown: There was no answer, however often the call was repeated. It is not the error of AWS,
            whose exit code says that one may try again: another call would start another task.
        AwsError: We may not, or AWS is throttling.
    """
    try:
        answer = tasks.run_task(target, request)
    except errors.AwsUnreachable as silence:
        who = request.started_by.partition("/")[2]
        raise errors.TaskStartUnknown(
            f"Whether the task was started is not known: {silence.message}",
            hint=f"See 'taxiway task list' for a task of {who} before you run it again.",
        ) from silence
    match answer:
        case Refusal(reason, detail):
            why = explain_refusal(reason, detail)
            error = errors.TaskWithoutCapacity if why.cause is StopCause.NO_CAPACITY else errors.TaskNotStarted
            raise error(why.message, hint=why.hint)
        case task:
            return task


def _as_tag(text: str) -> str:
    return _NOT_IN_TAG.sub("_", text)[:_TAG_LENGTH]
