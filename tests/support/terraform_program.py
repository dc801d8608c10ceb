"""Terraform itself, with the provider of a folder: ``TERRAFORM_MIRROR``, as ``terraform providers mirror`` makes it."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.terraform import TERRAFORM

_SECONDS: Final = 600


def find_reason_without() -> str | None:
    """Why Terraform cannot be run here; ``None`` if it can."""
    if shutil.which("terraform") is None or not os.environ.get("TERRAFORM_MIRROR"):
        return "NOT CHECKED: terraform or TERRAFORM_MIRROR is missing"
    return None


_ROOT: Final = """\
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

output "taxiway_toml" {
  value = module.taxiway.taxiway_toml
}
"""
_ALL_OUTPUTS: Final = """
output "taxiway" {
  value = module.taxiway
}
"""


def call_module(directory: Path, values: Mapping[str, object], *, region: str, outputs: bool = False) -> None:
    """A root module that calls ours with these values; ``outputs``: it has all of ours as ``taxiway``."""
    shutil.copytree(TERRAFORM, directory / "module")
    lines = [f"  {name} = {json.dumps(value)}" for name, value in {"source": "./module", **values}.items()]
    provider = f'\nprovider "aws" {{\n  region = "{region}"\n}}\n'
    module = "\n".join(["", 'module "taxiway" {', *lines, "}", ""])
    (directory / "main.tf").write_text(_ROOT + (_ALL_OUTPUTS if outputs else "") + provider + module)


@dataclass(frozen=True, slots=True)
class Terraform:
    """Works in a directory that has a root module. Nothing is downloaded, and nobody is told of a call."""

    directory: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> str:
        """What it prints. It has to succeed."""
        ended = subprocess.run(
            ["terraform", *arguments],
            cwd=self.directory,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.directory),
                "CHECKPOINT_DISABLE": "1",
                "TF_CLI_CONFIG_FILE": os.devnull,
                "TF_IN_AUTOMATION": "1",
                "TF_INPUT": "0",
                **self.environment,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        assert ended.returncode == 0, f"{arguments}\n{ended.stdout[-3000:]}{ended.stderr[-3000:]}"
        return ended.stdout

    def init(self) -> None:
        """Take modules and provider from this machine."""
        self.run("init", "-no-color", f"-plugin-dir={os.environ['TERRAFORM_MIRROR']}")

    def apply(self) -> None:
        """Make it so."""
        self.run("apply", "-no-color", "-auto-approve")

    def destroy(self) -> None:
        """Take everything down."""
        self.run("destroy", "-no-color", "-auto-approve")
