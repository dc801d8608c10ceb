import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from taxiway.sources.private_file import private_file


class LeftEarly(Exception):
    """Anything that ends the block."""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.usefixtures("temporary")
def test_a_child_process_can_read_it_more_than_once(in_memory: bool) -> None:
    with private_file(b"content\x00\n", in_memory=in_memory) as path:
        read = subprocess.run(["cat", path, path], check=True, capture_output=True)
    assert read.stdout == b"content\x00\ncontent\x00\n"


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.usefixtures("temporary")
def test_only_its_owner_may_read_it(in_memory: bool) -> None:
    with private_file(b"content", in_memory=in_memory) as path:
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600


def test_in_memory_nothing_is_on_disk(temporary: Path) -> None:
    with private_file(b"content") as path:
        assert path.startswith("/proc/")
        assert list(temporary.iterdir()) == []


def test_on_disk_nobody_else_can_enter_its_directory(temporary: Path) -> None:
    with private_file(b"content", in_memory=False) as path:
        directory = Path(path).parent
        assert directory.parent == temporary
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@pytest.mark.parametrize("in_memory", [True, False])
def test_it_is_gone_however_the_block_is_left(temporary: Path, in_memory: bool) -> None:
    with pytest.raises(LeftEarly), private_file(b"content", in_memory=in_memory) as path:
        raise LeftEarly
    assert not Path(path).exists()
    assert list(temporary.iterdir()) == []
