"""Servers that fail under a run: they restart, become read-only, run out of something, or take a right away.

Each has to end with an error that says what the matter is and with the database at a boundary, and the next run
has to finish the job once the cause is gone.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, override

from faults.case import HUNGRY, LARGE, SLOW, Case
from faults.command import Ended, start
from faults.finish import finish
from faults.place import OWNER, Place, open_place, open_server
from faults.points import Strike
from faults.trial import Part, Trial
from faults.truth import find_lies, find_wrong_state
from sandbox.directory import run_as, temporary_directory, unprivileged_account
from sandbox.postgres import PostgresServer
from sandbox.protocol_proxy import ProtocolProxy
from sandbox.standby import Standby
from sandbox.tls import ServerCertificate

_HISTORY: Final = "public.flyway_schema_history"
# For a fault that does not end the statement that it happens in
_SHORT_SLEEP: Final = 1.5
_LONG_SLEEP: Final = 60.0
_SMALL_DISK_MB: Final = 8
# One segment of 16 MB, and no room for a second one; none is used again before the next checkpoint.
_LOG_DISK_MB: Final = 24
_LOG_SETTINGS: Final = {"checkpoint_timeout": "1h", "max_wal_size": "1GB"}
_MEMORY_LEFT: Final = 48 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How the run with the fault has to end. ``words`` is searched for in its message."""

    exit_code: int
    code: str
    words: str

    def find_differences(self, ended: Ended) -> Iterator[str]:
        """What was otherwise."""
        if (ended.exit_code, ended.code) != (self.exit_code, self.code) or not re.search(
            self.words, ended.message, re.DOTALL
        ):
            wanted = f"exit {self.exit_code}, {self.code}, '{self.words}'"
            yield f"expected {wanted}; {ended.in_short}: {ended.message} {ended.stderr[-500:]}"


@dataclass(slots=True, kw_only=True)
class ServerFault:
    """Something that happens to a server.

    Attributes:
        strike: Does it. Returns what has to be done when the run is over, to take the cause away.
        pace: How long the second migration sleeps.
        in_statement: It happens while that one sleeps, and not before the run.
        applied: How many migrations have to be applied after it.
    """

    name: str
    strike: Strike
    expected: Expected
    pace: float = 0.0
    in_statement: bool = True
    applied: int = 1
    case: Case = SLOW


def play(fault: ServerFault, place: Place, directory: Path) -> Trial:
    """One run with the fault, and the runs after it."""
    case = fault.case
    place.reset(case.setup)
    place.set_pace(fault.pace)
    if fault.pace and fault.in_statement:
        run = start("migrate", case, place.url(), directory)
        place.wait_for_sleep()
        heal = fault.strike(place)
    else:
        heal = fault.strike(place)
        run = start("migrate", case, place.url(), directory)
    ended = run.wait()
    heal()
    return judge(fault, place, directory, ended)


def judge(fault: ServerFault, place: Place, directory: Path, ended: Ended) -> Trial:
    """What the run has said and left, and what the next one makes of it."""
    case = fault.case
    problems = [*fault.expected.find_differences(ended)]
    if not place.is_left_alone():
        problems.append("the session of the run is still there after it")
    state = place.look()
    problems += [*find_wrong_state(case, state), *find_lies(case, ended, state)]
    if len(state.applied) != fault.applied:
        problems.append(f"{len(state.applied)} migrations are applied instead of {fault.applied}")
    place.set_pace(0)
    then, further = finish(case, place, state, directory)
    return Trial(
        part=Part.SERVER,
        group=fault.name,
        what=fault.name,
        outcome=ended.in_short,
        then=then,
        problems=(*problems, *further),
    )


# --- restarts and sessions that are ended ---


def restart(number: signal.Signals) -> Strike:
    """It is told to end, and started again at once."""

    def strike(place: Place) -> Callable[[], None]:
        _shut_down(number)(place)()
        return _nothing

    return strike


def _shut_down(number: signal.Signals) -> Strike:
    """It is told to end, and started again when the run is over."""

    def strike(place: Place) -> Callable[[], None]:
        place.close()
        os.kill(place.server.process.pid, number)
        return place.server.restart

    return strike


def _nothing() -> None:
    """There is no cause to take away."""


def _kill_backend(place: Place) -> Callable[[], None]:
    """As the kernel does it when memory is short: the server ends all sessions, and recovers."""
    [pid] = place.sessions()
    place.close()
    os.kill(pid, signal.SIGKILL)
    return lambda: _wait_for(place)


def _wait_for(place: Place) -> None:
    """Until the server lets us in again."""
    import psycopg

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(psycopg.OperationalError):
            place.sessions()
            return
        time.sleep(0.1)


def _sql(strike: str, heal: str) -> Strike:
    """Statements of a superuser; ``{database}`` is the name of the database."""

    def run(place: Place) -> Callable[[], None]:
        place.run(strike.format(database=place.name))
        return lambda: place.run(heal.format(database=place.name))

    return run


def _setting(name: str, value: str) -> Strike:
    """A setting of the database, for new sessions."""
    prefix = "ALTER DATABASE {database}"
    return _sql(f"{prefix} SET {name} = '{value}'", f"{prefix} RESET {name}")


def _become_read_only(place: Place) -> Callable[[], None]:
    def set_to(value: str) -> None:
        place.run(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        place.run("SELECT pg_reload_conf()")

    set_to("on")

    def heal() -> None:
        place.run("SET default_transaction_read_only = off")
        set_to("off")

    return heal


def _take_all_connections(place: Place) -> Callable[[], None]:
    import psycopg

    with ExitStack() as stack:
        with suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(psycopg.connect(place.url()))
        return stack.pop_all().close


def _hold_lock(place: Place) -> Callable[[], None]:
    """Somebody else holds a table that the second migration writes to, and sessions do not wait long."""
    heal_setting = _setting("lock_timeout", "300ms")(place)
    holder = place.server.admin(place.name)
    holder.execute("BEGIN; CREATE TABLE public.item (id int)")

    def heal() -> None:
        holder.execute("ROLLBACK")
        holder.close()
        heal_setting()

    return heal


def _limit_memory(place: Place) -> Callable[[], None]:
    """Of the processes that the server will start: their address space, shared memory included."""
    pid = place.server.process.pid
    status = Path(f"/proc/{pid}/status").read_text()
    size = int(status.partition("VmPeak:")[2].split()[0]) << 10

    def limit(value: str) -> None:
        # As the account of the server: root may not be allowed to.
        command = ["prlimit", f"--pid={pid}", f"--as={value}:unlimited"]
        subprocess.run(command, check=True, **run_as(unprivileged_account()))

    limit(f"{size + _MEMORY_LEFT}")
    return lambda: limit("unlimited")


_LOST: Final = "connection-lost"
# What libpq says of it, and what OpenSSL does when it is the first to notice
_GONE: Final = "closed the connection unexpectedly|unexpected eof while reading"
_FAILED: Final = "migration-failed"

FAULTS: Final[Sequence[ServerFault]] = (
    ServerFault(
        name="fast shutdown and restart, in a statement",
        strike=restart(signal.SIGINT),
        pace=_LONG_SLEEP,
        expected=Expected(exit_code=4, code=_LOST, words="terminating connection due to administrator command"),
    ),
    ServerFault(
        name="immediate shutdown and restart, in a statement",
        strike=restart(signal.SIGQUIT),
        pace=_LONG_SLEEP,
        expected=Expected(exit_code=4, code=_LOST, words=f"immediate shutdown|{_GONE}"),
    ),
    ServerFault(
        name="immediate shutdown, and the server stays away until the run is over",
        strike=_shut_down(signal.SIGQUIT),
        pace=_LONG_SLEEP,
        expected=Expected(
            exit_code=1, code="outcome-unknown", words="V2__slow.*V3__after.sql, may have been applied or not"
        ),
    ),
    ServerFault(
        name="the server's process for the session is killed, in a statement",
        strike=_kill_backend,
        pace=_LONG_SLEEP,
        expected=Expected(exit_code=4, code=_LOST, words=_GONE),
    ),
    ServerFault(
        name="the session is ended by an administrator, in a statement",
        strike=_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'taxiway'", ""
        ),
        pace=_LONG_SLEEP,
        expected=Expected(exit_code=4, code=_LOST, words="terminating connection due to administrator command"),
    ),
    ServerFault(
        name="the statement is cancelled by an administrator",
        strike=_sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'taxiway'", ""),
        pace=_LONG_SLEEP,
        expected=Expected(exit_code=1, code=_FAILED, words=r"V2__slow\.sql:2.*canceling statement due to user"),
    ),
    ServerFault(
        name="the server becomes read-only, in a statement",
        strike=_become_read_only,
        pace=_SHORT_SLEEP,
        expected=Expected(
            exit_code=1, code=_FAILED, words="V3__after.*read-only transaction.*Connect to the writer"
        ),
        applied=2,
    ),
    ServerFault(
        name="the server is read-only from the start",
        strike=_setting("default_transaction_read_only", "on"),
        expected=Expected(exit_code=2, code="read-only-server", words="default_transaction_read_only is on"),
        applied=0,
    ),
    ServerFault(
        name="no connection is left for the database",
        strike=_sql(
            "ALTER DATABASE {database} CONNECTION LIMIT 0", "ALTER DATABASE {database} CONNECTION LIMIT -1"
        ),
        expected=Expected(exit_code=4, code="connection-failed", words="too many connections for database"),
        applied=0,
    ),
    ServerFault(
        name="no connection is left for the server",
        strike=_take_all_connections,
        expected=Expected(
            exit_code=4, code="connection-failed", words="remaining connection slots|too many clients"
        ),
        applied=0,
    ),
    ServerFault(
        name="statement_timeout",
        strike=_setting("statement_timeout", "300ms"),
        pace=_LONG_SLEEP,
        in_statement=False,
        expected=Expected(exit_code=1, code=_FAILED, words=r"V2__slow\.sql:2.*due to statement timeout"),
    ),
    ServerFault(
        name="lock_timeout",
        strike=_hold_lock,
        expected=Expected(exit_code=1, code=_FAILED, words=r"V1__before\.sql:2.*due to lock timeout"),
        applied=0,
    ),
    ServerFault(
        name="the right to write to the history is taken away, in a statement",
        strike=_sql(f"REVOKE INSERT ON {_HISTORY} FROM {OWNER}", f"GRANT INSERT ON {_HISTORY} TO {OWNER}"),
        pace=_SHORT_SLEEP,
        expected=Expected(exit_code=1, code=_FAILED, words="permission denied for table flyway_schema_history"),
    ),
    ServerFault(
        name="the right to write to a table is taken away, in a statement",
        strike=_sql(f"REVOKE INSERT ON public.item FROM {OWNER}", f"GRANT INSERT ON public.item TO {OWNER}"),
        pace=_SHORT_SLEEP,
        expected=Expected(exit_code=1, code=_FAILED, words=r"V2__slow\.sql:3.*permission denied for table item"),
    ),
    ServerFault(
        name="a statement wants more memory than there is",
        strike=_limit_memory,
        case=HUNGRY,
        expected=Expected(exit_code=1, code=_FAILED, words=r"V2__hungry\.sql:2.*out of memory"),
    ),
)


def play_all(faults: Sequence[ServerFault], directory: Path) -> Iterator[Trial]:
    """All of them, on one server of their own."""
    for case in {id(fault.case): fault.case for fault in faults}.values():
        case.lay_out(directory / case.name)
    with open_server() as server, open_place(server, "faulty") as place:
        for fault in faults:
            yield play(fault, place, directory / fault.case.name)


# --- out of disk ---


class NoSmallDisk(Exception):
    """This machine does not let us mount one."""


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of so many megabytes.

    Raises:
        NoSmallDisk: We may not mount one.
    """
    with temporary_directory() as directory:
        disk = directory / "disk"
        disk.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", str(disk)]
        if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
            raise NoSmallDisk
        try:
            yield disk
        finally:
            subprocess.run(["umount", "--lazy", disk], check=True)


def play_full_disk(directory: Path) -> Trial:
    """The disk that tables are on is full; then it is made larger."""
    LARGE.lay_out(directory)
    fault = ServerFault(
        name="the disk of the tables is full",
        strike=lambda _place: _nothing,
        case=LARGE,
        expected=Expected(exit_code=1, code=_FAILED, words=r"V2__large\.sql:2.*No space left on device.*53100"),
    )
    try:
        with small_disk(_SMALL_DISK_MB) as disk, open_server() as server, open_place(server, "small") as place:
            return _play_on(disk, fault, place, directory)
    except NoSmallDisk:
        return _left_out(fault.name, "no file system can be mounted here")


class _CrampedServer(PostgresServer):
    """A server whose write-ahead log lies on a disk of its own."""

    def __init__(self, directory: Path, disk: Path, *, settings: Mapping[str, str]) -> None:
        super().__init__(directory, settings=settings)
        self._disk = disk

    @override
    def _configure(self, certificate: ServerCertificate) -> None:
        super()._configure(certificate)
        log, moved = self._data / "pg_wal", self._disk / "pg_wal"
        shutil.copytree(log, moved)
        for path in (moved, *moved.rglob("*")):
            self._give(path, mode=0o700 if path.is_dir() else 0o600)
        shutil.rmtree(log)
        log.symlink_to(moved)


def play_full_log_disk(directory: Path) -> Trial:
    """The disk of the write-ahead log is full, which ends the server; then it is made larger."""
    LARGE.lay_out(directory)
    fault = ServerFault(
        name="the disk of the write-ahead log is full, and the server ends",
        strike=lambda _place: _nothing,
        case=LARGE,
        expected=Expected(
            exit_code=1, code="outcome-unknown", words="V3__after.sql, may have been applied or not"
        ),
    )
    try:
        with ExitStack() as stack:
            disk = stack.enter_context(small_disk(_LOG_DISK_MB))
            server = stack.enter_context(open_server(_LOG_SETTINGS, make=partial(_CrampedServer, disk=disk)))
            place = stack.enter_context(open_place(server, "cramped"))
            place.reset()
            place.close()
            ended = start("migrate", LARGE, place.url(), directory, "-connectRetriesInterval=1").wait()
            subprocess.run(["mount", "-o", "remount,size=256m", disk], check=True)
            server.restart()
            return judge(fault, place, directory, ended)
    except NoSmallDisk:
        return _left_out(fault.name, "no file system can be mounted here")


def _play_on(disk: Path, fault: ServerFault, place: Place, directory: Path) -> Trial:
    tablespace = disk / "tablespace"
    tablespace.mkdir(mode=0o700)
    account = unprivileged_account()
    if account:
        account.own(tablespace)
    place.run(f"CREATE TABLESPACE small LOCATION '{tablespace}'")
    place.run(f"GRANT CREATE ON TABLESPACE small TO {OWNER}")
    place.run(f"ALTER DATABASE {place.name} SET default_tablespace = 'small'")
    place.reset()
    ended = start("migrate", fault.case, place.url(), directory).wait()
    subprocess.run(["mount", "-o", "remount,size=128m", disk], check=True)
    trial = judge(fault, place, directory, ended)
    # A tablespace can be dropped only when it is empty.
    place.run(f"ALTER DATABASE {place.name} RESET default_tablespace")
    place.reset()
    place.run("DROP TABLE IF EXISTS public.item; DROP SCHEMA ledger CASCADE")
    return trial


def _left_out(name: str, reason: str) -> Trial:
    return Trial(part=Part.SERVER, group=name, what=name, outcome=f"**left out**: {reason}", then="-")


# --- failover ---


def play_failover(directory: Path) -> Trial:
    """The primary ends in a statement, the address leads to a standby, which is promoted when the run is over."""
    SLOW.lay_out(directory)
    fault = ServerFault(
        name="failover to a standby that is read-only at first, in a statement",
        strike=lambda _place: _nothing,
        expected=Expected(exit_code=4, code=_LOST, words=f"{_GONE}|immediate shutdown"),
    )
    with ExitStack() as stack:
        primary = stack.enter_context(open_server())
        place = Place(primary, "moving")
        primary.create_database(place.name, OWNER)
        stack.callback(place.close)
        standby = stack.enter_context(Standby(stack.enter_context(temporary_directory()) / "standby", primary))
        proxy = stack.enter_context(ProtocolProxy(primary.host, primary.port))
        place.reset()
        place.set_pace(_LONG_SLEEP)
        url = place.url_through(proxy)
        run = start("migrate", SLOW, url, directory)
        place.wait_for_sleep()
        standby.wait_for_replay()
        place.close()
        proxy.target = (standby.host, standby.port)
        os.kill(primary.process.pid, signal.SIGQUIT)
        ended = run.wait()
        moved = Place(standby, place.name)
        stack.callback(moved.close)
        refused = start("migrate", SLOW, url, directory).wait()
        standby.promote()
        trial = judge(fault, moved, directory, ended)
    return _with_refusal(trial, refused)


def _with_refusal(trial: Trial, refused: Ended) -> Trial:
    """The trial, with what is wrong about how a run on the standby was refused."""
    expected = Expected(exit_code=2, code="read-only-server", words="a standby.*Connect to the primary")
    problems = (*trial.problems, *(f"on the standby: {one}" for one in expected.find_differences(refused)))
    return Trial(
        part=trial.part,
        group=trial.group,
        what=trial.what,
        outcome=f"{trial.outcome}; on the standby {refused.in_short}",
        then=f"{trial.then}, on the promoted standby",
        problems=problems,
    )
