"""What is installed has the files that are no code."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.support.markdown import ROOT


def test_the_wheel_has_every_file_of_the_package(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    source = ROOT / "src"
    files = {path.relative_to(source).as_posix() for path in (source / "taxiway").rglob("*") if path.is_file()}
    assert {name for name in files if "__pycache__" not in name} <= names
    assert "taxiway/postgres/rds-ca-bundle.pem" in names
