"""What one call of the command line carries along."""

from dataclasses import dataclass, field

from taxiway.model.event import Event, NoticeReceived, Warned
from taxiway.reports.progress import Progress
from taxiway.runner.signals import Termination
from taxiway.secret import Redactor


@dataclass(slots=True)
class Invocation:
    """The redactor of every output stream, the form of output that was asked for, and how far the command is."""

    redactor: Redactor = field(default_factory=Redactor)
    json: bool = False
    termination: Termination = field(default_factory=Termination)
    progress: Progress = field(default_factory=Progress)

    def note(self, event: Event) -> None:
        """Take in an event, and go no further if the process was asked to end meanwhile.

        Notices come from a callback of the driver, where an exception would be lost, and some warnings from the
        clean-up after a stop, so these two never stop anything.

        Raises:
            Terminated: SIGTERM has come, and the exception that it raised was lost.
        """
        self.progress.note(event)
        if not isinstance(event, NoticeReceived | Warned):
            self.termination.check()
