"""``python -m fuzz``: each target for some seconds, and a line with what came of it.

An input that breaks a promise is printed as Python writes bytes, with the error. It becomes a seed of its target,
so that the tests replay it, and what it found is mended. ``--keep`` adds to the corpus what has reached something
new, and makes it as small as it can be.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from fuzz.corpus import read_corpus, write_corpus
from fuzz.coverage import Coverage, measure
from fuzz.target import Target
from fuzz.targets import NAMES, get_target

# Nothing that fits into so many bytes may take so many seconds, not even under the eyes of the fuzzer.
_LONGEST_INPUT: Final = 2048
_HANGS_AFTER_SECONDS: Final = 20
_MOST_MEMORY_MIB: Final = 2048
# Longer inputs are for the search alone: the corpus is read by people and replayed by each run of the tests.
_LONGEST_KEPT: Final = 192
_GRACE_SECONDS: Final = 120

_EXECUTIONS: Final = re.compile(r"^stat::number_of_executed_units: +(\d+)", re.MULTILINE)
_REACHED: Final = re.compile(r"cov: (\d+) ft: (\d+)")
# Of each file, the numbers of what it adds
_ADDS: Final = re.compile(r"^FT (\d+) \d", re.MULTILINE)
_EXCEPTION: Final = "=== Uncaught Python exception: ==="
_SHOWN_LINES: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run of a target came to. ``findings`` are the inputs that broke a promise, with what they did."""

    executions: int
    branches: int
    features: int
    coverage: Coverage
    findings: tuple[tuple[bytes, str], ...]


def main(arguments: Sequence[str]) -> int:
    """Fuzz, and return how many targets have a finding."""
    options = _parse(arguments)
    found = 0
    print(f"{'target':<22}{'runs':>10}{'branches':>10}{'features':>10}{'lines':>8}", flush=True)
    for name in options.target or NAMES:
        outcome = _fuzz(get_target(name), options.seconds, keep=options.keep)
        reached = f"{outcome.branches:>10}{outcome.features:>10}{outcome.coverage.percent:>7.1f}%"
        print(f"{name:<22}{outcome.executions:>10}{reached}", flush=True)
        for line in outcome.coverage.missing() if options.missing else ():
            print(f"    not reached: {line}")
        for data, error in outcome.findings:
            print(f"    {data!r}\n{error}", flush=True)
        found += bool(outcome.findings)
    return found


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("--target", action="append", choices=NAMES, help="only this one; may be repeated")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", action="store_true", help="keep what has reached something new")
    parser.add_argument("--missing", action="store_true", help="show the lines that no input reaches")
    return parser.parse_args(arguments)


def _fuzz(target: Target, seconds: int, *, keep: bool) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        directory = Path(name)
        inputs = _directory(directory / "inputs", (*target.seeds, *read_corpus(target.name)))
        found = _directory(directory / "found")
        words = directory / "words"
        words.write_text("".join(dictionary_entry(word) for word in target.words), "ascii")
        limits = (f"-max_total_time={seconds}", f"-max_len={_LONGEST_INPUT}", f"-dict={words}", "-reload=0")
        log = _run(target, seconds, found, *limits, str(inputs))
        if keep:
            _keep(target, directory, inputs, but=found)
        findings = tuple((path.read_bytes(), _error(log)) for path in sorted(found.iterdir()))
    reached = _REACHED.findall(log.fuzzer)
    executions = _EXECUTIONS.findall(log.fuzzer)
    return Outcome(
        executions=int(executions[-1]) if executions else 0,
        branches=int(reached[-1][0]) if reached else 0,
        features=int(reached[-1][1]) if reached else 0,
        coverage=_coverage(target, findings),
        findings=findings,
    )


def _keep(target: Target, directory: Path, inputs: Path, *, but: Path) -> None:
    """Keep the inputs that reach something that no seed and no shorter input reaches.

    The fuzzer tells what each file of a list adds to those before it. Its own merge would do the same, and start a
    program for it, which a module of Python is not.
    """
    broken = {path.read_bytes() for path in but.iterdir()}
    grown = sorted({path.read_bytes() for path in inputs.iterdir()} - broken, key=lambda data: (len(data), data))
    short = [data for data in grown if len(data) <= _LONGEST_KEPT and data not in target.seeds]
    listed = _directory(directory / "listed", [*(seed for seed in target.seeds if seed not in broken), *short])
    paths = sorted(map(str, listed.iterdir()))
    control = directory / "control"
    control.write_text("\n".join([str(len(paths)), "0", *paths, ""]), "ascii")
    _run(target, len(paths), directory, f"-merge_control_file={control}", "-merge_inner=1")
    adding = {paths[int(number)] for number in _ADDS.findall(control.read_text("ascii"))}
    kept = (Path(path).read_bytes() for path in sorted(adding))
    write_corpus(target.name, (data for data in kept if data not in target.seeds))


class _Log(NamedTuple):
    """What was said by the target, with the exception that ended it, and by the fuzzer."""

    target: str
    fuzzer: str


def _run(target: Target, seconds: int, found: Path, *options: str) -> _Log:
    """Fuzz in a process of its own: what is found ends it."""
    command = [
        *(sys.executable, "-m", "fuzz.child", target.name, "-print_final_stats=1", f"-artifact_prefix={found}/"),
        *(f"-timeout={_HANGS_AFTER_SECONDS}", f"-rss_limit_mb={_MOST_MEMORY_MIB}", *options),
    ]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=seconds + _GRACE_SECONDS + _HANGS_AFTER_SECONDS,
    )
    log = _Log(done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
    if done.returncode and not any(found.iterdir()):
        sys.exit(f"The fuzzer could not be run:\n{_error(log)}")
    return log


def _error(log: _Log) -> str:
    """The exception with its traceback; without one, the last words of the fuzzer, such as a timeout."""
    _, is_there, exception = log.target.partition(_EXCEPTION)
    lines = (exception if is_there else log.fuzzer).strip().splitlines()
    return "\n".join(f"    {line}" for line in lines[-_SHOWN_LINES:])


def _coverage(target: Target, findings: Sequence[tuple[bytes, str]]) -> Coverage:
    broken = {data for data, _ in findings}
    inputs = [data for data in (*target.seeds, *read_corpus(target.name)) if data not in broken]
    return measure(target.check, inputs, target.modules)


def _directory(path: Path, inputs: Iterable[bytes] = ()) -> Path:
    path.mkdir()
    for number, data in enumerate(inputs):
        (path / f"{number:05}").write_bytes(data)
    return path


def dictionary_entry(word: str) -> str:
    """A line of a dictionary of libFuzzer: printable ASCII, everything else in hexadecimal."""
    data = word.encode("utf-8", "surrogateescape")
    plain = (chr(byte) if 0x20 < byte < 0x7F and chr(byte) not in '"\\' else f"\\x{byte:02x}" for byte in data)
    return f'"{"".join(plain)}"\n'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
