"""The proxy is transparent, delays without slowing, counts, and breaks exactly where it was told to."""

import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
import pytest

from sandbox.password import make_password
from sandbox.postgres import PostgresServer
from sandbox.protocol_framing import Conversation, Direction
from sandbox.protocol_proxy import Cut, FaultAt, Message, Moment, Policy, ProtocolProxy
from tests.support.servers import PASSWORD_NEEDED, server_with_rules

TO_SERVER, TO_CLIENT = Direction.TO_SERVER, Direction.TO_CLIENT
USER, DATABASE = "owner", "proxied"


@dataclass(frozen=True)
class Origin:
    """A server that also lets in clients without TLS."""

    server: PostgresServer
    password: str

    def proxy(
        self, *, delay_ms: float = 0, policy: Policy | None = None, recording: bool = False
    ) -> ProtocolProxy:
        return ProtocolProxy(
            self.server.host, self.server.port, delay_ms=delay_ms, policy=policy, recording=recording
        )

    def connect(self, proxy: ProtocolProxy, *, sslmode: str = "disable") -> "psycopg.Connection":
        return psycopg.connect(
            host=proxy.host,
            port=proxy.port,
            user=USER,
            password=self.password,
            dbname=DATABASE,
            sslmode=sslmode,
            gssencmode="disable",
            autocommit=True,
        )


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with server_with_rules(PASSWORD_NEEDED) as server:
        password = make_password()
        server.create_user(USER, password)
        server.create_database(DATABASE, USER)
        yield Origin(server, password)


def run_script(origin: Origin, proxy: ProtocolProxy) -> None:
    """Four messages to the server, the last one says goodbye."""
    with origin.server.admin(DATABASE) as administrator:
        administrator.execute("DROP TABLE IF EXISTS one")
    with origin.connect(proxy) as connection:
        connection.execute("CREATE TABLE one (n int)")
        connection.execute("INSERT INTO one VALUES (1)")
        connection.execute("SELECT * FROM one")


# --- transparent ---


def test_a_session_is_as_without_it(origin: Origin) -> None:
    with origin.proxy() as proxy, origin.connect(proxy) as connection:
        rows = connection.execute("SELECT n, repeat('x', n) FROM generate_series(0, 300) n").fetchall()
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
    assert rows == [(n, "x" * n) for n in range(301)]


@pytest.mark.parametrize("sslmode", ["prefer", "require"])
def test_tls_passes_through_unseen(origin: Origin, sslmode: str) -> None:
    with origin.proxy(recording=True) as proxy:
        with origin.connect(proxy, sslmode=sslmode) as connection:
            assert connection.pgconn.ssl_in_use
            assert connection.execute("SELECT 'seen'").fetchone() == ("seen",)
        proxy.wait_until_closed()
        assert [message.type for message in proxy.messages()] == ["ssl-request", "answer"]
        assert proxy.counts().bytes[TO_CLIENT] > 500


def test_copy_passes_in_both_directions(origin: Origin) -> None:
    lines = b"".join(b"%d\t%s\n" % (n, b"y" * (n % 1000)) for n in range(20_000))
    with origin.proxy() as proxy, origin.connect(proxy) as connection:
        connection.execute("CREATE TEMP TABLE copied (n int, text text)")
        with connection.cursor().copy("COPY copied FROM STDIN") as copy:
            copy.write(lines)
        with connection.cursor().copy("COPY (TABLE copied ORDER BY n) TO STDOUT") as copy:
            assert b"".join(bytes(block) for block in copy) == lines


def test_several_clients_at_once(origin: Origin) -> None:
    def ask(number: int) -> int:
        with origin.connect(proxy) as connection:
            row = connection.execute("SELECT %s::int, pg_sleep(0.05)", [number]).fetchone()
            assert row
            return int(row[0])

    with origin.proxy() as proxy, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(20))) == list(range(20))
        proxy.wait_until_closed()
        assert proxy.counts().connections == 20


def test_a_statement_is_cancelled_through_it(origin: Origin) -> None:
    with origin.proxy() as proxy, origin.connect(proxy) as connection, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(connection.execute, "SELECT pg_sleep(60)")
        time.sleep(0.2)
        connection.cancel_safe()
        with pytest.raises(psycopg.errors.QueryCanceled):
            waiting.result()


def test_no_server_is_a_failure_to_connect(origin: Origin) -> None:
    with ProtocolProxy("127.0.0.1", 1) as proxy, pytest.raises(psycopg.OperationalError):
        origin.connect(proxy)


# --- delay ---


def test_the_delay_is_paid_once_for_each_round_trip_and_once_for_connecting(origin: Origin) -> None:
    delay_ms = 20
    with origin.proxy(delay_ms=delay_ms) as proxy:
        started = time.monotonic()
        with origin.connect(proxy) as connection:
            for _ in range(5):
                connection.execute("SELECT 1")
            counts = proxy.counts()
        seconds = time.monotonic() - started
    paid = (counts.round_trips + counts.connections) * 2 * delay_ms / 1000
    assert counts.round_trips >= 5 + 3
    assert paid <= seconds < paid + 2


def test_a_delay_does_not_limit_the_rate(origin: Origin) -> None:
    size = 40_000_000
    with origin.proxy(delay_ms=50) as proxy, origin.connect(proxy) as connection:
        connection.execute("SELECT 1")
        started = time.monotonic()
        row = connection.execute("SELECT repeat('x', %s)", [size]).fetchone()
        seconds = time.monotonic() - started
    assert row
    assert len(row[0]) == size
    # A proxy that slept for each 64 KB would need half a minute.
    assert seconds < 10


def test_a_receiver_that_does_not_read_makes_the_sender_wait(origin: Origin) -> None:
    total = 400_000_000
    with origin.proxy() as proxy, origin.connect(proxy) as connection:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with connection.cursor().copy(
            "COPY (SELECT repeat('x', 100000) FROM generate_series(1, 4000)) TO STDOUT"
        ) as copy:
            time.sleep(1)
            received = proxy.counts().bytes[TO_CLIENT]
            read = sum(len(block) for block in copy)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert read > total
    assert received < 60_000_000
    assert (after - before) * 1024 < 150_000_000


# --- counts ---


def test_round_trips_and_messages_are_counted(origin: Origin) -> None:
    with origin.proxy() as proxy:
        with origin.connect(proxy) as connection:
            before = proxy.counts()
            for _ in range(10):
                connection.execute("SELECT 1", prepare=False)
            after = proxy.counts()
        proxy.wait_until_closed()
        end = proxy.counts()
    assert after.round_trips - before.round_trips == 10
    assert before.messages[TO_SERVER] == {"startup": 1, "p": 2}
    assert end.messages[TO_SERVER] == {"startup": 1, "p": 2, "Q": 10, "X": 1}
    assert end.messages[TO_CLIENT]["Z"] == 11
    assert end.connections == 1


def test_the_messages_are_recorded_in_their_order(origin: Origin) -> None:
    with origin.proxy(recording=True) as proxy:
        with origin.connect(proxy) as connection:
            connection.execute("SELECT 1")
        proxy.wait_until_closed()
        later = [message for message in proxy.messages() if not message.startup]
        counts = proxy.counts()
    assert [(message.direction, message.type) for message in later] == [
        (TO_SERVER, "Q"),
        *((TO_CLIENT, letter) for letter in "TDCZ"),
        (TO_SERVER, "X"),
    ]
    assert later[0].size == len(b"Q....SELECT 1\0")
    everything = sum(message.size for message in proxy.recorded or ())
    assert everything == sum(counts.bytes.values())


# --- faults ---


def rows_of_one(origin: Origin) -> int | None:
    with origin.server.admin(DATABASE) as connection:
        if connection.execute("SELECT to_regclass('one')").fetchone() == (None,):
            return None
        return connection.execute("SELECT FROM one").rowcount


# The second message to the server is the INSERT.
@pytest.mark.parametrize(("moment", "rows"), [(Moment.BEFORE, 0), (Moment.AFTER, 1)], ids=str)
@pytest.mark.parametrize("how", [Cut.RESET, Cut.CLOSE])
def test_a_message_to_the_server_is_cut_off_before_or_after(
    origin: Origin, how: Cut, moment: Moment, rows: int
) -> None:
    fault = FaultAt(direction=TO_SERVER, number=2, moment=moment, action=how)
    with origin.proxy(policy=fault) as proxy, pytest.raises(psycopg.OperationalError):
        run_script(origin, proxy)
    assert fault.hit
    assert fault.hit.type == "Q"
    wait_until(lambda: rows_of_one(origin) == rows)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("how", [Cut.RESET, Cut.CLOSE])
def test_an_answer_that_was_cut_off_after_its_end_still_arrives(origin: Origin, how: Cut) -> None:
    # CommandComplete and ReadyForQuery of the first statement
    fault = FaultAt(direction=TO_CLIENT, number=2, moment=Moment.AFTER, action=how)
    with origin.proxy(policy=fault) as proxy:
        connection = origin.connect(proxy)
        assert connection.execute("SET statement_timeout TO 0").statusmessage == "SET"
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()


def test_every_message_of_a_session_can_be_cut(origin: Origin) -> None:
    with origin.proxy(recording=True) as proxy:
        run_script(origin, proxy)
        proxy.wait_until_closed()
        clean = proxy.messages()
    for direction in Direction:
        messages = [message for message in clean if message.direction is direction]
        for number, expected in enumerate(messages, 1):
            for moment in Moment:
                fault = FaultAt(
                    direction=direction, number=number, moment=moment, action=Cut.RESET, with_startup=True
                )
                with origin.proxy(policy=fault) as proxy:
                    try:
                        run_script(origin, proxy)
                    except psycopg.OperationalError:
                        pass
                    else:
                        # What comes after the last answer, nobody waits for.
                        assert expected in {clean[-1], messages[-1]}
                    wait_until(lambda: bool(fault.hit))  # noqa: B023 - called within this pass of the loop
                assert fault.hit
                assert (fault.hit.type, fault.hit.size) == (expected.type, expected.size)


def test_a_black_hole_tells_nobody(origin: Origin) -> None:
    fault = FaultAt(direction=TO_SERVER, number=2, moment=Moment.AFTER, action=Cut.BLACK_HOLE)
    with origin.proxy(policy=fault) as proxy, ThreadPoolExecutor(1) as pool:
        connection = origin.connect(proxy)
        connection.execute("SELECT 1")
        waiting = pool.submit(connection.execute, "SELECT 2")
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.5)
        assert sessions(origin) == 1
        with origin.connect(proxy) as other:
            assert other.execute("SELECT 3").fetchone() == (3,)
        proxy.reset_connections()
        with pytest.raises(psycopg.OperationalError):
            waiting.result(timeout=5)
        connection.close()
    wait_until(lambda: sessions(origin) == 0)


def sessions(origin: Origin) -> int:
    with origin.server.admin() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
        (count,) = connection.execute(query, [DATABASE]).fetchone() or (0,)
        return int(count)


def test_a_callback_is_called_at_its_moment_and_may_cut(origin: Origin) -> None:
    seen: list[tuple[Message, int | None]] = []

    def look(message: Message) -> Cut | None:
        wait_until(lambda: rows_of_one(origin) == 0)
        seen.append((message, rows_of_one(origin)))
        return None

    fault = FaultAt(direction=TO_SERVER, number=2, moment=Moment.BEFORE, action=look)
    with origin.proxy(policy=fault) as proxy:
        run_script(origin, proxy)
    assert [(message.type, rows) for message, rows in seen] == [("Q", 0)]
    assert rows_of_one(origin) == 1

    fault = FaultAt(direction=TO_SERVER, number=2, moment=Moment.BEFORE, action=lambda _: Cut.CLOSE)
    with origin.proxy(policy=fault) as proxy, pytest.raises(psycopg.OperationalError):
        run_script(origin, proxy)


def test_a_fault_may_be_meant_for_one_connection_only(origin: Origin) -> None:
    fault = FaultAt(direction=TO_SERVER, number=1, moment=Moment.BEFORE, action=Cut.RESET, connection=2)
    with origin.proxy(policy=fault) as proxy:
        with origin.connect(proxy) as first:
            first.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError), origin.connect(proxy) as second:
            second.execute("SELECT 1")
    assert fault.hit
    assert fault.hit.connection == 2


def test_a_mistake_in_a_callback_is_raised_at_the_end(origin: Origin) -> None:
    def fail(_: Message) -> Cut | None:
        raise LookupError("of the test")

    fault = FaultAt(direction=TO_SERVER, number=1, moment=Moment.BEFORE, action=fail)

    def run() -> None:
        with origin.proxy(policy=fault) as proxy, pytest.raises(psycopg.OperationalError):
            run_script(origin, proxy)

    with pytest.raises(LookupError, match="of the test"):
        run()


# --- framing ---


def frames_of(direction: Direction, data: bytes, *, step: int) -> list[str]:
    """The types of the messages in a conversation of one side, fed in pieces."""
    conversation = Conversation()
    found: list[str] = []
    passed = b""
    for start in range(0, len(data), step):
        _, piece, frames = conversation.feed(direction, data[start : start + step])
        passed += piece
        found += [frame.type for frame in frames]
    assert passed + conversation.end(direction) == data
    return found


STARTUP = (17).to_bytes(4) + (196608).to_bytes(4) + b"user\0me\0\0"
QUERY = b"Q" + (13).to_bytes(4) + b"SELECT 1\0"


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 8, 9, 100])
def test_messages_are_found_however_they_are_cut_into_pieces(step: int) -> None:
    data = STARTUP + QUERY * 3 + b"X\0\0\0\4"
    assert frames_of(TO_SERVER, data, step=step) == ["startup", "Q", "Q", "Q", "X"]


def test_what_is_not_this_protocol_passes_as_it_is() -> None:
    assert frames_of(TO_SERVER, b"\x16\x03\x01\x02\x00\x01" * 50, step=7) == ["opaque"]
    assert frames_of(TO_CLIENT, b"HTTP/1.1 400 Bad Request\r\n\r\n", step=5) == ["H"]
