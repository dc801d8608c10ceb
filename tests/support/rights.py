"""The actions of each command, as the judge of the emulated account sees them, held to ``tools/rights.json``.

``docs/reference/rights.md`` is made of that file. ``WRITE_RIGHTS=1`` writes into it what was seen.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sandbox.aws import AwsEndpoint

RIGHTS: Final = Path(__file__).parents[2] / "tools" / "rights.json"


@dataclass
class Rights:
    """Takes note of what was asked for behind each command, and holds the file to it."""

    aws: AwsEndpoint
    found: dict[str, set[str]] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)

    def note(self, command: str, role: str) -> None:
        """The command is over, and ``role`` has called nothing else since the last note; all of it was allowed."""
        entries = self.aws.audit(role)[self._seen.get(role, 0) :]
        self._seen[role] = self._seen.get(role, 0) + len(entries)
        assert {entry["decision"] for entry in entries} <= {"allowed"}
        self.found.setdefault(command, set()).update(entry["action"] for entry in entries)

    def check(self) -> None:
        """The file says of these commands what was seen, neither more nor less."""
        seen = {command: sorted(actions) for command, actions in self.found.items()}
        recorded = json.loads(RIGHTS.read_text(encoding="utf-8"))
        if os.environ.get("WRITE_RIGHTS"):
            recorded |= seen
            RIGHTS.write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        assert {command: recorded.get(command) for command in seen} == seen
