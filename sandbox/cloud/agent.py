"""Plays Fargate: takes every task from PROVISIONING to STOPPED, with a real process or container in between.

The texts of stop reasons come from the guide and from reports of users. Programs should rely on how they begin.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread, Timer
from typing import Final

from sandbox.cloud.container import CannotStart, Container
from sandbox.cloud.execution_role import ExecutionRole, FailedToStart, Put
from sandbox.cloud.images import Image, Registry
from sandbox.cloud.launcher import launch
from sandbox.cloud.log_driver import LogDriver, Milestone
from sandbox.cloud.roles import Clients
from sandbox.cloud.task import Status, Stop, StopCode, Task
from sandbox.cloud.task_endpoints import TaskEndpoints

_logger: Final = logging.getLogger(__name__)

# How long a task stays in a status in which nothing happens here, for instance its network interface being made.
_STATUS_SECONDS: Final = 0.05
_END_SECONDS: Final = 3

_EXITED: Final = "Essential container in task exited"
_OUT_OF_MEMORY: Final = "OutOfMemoryError: Container killed due to memory usage"
_MAINTENANCE: Final = "ECS is performing maintenance on the underlying infrastructure hosting the task."
_STOPPED_BY_USER: Final = "Task stopped by user"


class Agent:
    """Runs tasks, each in a thread of its own."""

    def __init__(
        self, *, clients: Clients, registry: Registry, endpoints: TaskEndpoints, address: str, directory: Path
    ) -> None:
        """``directory``: each task gets one below it, which stays for a look at it."""
        self._clients, self._registry, self._endpoints = clients, registry, endpoints
        self._address, self._directory = address, directory
        self._runs: dict[str, _Run] = {}

    def start(self, task: Task) -> None:
        """Begin to run a task."""
        Thread(target=self._play, args=(task,), name=f"task {task.id}", daemon=True).start()

    def stop(self, task: Task, reason: str | None) -> None:
        """StopTask: SIGTERM now, and SIGKILL after the stop timeout. Harmless when it ends already."""
        with task.changed:
            if not task.must_stop(Stop(StopCode.USER_INITIATED, reason or _STOPPED_BY_USER)):
                return
            if task.id in self._runs:
                task.enter(Status.STOPPING)
                self._runs[task.id].ask_to_end()

    def end_all(self) -> None:
        """Kill what still runs, when the whole cloud ends, and wait a moment until nothing is left of it."""
        for run in list(self._runs.values()):
            run.kill()
        deadline = time.monotonic() + _END_SECONDS
        while self._runs and time.monotonic() < deadline:
            time.sleep(0.01)

    def _play(self, task: Task) -> None:
        try:
            self._run(task)
        except FailedToStart as failure:
            reason = str(failure)
            # What initialises resources is the task; pulling and starting are about the container.
            of_container = None if reason.startswith("ResourceInitializationError") else reason
            task.must_stop(Stop(StopCode.TASK_FAILED_TO_START, reason, of_container))
        except Exception:
            _logger.exception("task %s", task.arn)
            task.must_stop(Stop(StopCode.TASK_FAILED_TO_START, "InternalError: see the log of the sandbox"))
        self._endpoints.close(task)
        task.enter(Status.DEPROVISIONING, *(("executionStoppedAt",) if "startedAt" in task.times else ()))
        time.sleep(_STATUS_SECONDS)
        task.enter(Status.STOPPED, "stoppedAt")

    def _run(self, task: Task) -> None:
        is_stuck = "stuck-in-provisioning" in task.faults
        if task.wait_for_stop(None if is_stuck else _STATUS_SECONDS):
            return
        task.enter(Status.PENDING)
        role = ExecutionRole(self._clients, task)
        role.check_registry_credentials()
        secrets = role.secret_values()
        image = self._pull(task)
        environment = {
            **image.environment,
            **self._environment(task),
            **task.definition.environment,
            **secrets,
            **{item["name"]: item["value"] for item in task.container_overrides().get("environment", ())},
        }
        put = role.open_log()
        run = self._launch(task, image, environment)
        if run:
            run.follow(put, role)
            del self._runs[task.id]

    def _pull(self, task: Task) -> Image:
        task.enter(Status.PENDING, "pullStartedAt")
        fault, reference = task.faults.get("cannot-pull-image"), task.definition.image
        image = None if fault else self._registry.find(reference)
        if image is None:
            reason = fault["reason"] if fault else "not found"
            raise FailedToStart(
                "CannotPullContainerError: pull image manifest has been retried 5 time(s): "
                f"failed to resolve ref {reference}: {reference}: {reason}"
            )
        task.image_digest = image.digest
        task.enter(Status.PENDING, "pullStoppedAt")
        return image

    def _environment(self, task: Task) -> dict[str, str]:
        """What Fargate adds, and the address of the emulator, which stands for that of AWS."""
        return {
            "AWS_REGION": task.region,
            "AWS_DEFAULT_REGION": task.region,
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_ENDPOINT_URL": self._address,
            "HOSTNAME": task.id[:12],
            **self._endpoints.open(task),
        }

    def _launch(self, task: Task, image: Image, environment: dict[str, str]) -> "_Run | None":
        """Start the container, unless the task was stopped in the meantime."""
        with task.changed:
            if task.stop:
                return None
            try:
                container = launch(task, image, environment, self._directory / task.id)
            except CannotStart as error:
                raise FailedToStart(
                    f"CannotStartContainerError: failed to create new container runtime task: {error}: unknown"
                ) from error
            self._runs[task.id] = _Run(task, container)
            task.enter(Status.RUNNING, "startedAt")
            return self._runs[task.id]


class _Run:
    """A container that runs for a task."""

    def __init__(self, task: Task, container: Container) -> None:
        self._task, self._container = task, container
        self._killer: Timer | None = None
        self._is_lost = False
        self._is_out_of_memory = False

    def ask_to_end(self) -> None:
        """SIGTERM, and SIGKILL when the time is over."""
        self._container.terminate()
        self._killer = Timer(self._task.definition.stop_seconds, self._container.kill)
        self._killer.daemon = True
        self._killer.start()

    def kill(self) -> None:
        """SIGKILL at once."""
        self._container.kill()

    def follow(self, put: Put, role: ExecutionRole) -> None:
        """To the end of the process and of its output; say why it has ended, and with what."""
        delay = self._task.faults.get("log-delay", {"seconds": 0})["seconds"]
        driver = LogDriver(
            self._container.output, put, delay_seconds=delay, milestones=list(self._milestones(role))
        )
        logging_thread = Thread(target=driver.run, name=f"log of {self._task.id}", daemon=True)
        logging_thread.start()
        code = self._container.wait()
        driver.container_has_ended()
        if self._killer:
            self._killer.cancel()
        self._conclude(code)
        if delay:
            Thread(target=self._finish, args=(logging_thread,), daemon=True).start()
        else:
            self._finish(logging_thread)

    def _conclude(self, code: int) -> None:
        if self._is_lost:
            self._task.must_stop(Stop(StopCode.TERMINATION_NOTICE, _MAINTENANCE))
            return
        self._task.exit_code = code
        is_out_of_memory = self._is_out_of_memory or self._container.was_killed_for_memory()
        reason = _OUT_OF_MEMORY if is_out_of_memory else None
        self._task.must_stop(Stop(StopCode.ESSENTIAL_CONTAINER_EXITED, _EXITED, reason))

    def _finish(self, logging_thread: Thread) -> None:
        logging_thread.join()
        self._container.close()

    def _milestones(self, role: ExecutionRole) -> Iterator[Milestone]:
        """What shall go wrong in the middle."""
        faults = self._task.faults
        if "out-of-memory" in faults:
            yield Milestone(faults["out-of-memory"]["after_lines"], self._run_out_of_memory)
        if "host-failure" in faults:
            yield Milestone(faults["host-failure"]["after_lines"], self._lose_host)
        log = self._task.definition.log
        if "log-stream-deleted" in faults and log:
            yield Milestone(faults["log-stream-deleted"]["after_lines"], lambda: role.delete_log(log))

    def _run_out_of_memory(self) -> None:
        self._is_out_of_memory = True
        self._container.kill()

    def _lose_host(self) -> None:
        self._is_lost = True
        self._container.kill()
