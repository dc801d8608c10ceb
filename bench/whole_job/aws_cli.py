"""The AWS CLI, for the pipeline that calls it."""

import shutil
from pathlib import Path
from typing import Final

from bench.tools import BUILD, ToolUnavailable, install_python_tool

_VERSION: Final = "1.45.12"


def install_aws_cli() -> Path:
    """The folder with the program ``aws``. Version 1, which is the one that the package index has.

    Raises:
        ToolUnavailable: It, or another program that the pipeline needs, cannot be had.
    """
    if missing := [name for name in ("bash", "jq", "git", "ssh", "ssh-keyscan") if shutil.which(name) is None]:
        raise ToolUnavailable(f"{', '.join(missing)} not found")
    folder = BUILD / "awscli" / _VERSION
    install_python_tool(folder, "aws", f"awscli=={_VERSION}")
    return folder / "bin"
