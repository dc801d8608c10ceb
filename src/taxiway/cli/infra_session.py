"""One call of ``taxiway infra``: its settings, its services, and what it shows meanwhile."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from taxiway import errors
from taxiway.cli.output import print_aside
from taxiway.cli.table_options import given_values, place_of_file, table_options
from taxiway.clock import SystemClock
from taxiway.config.infra import TABLE, load_infra
from taxiway.config.task import load_task
from taxiway.model.infra import DEFAULT_STACK, InfraSettings, StackEvent
from taxiway.ops.deploy_infra import Deployment, Wanted
from taxiway.ops.follow_stack import StackFollower
from taxiway.reports.infra_text import render_event

if TYPE_CHECKING:
    from taxiway.aws.cloudformation import CloudFormation
    from taxiway.aws.session import Place
    from taxiway.cli.invocation import Invocation

# Which stack, and where. All other keys are the stack's description, which belongs into a file that is reviewed.
infra_options = table_options(TABLE)


@dataclass
class InfraSession:
    """The services of a call, made when they are needed."""

    invocation: "Invocation"
    options: Mapping[str, object]

    @cached_property
    def configured(self) -> InfraSettings | None:
        """What ``[infra]`` and the options say; ``None``: there is no ``[infra]``.

        Raises:
            ConfigError: The file cannot be used.
        """
        found = load_infra(**place_of_file(self.options))
        return replace(found, **given_values(TABLE, self.options)) if found else None

    @property
    def settings(self) -> InfraSettings:
        """What ``[infra]`` and the options say.

        Raises:
            MissingOption: There is no ``[infra]``.
            ConfigError: The file cannot be used.
        """
        if self.configured is None:
            raise errors.MissingOption(
                "Nothing says what is to be built: there is no [infra] in taxiway.toml.",
                hint="Write [infra], as docs/how-to/build-the-infrastructure.md shows it.",
            )
        return self.configured

    @property
    def stack(self) -> str:
        """The name of the stack, which can be looked at and destroyed without ``[infra]``, too."""
        return self._target.stack

    @cached_property
    def _target(self) -> InfraSettings:
        if self.configured is not None:
            return self.configured
        task = load_task(**place_of_file(self.options))
        target = InfraSettings(stack=task.stack or DEFAULT_STACK, region=task.region, profile=task.profile)
        return replace(target, **given_values(TABLE, self.options))

    @cached_property
    def template(self) -> Mapping[str, Any]:
        """What is wanted.

        Raises:
            ConfigError: No stack can be made of the settings.
        """
        from taxiway.infra.template import build_template

        return build_template(self.settings)

    @cached_property
    def stacks(self) -> "CloudFormation":
        """CloudFormation where the settings say."""
        from taxiway.aws.cloudformation import CloudFormation

        return CloudFormation(self.place())

    @cached_property
    def follower(self) -> StackFollower:
        """What waits for it, and shows it on standard error."""
        return StackFollower(self.stacks, Terminal(self.invocation), SystemClock())

    @property
    def deployment(self) -> Deployment:
        """Of what is wanted."""
        wanted = Wanted(stack=self.settings.stack, template=self.template, tags=self.settings.tags)
        return Deployment(wanted, self.follower)

    @contextmanager
    def planning(self) -> Iterator[None]:
        """Say that nothing has become of the stack when the planning is cut short."""
        try:
            yield
        except KeyboardInterrupt:
            print_aside("Nothing was changed: the changes were only being worked out.")
            raise

    def going_on(self, done: str) -> AbstractContextManager[None]:
        """Say what becomes of the stack when the watching is cut short. ``done``: what is done to it."""
        return self.invocation.progress.changing(
            f"stack {self.stack}",
            done,
            leaves="CloudFormation goes on by itself.\n"
            "  Look at it:     taxiway infra status\n"
            "  Watch it again: the same command",
        )

    def place(self) -> "Place":
        """Region and profile."""
        from taxiway.aws.session import Place

        return Place(self._target.region, self._target.profile)


@dataclass
class Terminal:
    """Shows what happens to a stack, on standard error."""

    invocation: "Invocation"

    def on_event(self, event: StackEvent) -> None:
        """Something has happened to a resource."""
        if not self.invocation.quiet:
            print_aside(render_event(event))

    def on_trouble(self, message: str) -> None:
        """Something to know that is not the stack's own."""
        print_aside(message)
