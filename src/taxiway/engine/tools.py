"""What the commands work with, besides settings and scope."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from taxiway.engine.overrides import Overrides
from taxiway.model.event import ChangeBegun

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from taxiway.engine.ports import Clock, EventSink, Programs, Rotations, Session
    from taxiway.model.event import Event
    from taxiway.model.settings import MigrationSettings
    from taxiway.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The adapters of one open project.

    Attributes:
        redact: Masks secrets in a text.
        program_environment: Variables for programs: ``FLYWAY_URL``, ``FLYWAY_USER`` and ``FLYWAY_PASSWORD``.
        rotations: Of the secrets of declared roles; ``None`` where nobody can be asked.
        overrides: What the server's messages count as. Its notices have to pass through it too.
    """

    session: Session
    clock: Clock
    on_event: EventSink
    redact: Callable[[str], str]
    programs: Programs
    program_environment: Mapping[str, str | Secret]
    rotations: Rotations | None = None
    overrides: Overrides = field(default_factory=Overrides)

    def installed_by(self, settings: MigrationSettings) -> str:
        """Whom rows of the history name: ``installedBy``, else the user of the session."""
        return settings.installed_by or self.session.facts.user

    def change(self, carry_out: Callable[[], None], *, outcome: Sequence[Event]) -> None:
        """Carry out one transaction, and tell what it came to.

        It is told before as well: who is stopped meanwhile cannot know whether it was committed.
        """
        self.on_event(ChangeBegun(outcome=tuple(outcome)))
        carry_out()
        for event in outcome:
            self.on_event(event)
