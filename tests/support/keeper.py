"""Whoever looks after secrets: the installed command, with every program that it starts written down."""

import json
import os
import shutil
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox.aws import AwsEndpoint
from tests.support.operator import Ended, run_to_end

COMMAND: Final = Path(sysconfig.get_path("scripts")) / "taxiway"
_WRAPPER: Final = """#!/bin/sh
{{ printf '%s\\n' "$0" "$@"; env; echo; }} >> {record}
exec {program} "$@"
"""
_SECONDS: Final = 60


@dataclass(slots=True)
class Keeper:
    """``taxiway secrets`` and ``taxiway deploy-key`` in a directory with a ``taxiway.toml``.

    Attributes:
        scratch: HOME and TMPDIR.
        record: Arguments and environment of every program that was started.
        outputs: All that was ever printed.
    """

    directory: Path
    aws: AwsEndpoint
    environment: dict[str, str] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scratch.mkdir()
        self.record.touch()
        wrapper = self.directory / "programs" / "ssh-keygen"
        wrapper.parent.mkdir()
        wrapper.write_text(_WRAPPER.format(record=self.record, program=shutil.which("ssh-keygen")))
        wrapper.chmod(0o755)

    @property
    def scratch(self) -> Path:
        return self.directory / "keeper"

    @property
    def record(self) -> Path:
        return self.directory / "started"

    def write(self, toml: str) -> None:
        """The ``taxiway.toml``."""
        (self.directory / "taxiway.toml").write_text(toml)

    def variables(self, more: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": f"{self.directory / 'programs'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.scratch),
            "TMPDIR": str(self.scratch),
            "TZ": "UTC",
            "LANG": "C.UTF-8",
            **self.aws.environment,
            **self.environment,
            **more,
        }

    def call(self, *arguments: str, stdin: str = "", **variables: str) -> Ended:
        """Run ``taxiway …`` to its end."""
        ended = run_to_end(
            [COMMAND, *arguments],
            directory=self.directory,
            environment=self.variables(variables),
            stdin=stdin,
            seconds=_SECONDS,
        )
        self.outputs.append(ended.stdout + ended.stderr)
        return ended

    def stored(self, name: str, stage: str = "AWSCURRENT") -> str:
        """The text of a secret, as the operator of the account sees it."""
        answer = self.aws.client("secretsmanager").get_secret_value(SecretId=name, VersionStage=stage)
        text: str = answer["SecretString"]
        return text

    def content(self, name: str, stage: str = "AWSCURRENT") -> Any:
        """The JSON of a secret."""
        return json.loads(self.stored(name, stage))

    def seen(self) -> str:
        """All that a value must not be in: outputs, arguments, environments, files."""
        files = [path.read_text(errors="replace") for path in self.scratch.rglob("*") if path.is_file()]
        return "\n".join([*self.outputs, self.record.read_text(), *files])
