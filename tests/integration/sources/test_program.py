"""Programs as real child processes: their output, their environment, and their end."""

import os
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxiway.errors import ProgramUnavailable
from taxiway.model.migration import Program
from taxiway.secret import Redactor, Secret
from taxiway.sources.program import ChildPrograms


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "V1__x.sh"


def programs() -> ChildPrograms:
    """With no secret to mind."""
    return ChildPrograms(str)


def run(path: Path, text: str, *command: str, **environment: str | Secret) -> tuple[int, list[str]]:
    path.write_text(text)
    lines: list[str] = []
    status = programs().run(Program(command, str(path)), environment, on_line=lines.append)
    return status, lines


def test_output_and_errors_come_line_by_line_in_one_stream(script: Path) -> None:
    text = "echo one; echo two >&2; printf 'three\\r\\n\\nlast'"
    assert run(script, text, "sh") == (0, ["one", "two", "three", "", "last"])


def test_a_line_is_told_while_the_program_runs(script: Path) -> None:
    script.write_text("echo first; sleep 1; echo second")
    times: list[float] = []
    programs().run(Program(("sh",), str(script)), {}, on_line=lambda _line: times.append(time.monotonic()))
    assert times[1] - times[0] > 0.5


@pytest.mark.parametrize(("text", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", -9)])
def test_the_status_is_returned(script: Path, text: str, status: int) -> None:
    assert run(script, text, "sh") == (status, [])


def test_bytes_that_are_not_text_are_replaced(script: Path) -> None:
    assert run(script, "printf 'a\\377b\\n'", "sh") == (0, ["a\N{REPLACEMENT CHARACTER}b"])


def test_a_long_line_is_told_whole(script: Path) -> None:
    status, [line] = run(script, "head -c 100000 /dev/zero | tr '\\0' x; echo", "sh")
    assert (status, len(line)) == (0, 100_000)


def test_a_line_without_an_end_is_told_in_pieces_while_it_comes(script: Path) -> None:
    status, pieces = run(script, "head -c 40000000 /dev/zero | tr '\\0' x", "sh")
    assert (status, sum(map(len, pieces))) == (0, 40_000_000)
    assert max(map(len, pieces)) <= 2 << 16


def test_a_character_of_several_bytes_is_never_cut(script: Path) -> None:
    text = "import sys; sys.stdout.buffer.write('aé€😀'.encode() * 50_000); sys.stdout.buffer.write(b'\\xe2\\x82')"
    status, pieces = run(script, text, "python")
    assert (status, len(pieces) > 1) == (0, True)
    assert "".join(pieces) == "aé€😀" * 50_000 + "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("before", [(1 << 16) - 5, (1 << 17) - 5, (3 << 16) - 5])
def test_no_cut_goes_through_a_secret(script: Path, before: int) -> None:
    redact = Redactor([Secret("correct horse battery")])
    script.write_text(f"print('x' * {before} + 'correct horse battery' + 'y' * 300_000)")
    pieces: list[str] = []
    ChildPrograms(redact).run(Program(("python",), str(script)), {}, on_line=pieces.append)
    assert len(pieces) > 1
    assert "".join(map(redact, pieces)) == "x" * before + "****" + "y" * 300_000


def test_the_program_has_our_environment_and_what_it_is_given(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "of us")
    text = 'echo "$OURS/$FLYWAY_PASSWORD/$FP__flyway_table__"'
    assert run(script, text, "sh", FLYWAY_PASSWORD=Secret("pw"), FP__flyway_table__="t") == (0, ["of us/pw/t"])
    assert "FLYWAY_PASSWORD" not in os.environ


def test_the_program_has_no_input(script: Path) -> None:
    assert run(script, "cat; echo end", "sh") == (0, ["end"])


def test_python_is_found_under_either_name(script: Path) -> None:
    assert run(script, "print(6 * 7)", "python") == (0, ["42"])


def test_python_is_our_own_when_there_is_no_other(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(script.parent))
    assert run(script, "print(6 * 7)", "python") == (0, ["42"])


def test_what_is_not_installed_is_named(script: Path) -> None:
    with pytest.raises(ProgramUnavailable, match=rf"{script}: it is run by 'no-such-shell', which") as caught:
        run(script, "", "no-such-shell", "-File")
    assert caught.value.hint == "Install no-such-shell, or put it on the PATH."


def test_a_program_by_itself_is_made_executable_for_its_owner(script: Path) -> None:
    script.touch(mode=0o644)
    assert run(script, "#!/bin/sh\necho here") == (0, ["here"])
    assert stat.S_IMODE(script.stat().st_mode) == 0o744


def test_a_program_without_a_first_line_that_says_what_runs_it_is_refused(script: Path) -> None:
    with pytest.raises(ProgramUnavailable, match="cannot be started: Exec format error") as caught:
        run(script, "echo here")
    assert "#!/bin/sh" in (caught.value.hint or "")


@pytest.mark.parametrize("program", [Program((), "/no/such/file"), Program((), "/proc/version")])
def test_a_program_that_cannot_be_made_executable_is_refused(program: Program) -> None:
    with pytest.raises(ProgramUnavailable, match=r"not executable, and cannot be made so|cannot be started"):
        programs().run(program, {}, on_line=print)


def test_what_cannot_be_put_into_an_environment_is_an_error_that_does_not_show_it(script: Path) -> None:
    with pytest.raises(ProgramUnavailable) as caught:
        run(script, "true", "sh", A=Secret("pass\0word"))
    assert "word" not in f"{caught.value!r} {caught.value.__context__!r} {caught.value.__cause__!r}"


def test_what_goes_on_in_the_background_is_not_waited_for(script: Path) -> None:
    started = time.monotonic()
    status, [number] = run(script, "sleep 30 & echo $!", "sh")
    assert status == 0
    assert time.monotonic() - started < 5
    os.kill(int(number), signal.SIGKILL)


# --- interruptions ---


@pytest.fixture
def interrupted() -> Iterator[None]:
    """Ctrl-C, half a second from now."""
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    yield
    timer.join()


def is_running(number: str) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", number], capture_output=True, text=True, check=False)
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


@pytest.mark.usefixtures("interrupted")
def test_an_interruption_ends_the_program_and_all_that_it_started(script: Path) -> None:
    script.write_text("sleep 30 & echo $!; echo $$; wait")
    numbers: list[str] = []
    started = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        programs().run(Program(("sh",), str(script)), {}, on_line=numbers.append)

    assert time.monotonic() - started < 4
    assert [is_running(number) for number in numbers] == [False, False]


@pytest.mark.usefixtures("interrupted")
def test_a_program_is_asked_to_end_before_it_is_made_to(script: Path, tmp_path: Path) -> None:
    script.write_text(f"trap 'echo asked > {tmp_path}/asked; exit' TERM; while true; do sleep 0.1; done")
    with pytest.raises(KeyboardInterrupt):
        programs().run(Program(("sh",), str(script)), {}, on_line=print)
    assert (tmp_path / "asked").exists()


def test_a_second_interruption_ends_a_program_that_does_not_listen(script: Path) -> None:
    script.write_text("trap '' TERM; echo $$; while true; do sleep 0.1; done")
    numbers: list[str] = []
    timers = [threading.Timer(after, lambda: os.kill(os.getpid(), signal.SIGINT)) for after in (0.5, 1.0)]
    started = time.monotonic()
    for timer in timers:
        timer.start()

    with pytest.raises(KeyboardInterrupt):
        programs().run(Program(("sh",), str(script)), {}, on_line=numbers.append)

    assert time.monotonic() - started < 4
    assert [is_running(number) for number in numbers] == [False]


def test_a_program_is_ended_when_nobody_can_take_its_output(script: Path) -> None:
    script.write_text("echo $$; sleep 30")
    numbers: list[str] = []

    def fail(line: str) -> None:
        numbers.append(line)
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        programs().run(Program(("sh",), str(script)), {}, on_line=fail)
    assert not is_running(numbers[0])
