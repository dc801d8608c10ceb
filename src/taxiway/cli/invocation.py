"""What one call of the command line carries along."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from taxiway.cli.output import print_log
from taxiway.model.event import Event, MigrationFinished, NoticeReceived, Warned
from taxiway.reports.progress import Progress
from taxiway.runner.signals import Termination
from taxiway.secret import Redactor

if TYPE_CHECKING:
    from taxiway.model.result import CommandResult
    from taxiway.model.run_report import RunReport
    from taxiway.reports.log import Level, LogLine


# What is told on the way out: notices and warnings of the clean-up after a stop, and what turns out to be applied.
_ALSO_WHEN_STOPPED: Final = (MigrationFinished, NoticeReceived, Warned)


@dataclass(slots=True)
class Invocation:
    """How a call answers, what it was given, and how far it is.

    Attributes:
        redactor: Of every output stream.
        settings: What was given in Flyway's style, by key of the option.
        json: The result comes as JSON, and there is no log.
        logs_in_json: The log comes as JSON too, on standard error.
        log_json: The log is JSON, and with it everything else on standard output: one object per line.
        origin: What the job says of itself, once that is known: ``repository``, ``branch``, ``commit``, ``runId``.
        result_only: Nothing but the result goes to standard output; warnings go to standard error.
        color: ``None`` leaves it to the terminal.
        is_chain: Several commands were asked for.
        warnings: Those of the configuration, until a result takes them.
        results: Those of the commands so far, as JSON.
        is_run: The call is the job of the container.
        is_complete: The job has done everything that it was to do.
        code: That of the error that has ended the call.
    """

    redactor: Redactor = field(default_factory=Redactor)
    settings: Mapping[str, object] = field(default_factory=dict)
    json: bool = False
    logs_in_json: bool = False
    log_json: bool = False
    quiet: bool = False
    debug: bool = False
    result_only: bool = False
    color: bool | None = None
    is_chain: bool = False
    origin: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    termination: Termination = field(default_factory=Termination)
    progress: Progress = field(default_factory=Progress)
    is_run: bool = False
    is_complete: bool = False
    code: str | None = None

    def report(self, exit_code: int) -> "RunReport":
        """How the call has ended, as far as its events have told."""
        from taxiway.model.run_report import RunReport

        return RunReport(
            exit_code=exit_code,
            applied=len(self.progress.applied),
            schema_version=self.progress.schema_version,
            branch=self.origin.get("branch"),
            commit=self.origin.get("commit"),
            code=self.code,
            run_id=self.origin.get("runId"),
        )

    def on_event(self, event: Event) -> None:
        """Take in an event, log it, and go no further if the process was asked to end meanwhile.

        What comes in the clean-up after a stop never stops anything.

        Raises:
            Terminated: SIGTERM has come, and the exception that it raised was lost.
        """
        self.progress.note(event)
        if not isinstance(event, _ALSO_WHEN_STOPPED):
            self.termination.check()
        from taxiway.reports.log import describe

        line = describe(event)
        if not self.log_json:
            self.log(line)
        elif not self.quiet or line.level.is_for_everybody:
            from taxiway.cli.json_log import write_event

            write_event(event)

    def with_warnings[R: CommandResult](self, result: R) -> R:
        """The result, with the warnings of the configuration before its own if no result had them."""
        taken, self.warnings = self.warnings, []
        return replace(result, warnings=(*taken, *result.warnings))

    def log(self, line: "LogLine") -> None:
        """Show a line of the log, if lines of its level are wanted, where they are wanted."""
        if self.log_json:
            if self._shows(line.level):
                from taxiway.cli.json_log import write_step

                write_step(line)
            return
        if not self._shows(line.level) or (self.json and not self.logs_in_json):
            return
        print_log(line, in_json=self.logs_in_json, to_stderr=self.result_only, color=self.color)

    def say(self, text: str) -> None:
        """Something that happens, for people."""
        from taxiway.reports.log import Level, LogLine

        self.log(LogLine(Level.INFO, text))

    def warn(self, text: str) -> None:
        """Something that a person should look at."""
        from taxiway.reports.log import Level, LogLine

        self.log(LogLine(Level.WARNING, text))

    def say_origin(self, text: str, **origin: str) -> None:
        """Where the scripts come from, in words, and in fields for programs."""
        self.origin |= origin
        if not self.log_json:
            self.say(text)
        elif not self.quiet:
            from taxiway.cli.json_log import write_step
            from taxiway.reports.log import Level, LogLine

            write_step(LogLine(Level.INFO, text), **origin)

    def _shows(self, level: "Level") -> bool:
        """Flyway 13: ``-q`` wins over ``-X``."""
        from taxiway.reports.log import Level

        match level:
            case Level.DEBUG:
                return self.debug and not (self.quiet or self.result_only)
            case Level.INFO:
                return not (self.quiet or self.result_only)
            case Level.OUTPUT:
                return not self.result_only
            case Level.WARNING:
                return True
