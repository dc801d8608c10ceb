"""The last line of the container's log: how a run ended, for people and for whoever has started the task.

In text it is one line::

    Result: FAILED (migration-failed), 0 applied, schema version 1.1.0, branch develop, commit …, exit code 1

In a log of JSON lines it is an object whose ``event`` is ``result``. Both carry a :class:`RunReport` there and
back.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

from taxiway.model.run_report import COMMIT_DIGITS, RunReport
from taxiway.reports.text import EMPTY_SCHEMA

# Of the last line of a log of JSON lines (docs/reference/json-log.md).
RESULT_EVENT: Final = "result"

# A branch has no blank in it (git-check-ref-format(1)), so that a comma with a blank behind it ends its name.
_LINE: Final = re.compile(
    r"Result: (?P<outcome>[A-Z]+)(?: \((?P<code>[a-z0-9-]+)\))?, (?P<applied>[0-9]{1,9}) applied"
    rf"(?:, schema version (?P<schema_version>{re.escape(EMPTY_SCHEMA)}|\S+))?"
    r"(?:, branch (?P<branch>\S+))?"
    r"(?:, commit (?P<commit>[0-9a-f]+))?"
    r", exit code (?P<exit_code>[0-9]{1,3})"
)


def render_result_line(report: RunReport) -> str:
    """The line for people. Parts that are not known are left out."""
    parts = (
        f"Result: {report.words}",
        f"{report.applied} applied",
        *([f"schema version {report.schema_version}"] if report.schema_version else []),
        *([f"branch {report.branch}"] if report.branch else []),
        *([f"commit {report.commit[:COMMIT_DIGITS]}"] if report.commit else []),
        f"exit code {report.exit_code}",
    )
    return ", ".join(parts)


def parse_result_line(line: str) -> RunReport | None:
    """The report in a line of the log; ``None`` if the line is another one, or contradicts itself.

    Scripts print into the same log, so that a line may be a forgery. Nobody goes by it alone: the container's exit
    code has to agree (docs/adr/0040-who-is-believed.md).
    """
    line = line.strip()
    if line.startswith("{"):
        return _from_json(line)
    found = _LINE.fullmatch(line)
    if not found:
        return None
    report = RunReport(
        exit_code=int(found["exit_code"]),
        applied=int(found["applied"]),
        schema_version=found["schema_version"],
        branch=found["branch"],
        commit=found["commit"],
        code=found["code"],
    )
    return _if_consistent(report, found["outcome"])


def _from_json(line: str) -> RunReport | None:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("event") != RESULT_EVENT:
        return None
    exit_code, applied = content.get("exitCode"), content.get("applied", 0)
    if type(exit_code) is not int or type(applied) is not int:
        return None
    report = RunReport(
        exit_code=exit_code,
        applied=applied,
        schema_version=_text(content, "schemaVersion"),
        branch=_text(content, "branch"),
        commit=_text(content, "commit"),
        code=_text(content, "code"),
        run_id=_text(content, "runId"),
    )
    return _if_consistent(report, content.get("outcome"))


def _text(content: Mapping[str, object], name: str) -> str | None:
    value = content.get(name)
    return value if isinstance(value, str) and value else None


def _if_consistent(report: RunReport, outcome: object) -> RunReport | None:
    return report if outcome == report.outcome.value and report.exit_code <= 255 else None
