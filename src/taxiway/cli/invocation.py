"""What one call of the command line carries along."""

from dataclasses import dataclass, field

from taxiway.secret import Redactor


@dataclass(slots=True)
class Invocation:
    """The redactor of every output stream, and the form of output that was asked for."""

    redactor: Redactor = field(default_factory=Redactor)
    json: bool = False
