"""A sample is of the command and its children, and of nothing else."""

import sys
import time
from pathlib import Path

import pytest

from bench.measure import Command, CommandFailed, Sample, add_samples, take_sample
from bench.quota import QuotaUnavailable, processor_share


def command(directory: Path, program: str) -> Command:
    return Command(
        arguments=[sys.executable, "-I", "-S", "-c", program],
        environment={"PATH": "/usr/bin:/bin"},
        directory=directory,
    )


BUSY = "import time\nwhile time.process_time() < {seconds}: pass"


def test_processor_time_of_children_is_counted(tmp_path: Path) -> None:
    program = "import os\nif os.fork() == 0:\n import time\n while time.process_time() < 0.3: pass\n os._exit(0)\nos.wait()"
    sample = take_sample(command(tmp_path, program), limit_seconds=30)
    assert sample.cpu_seconds >= 0.3


def test_peak_memory_is_that_of_the_command(tmp_path: Path) -> None:
    sample = take_sample(command(tmp_path, "bytearray(100 << 20)"), limit_seconds=30)
    assert 100 < sample.peak_mib < 130


def test_waiting_is_wall_time_only(tmp_path: Path) -> None:
    sample = take_sample(command(tmp_path, "import time; time.sleep(0.5)"), limit_seconds=30)
    assert sample.wall_seconds >= 0.5
    assert sample.cpu_seconds < 0.3


def test_a_failure_has_its_exit_code_and_the_end_of_its_errors(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"fails \(exit 3\)") as caught:
        take_sample(command(tmp_path, "import os; os.write(2, b'no way'); os._exit(3)"), limit_seconds=30)
    assert caught.value.log == "no way"


def test_what_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    program = "import os, time\nif os.fork() == 0:\n time.sleep(3); open('late', 'w').close()\ntime.sleep(60)"
    with pytest.raises(CommandFailed, match="not done after 1 s"):
        take_sample(command(tmp_path, program), limit_seconds=1)
    time.sleep(2.5)
    assert not (tmp_path / "late").exists()


def test_processes_one_after_the_other_add_up_but_for_their_memory() -> None:
    samples = [
        Sample(wall_seconds=1, cpu_seconds=0.5, peak_mib=10),
        Sample(wall_seconds=2, cpu_seconds=0.25, peak_mib=8),
    ]
    assert add_samples(samples) == Sample(wall_seconds=3, cpu_seconds=0.75, peak_mib=10)


def test_a_quarter_of_a_processor_makes_work_take_four_times_as_long(tmp_path: Path) -> None:
    try:
        with processor_share(0.25) as groups:
            sample = take_sample(command(tmp_path, BUSY.format(seconds=0.5)), limit_seconds=30, groups=groups)
    except QuotaUnavailable as error:
        pytest.skip(str(error))
    assert sample.wall_seconds > 1.4
    assert not any(group.exists() for group in groups)
