"""Write the list of what is in the image (SBOM, CycloneDX): ``python sbom.py ROOT TOOLS SERIAL FILE``.

Runs in the build of the image. Two tools look at what is installed, each at its own kind of packages: cyclonedx-py
at Python's, debsbom at Debian's, and joins the lists. Two kinds of things neither can see: Python itself, which is
of no package, and the libraries inside wheels, which a wheel lists itself (PEP 770).

It uses the standard library alone, and no module of ours.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_SPECIFICATION: Final = "1.6"


def python_itself() -> dict[str, object]:
    """A list that is about the interpreter that runs this, the image's own, and has nothing else in it."""
    version = platform.python_version()
    component = {
        "type": "application",
        "bom-ref": f"python-{version}",
        "name": "python",
        "version": version,
        "purl": f"pkg:generic/python@{version}",
        "cpe": f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*",
        "licenses": [{"license": {"id": "Python-2.0"}}],
    }
    head = {"bomFormat": "CycloneDX", "specVersion": _SPECIFICATION, "version": 1}
    return head | {"metadata": {"component": component}, "components": []}


def main(root: Path, tools: Path, name: str, file: Path) -> None:
    """Write the list of everything below ``root``, the same for the same root, time and name."""
    moment = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
    system = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout
    fixed = ["--cdx-serialnumber", str(uuid.uuid5(uuid.NAMESPACE_URL, name)), "--timestamp", moment.isoformat()]
    with tempfile.TemporaryDirectory() as directory:
        debian, packages, python = (
            Path(directory, f"{part}.cdx.json") for part in ("debian", "packages", "python")
        )
        _run(
            tools / "debsbom",
            "generate",
            "--sbom-type=cdx",
            *fixed,
            "--distro-arch",
            system.strip(),
            "--root",
            root,
            "--out",
            debian,
        )
        _run(
            tools / "cyclonedx-py",
            *("environment", "--output-reproducible", f"--spec-version={_SPECIFICATION}"),
            *("--pyproject", "/source/pyproject.toml", "--output-file", packages, "/opt/taxiway/bin/python"),
        )
        python.write_text(json.dumps(python_itself()))
        bundled = sorted(root.glob("opt/taxiway/lib/python3.*/site-packages/*.dist-info/sboms/*.cdx.json"))
        parts = (packages, python, *bundled, debian)
        file.parent.mkdir(parents=True, exist_ok=True)
        _run(tools / "debsbom", "merge", "--sbom-type=cdx", *fixed, "--distro-name=taxiway", "--out", file, *parts)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
