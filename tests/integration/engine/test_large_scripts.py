"""Scripts that are larger than what is kept in memory."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from taxiway import errors
from taxiway.model.event import Event, StatementRun
from tests.support.workspace import Workspace

TABLE = "CREATE TABLE a (i int, t text);\n"
ROWS = 12_000
FILLING = "x" * 180
INSERTS = "".join(
    f"INSERT INTO a VALUES ({number}, 'text; of ${{word}}'); -- {FILLING}\n" for number in range(ROWS)
)
DATA = "".join(f"{number}\ttext of ${{word}} {FILLING}\n" for number in range(3 * ROWS))
WORD = {"word": "hello"}

# Goes through one script as a migration does, and tells the most memory it has had in MB.
PARSE = """
import sys
from pathlib import Path
from taxiway.model.rules import Placeholders
from taxiway.model.settings import MigrationSettings
from taxiway.model.source import SourceFile
from taxiway.scan.inventory import take_inventory
from taxiway.scan.resolve import resolve
from taxiway.sql.script import parse_script

file = SourceFile("V1__a.sql", "V1__a.sql", lambda: open(sys.argv[1], "rb", buffering=0))
inventory = take_inventory([file], MigrationSettings())
resolution = resolve(inventory, MigrationSettings(), placeholders=Placeholders(), environment={})
[migration] = resolution.migrations
script = parse_script(
    migration.read, Placeholders(), path="x", filename="x", mixed=False, server_version_num=170000
)
count = sum(1 + sum(map(len, one.copy_data)) for one in script.statements)
[peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(count, int(peak.split()[1]) // 1024)
"""


def test_statements_run_in_order_and_tell_their_lines(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": TABLE + INSERTS})
    events: list[Event] = []
    workspace.migrate(on_event=events.append, placeholders=WORD)
    assert workspace.query("SELECT count(*), max(i), max(t) FROM a") == [(ROWS, ROWS - 1, "text; of hello")]
    lines = [event.line for event in events if isinstance(event, StatementRun)]
    assert lines == list(range(1, ROWS + 2))


def test_data_are_copied_and_the_script_goes_on(workspace: Workspace) -> None:
    script = f"{TABLE}COPY a FROM STDIN; INSERT INTO a VALUES (-1, 'x');\n{DATA}\\.\nDELETE FROM a WHERE i = 7;\n"
    workspace.write({"V1__a.sql": script})
    workspace.migrate(placeholders=WORD)
    assert workspace.query("SELECT count(*), min(i), max(i) FROM a") == [(3 * ROWS, -1, 3 * ROWS - 1)]


@pytest.mark.parametrize("before", [INSERTS, f"COPY a FROM STDIN;\n{DATA}\\.\n"], ids=["inserts", "data"])
def test_a_failure_names_its_place_and_leaves_nothing(workspace: Workspace, before: str) -> None:
    script = f"{TABLE}{before}\nSELECT 1; SELECT 1,\n  nobody;\nSELECT 2;\n"
    workspace.write({"V1__a.sql": script})
    with pytest.raises(errors.MigrationFailed) as caught:
        workspace.migrate(placeholders=WORD)
    line = script[: script.index("nobody")].count("\n") + 1
    assert (caught.value.line, caught.value.column) == (line, 3)
    assert caught.value.excerpt.splitlines()[-3:] == [
        f"{line - 1} | SELECT 1; SELECT 1,",
        f"{line} |   nobody;",
        f"{' ' * len(str(line))} |   ^",
    ]
    assert workspace.value("SELECT to_regclass('a') IS NULL")


def test_what_is_wrong_at_the_end_keeps_the_script_from_beginning(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;", "V2__a.sql": f"{TABLE}{INSERTS}SELECT 'x;"})
    with pytest.raises(errors.UnterminatedText) as caught:
        workspace.migrate(placeholders=WORD)
    assert (caught.value.line, caught.value.column) == (ROWS + 2, 8)
    assert workspace.value("SELECT to_regclass('flyway_schema_history') IS NULL")


@pytest.mark.parametrize("transaction", ["true", "false"])
def test_a_script_that_changes_while_it_runs_is_not_recorded_as_applied(
    workspace: Workspace, transaction: str
) -> None:
    workspace.write({"V1__a.sql": TABLE + INSERTS, "V1__a.sql.conf": f"executeInTransaction={transaction}\n"})
    script = workspace.directory / "sql" / "V1__a.sql"
    change = once(lambda: script.write_text(script.read_text().replace("SELECT", "VALUES") + "-- more\n"))

    def on_event(event: Event) -> None:
        if isinstance(event, StatementRun):
            change()

    with pytest.raises(errors.UnreadableScript, match="has changed"):
        workspace.migrate(placeholders=WORD, on_event=on_event)
    assert workspace.value("SELECT count(*) FROM flyway_schema_history WHERE success AND version = '1'") == 0


def once(action: Callable[[], object]) -> Callable[[], None]:
    waiting = [action]

    def run() -> None:
        while waiting:
            waiting.pop()()

    return run


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize(
    ("begin", "row", "end"),
    [
        (
            "INSERT INTO a VALUES\n",
            "(1, 'a text that is not very long; but long enough', 12.50, NULL),\n",
            "(1);\n",
        ),
        ("COPY a FROM STDIN;\n", "1\ta text that is not very long; but long enough\t12.50\t\\N\n", "\\.\n"),
    ],
    ids=["inserts", "data"],
)
def test_memory_does_not_grow_with_the_script(tmp_path: Path, begin: str, row: str, end: str) -> None:
    batch = begin + row * 1000 + end
    long = begin + row * 1_000_000 + end if begin.startswith("COPY") else batch * 1000
    file = tmp_path / "large.sql"
    file.write_text(long)
    assert file.stat().st_size > 50_000_000
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(file)], capture_output=True, text=True, check=True, timeout=120
    )
    assert int(done.stdout.split()[1]) < 40


def test_many_scripts_share_what_may_be_kept(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over is read again when it runs."""
    monkeypatch.setattr("taxiway.engine.scripts._MOST_KEPT", 100)
    scripts = {f"V{number}__a.sql": f"INSERT INTO t VALUES ({number}); -- {'x' * 40}" for number in range(1, 9)}
    workspace.write({"V0__t.sql": "CREATE TABLE t (i int);"} | scripts)
    assert workspace.migrate().count == 9
    assert workspace.query("SELECT count(*), sum(i) FROM t") == [(8, 36)]
