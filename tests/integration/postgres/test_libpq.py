"""The connection on libpq: what goes out, what comes back, and how it ends."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.protocol_proxy import ProtocolProxy
from taxiway.postgres.libpq.channel import TransactionStatus
from taxiway.postgres.libpq.connection import Connection
from taxiway.postgres.libpq.conninfo import known_parameters, parse_conninfo, resolve_conninfo
from taxiway.postgres.libpq.encoding import python_encoding
from taxiway.postgres.libpq.pipeline import Message
from taxiway.postgres.libpq.result import ConnectionBroken, Diagnostics, ServerError
from taxiway.postgres.sql import array, identifier, literal
from tests.support.pytest_sandbox import Database, plain_url


def open_connection(database: Database, **more: str) -> Connection:
    parameters = {"user": database.user, "password": database.password, "client_encoding": "UTF8"}
    return Connection.open(parse_conninfo(database.url) | parameters | more)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    connection = open_connection(database)
    yield connection
    connection.close()


def value(connection: Connection, query: str) -> str | None:
    [result] = connection.execute(query.encode())
    [[found]] = result.rows
    return None if found is None else found.decode()


def status(connection: Connection) -> str:
    return connection.transaction_status.name


def messages(*statements: str) -> list[Message]:
    return [Message(statement.encode(), with_rows=True) for statement in statements]


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        yield
    timer.join()


# --- one by one ---


def test_several_statements_have_a_result_each(connection: Connection) -> None:
    first, second = connection.execute(b"SELECT 1 AS a, NULL, ''; CREATE TABLE t ()")
    assert (first.tag, first.columns, first.rows) == (
        "SELECT 1",
        (b"a", b"?column?", b"?column?"),
        ((b"1", None, b""),),
    )
    assert (second.tag, second.columns, second.rows) == ("CREATE TABLE", None, ())


def test_rows_that_nobody_wants_are_not_kept(connection: Connection) -> None:
    [result] = connection.execute(b"SELECT generate_series(1, 1000)", with_rows=False)
    assert (result.tag, result.rows) == ("SELECT 1000", ())


def test_an_error_has_its_fields_and_ends_the_message(connection: Connection) -> None:
    with pytest.raises(ServerError) as caught:
        connection.execute(b"CREATE TABLE t (); SELECT oops; CREATE TABLE u ()")
    found = caught.value.diagnostics
    assert (found.severity, found.sqlstate, found.position) == ("ERROR", "42703", 27)
    assert "oops" in found.message
    assert value(connection, "SELECT to_regclass('t') IS NULL") == "t"


def test_notices_are_told_with_their_text(connection: Connection) -> None:
    heard: list[Diagnostics] = []
    connection.on_notice = heard.append
    connection.execute("DO $$ BEGIN RAISE WARNING 'größer'; RAISE NOTICE 'b'; END $$".encode())
    assert [(one.severity, one.message) for one in heard] == [("WARNING", "größer"), ("NOTICE", "b")]


def test_what_a_listener_raises_ends_the_call(connection: Connection) -> None:
    def refuse(_: Diagnostics) -> None:
        raise InterruptedError

    connection.on_notice = refuse
    with pytest.raises(InterruptedError):
        connection.execute(b"DO $$ BEGIN RAISE NOTICE 'a'; PERFORM pg_sleep(60); END $$")
    connection.on_notice = lambda _: None
    assert value(connection, "SELECT 1") == "1"


def test_data_are_copied_in_pieces(connection: Connection) -> None:
    results = connection.execute(
        b"CREATE TABLE t (a int); COPY t FROM STDIN; SELECT sum(a) FROM t", copy_data=[b"1\n2", b"0\n", b"300\n"]
    )
    assert [result.tag for result in results] == ["CREATE TABLE", "COPY 3", "SELECT 1"]
    assert results[-1].rows == ((b"321",),)


def test_data_that_do_not_fit_are_refused_and_the_session_goes_on(connection: Connection) -> None:
    connection.execute(b"CREATE TABLE t (a int)")
    with pytest.raises(ServerError, match="invalid input syntax"):
        connection.execute(b"COPY t FROM STDIN", copy_data=(b"x\n" for _ in range(100_000)))
    assert value(connection, "SELECT count(*) FROM t") == "0"


def test_data_that_cannot_be_had_cancel_the_copy(connection: Connection) -> None:
    def data() -> Iterator[bytes]:
        yield b"1\n"
        raise OSError

    connection.execute(b"CREATE TABLE t (a int)")
    with pytest.raises(OSError):
        connection.execute(b"COPY t FROM STDIN", copy_data=data())
    assert connection.transaction_status is TransactionStatus.IDLE
    assert value(connection, "SELECT count(*) FROM t") == "0"


def test_rows_of_a_copy_to_us_are_thrown_away(connection: Connection) -> None:
    results = connection.execute(b"COPY (SELECT generate_series(1, 10000)) TO STDOUT; SELECT 1")
    assert [result.tag for result in results] == ["COPY 10000", "SELECT 1"]


def test_the_transaction_is_known(connection: Connection) -> None:
    assert not connection.is_in_transaction
    connection.execute(b"BEGIN")
    assert status(connection) == "IN_TRANSACTION"
    with pytest.raises(ServerError):
        connection.execute(b"oops")
    assert status(connection) == "IN_ERROR"
    connection.close()
    assert status(connection) == "UNKNOWN"
    with pytest.raises(ConnectionBroken, match="closed"):
        connection.execute(b"SELECT 1")


def test_the_encoding_is_the_sessions(connection: Connection) -> None:
    assert connection.encoding == "utf-8"
    connection.execute(b"SET client_encoding = 'LATIN1'")
    assert connection.encoding == "iso8859-1"
    with pytest.raises(ServerError) as caught:
        connection.execute('SELECT 1 AS "ä" FROM "ö"'.encode("latin-1"))
    assert "ö" in caught.value.diagnostics.message


# --- the pipeline ---


def test_answers_come_in_order(connection: Connection) -> None:
    statements = messages(
        "BEGIN", "CREATE TABLE t (a int)", "INSERT INTO t VALUES (1), (2)", "SELECT a FROM t", "COMMIT"
    )
    results = list(connection.pipeline(statements))
    assert [result.tag for result in results] == ["BEGIN", "CREATE TABLE", "INSERT 0 2", "SELECT 2", "COMMIT"]
    assert results[3].rows == ((b"1",), (b"2",))
    assert connection.transaction_status is TransactionStatus.IDLE


def test_an_answer_comes_before_the_next_statement_has_run(connection: Connection) -> None:
    results = connection.pipeline(messages("SELECT 1", "SELECT pg_sleep(60)"))
    started = time.monotonic()
    assert next(results).rows == ((b"1",),)
    results.close()
    assert time.monotonic() - started < 30
    assert value(connection, "SELECT 1") == "1"


def test_nothing_runs_behind_an_error(connection: Connection) -> None:
    statements = messages("BEGIN", "CREATE TABLE t ()", "COMMIT", "BEGIN", "oops", "COMMIT", "CREATE TABLE u ()")
    results = connection.pipeline(statements)
    seen = [next(results).tag for _ in range(4)]
    with pytest.raises(ServerError, match="oops"):
        next(results)
    assert seen == ["BEGIN", "CREATE TABLE", "COMMIT", "BEGIN"]
    assert connection.transaction_status is TransactionStatus.IN_ERROR
    connection.execute(b"ROLLBACK")
    assert value(connection, "SELECT to_regclass('t') IS NOT NULL AND to_regclass('u') IS NULL") == "t"


def test_statements_are_taken_as_the_server_keeps_up(connection: Connection) -> None:
    taken = 0

    def many() -> Iterator[Message]:
        nonlocal taken
        yield Message(b"SELECT pg_sleep(0.3)")
        for _ in range(20_000):
            taken += 1
            yield Message(b"SELECT 1")

    results = connection.pipeline(many())
    next(results)
    assert taken < 2_000
    assert sum(1 for _ in results) == 20_000


def test_large_statements_and_many_notices_do_not_block_each_other(connection: Connection) -> None:
    heard: list[Diagnostics] = []
    connection.on_notice = heard.append
    talk = "DO $$ BEGIN FOR i IN 1..500 LOOP RAISE NOTICE '%', repeat('x', 1000); END LOOP; END $$"
    padded = [Message(f"{talk} /*{'y' * 1_000_000}*/".encode()) for _ in range(12)]
    assert sum(1 for _ in connection.pipeline(padded)) == 12
    assert len(heard) == 6_000


def test_what_taking_a_statement_raises_comes_behind_the_answers_before(connection: Connection) -> None:
    def failing() -> Iterator[Message]:
        yield Message(b"CREATE TABLE t ()")
        message = "no more"
        raise ValueError(message)

    results = connection.pipeline(failing())
    assert next(results).tag == "CREATE TABLE"
    with pytest.raises(ValueError, match="no more"):
        next(results)
    assert value(connection, "SELECT to_regclass('t') IS NOT NULL") == "t"


# --- how it ends ---


@pytest.mark.parametrize("pipelined", [False, True])
def test_an_interruption_cancels_what_runs(connection: Connection, pipelined: bool) -> None:
    started = time.monotonic()
    with interrupted_after(0.2):
        if pipelined:
            list(connection.pipeline(messages("SELECT pg_sleep(60)", "CREATE TABLE t ()")))
        else:
            connection.execute(b"SELECT pg_sleep(60)")
    assert time.monotonic() - started < 30
    assert value(connection, "SELECT to_regclass('t') IS NULL") == "t"


def test_a_signal_that_does_not_end_a_wait_is_heard_soon(connection: Connection) -> None:
    """As when it comes just before the wait begins: here, another thread has it."""
    timer = threading.Timer(0.2, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT))
    started = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        connection.execute(b"SELECT pg_sleep(60)")
    assert time.monotonic() - started < 30
    timer.join()


@pytest.mark.parametrize("pipelined", [False, True])
def test_what_is_asked_on_the_way_out_of_an_interruption_has_little_time(
    connection: Connection, pipelined: bool
) -> None:
    """Other limits are for a run that goes on: silence is asked about with another connection, and that takes time."""
    asked: list[int] = []
    connection.on_silence, connection.silence_seconds = asked.append, 0.5

    def be_interrupted() -> None:
        try:
            raise KeyboardInterrupt
        finally:
            if pipelined:
                list(connection.pipeline(messages("SELECT pg_sleep(60)")))
            else:
                connection.execute(b"SELECT pg_sleep(60)")

    with pytest.raises(ConnectionBroken, match="time that there is to stop"):
        be_interrupted()
    assert not connection.is_usable
    assert asked == []


def test_a_session_that_outlives_an_interruption_has_all_the_time_again(connection: Connection) -> None:
    with interrupted_after(0.1):
        connection.execute(b"SELECT pg_sleep(60)")
    assert value(connection, "SELECT pg_sleep(2)") == ""


def test_an_interruption_of_the_reader_stops_the_server(connection: Connection) -> None:
    with (
        interrupted_after(0.2),
        closing(connection.pipeline(messages(*["SELECT pg_sleep(0.05)"] * 1000))) as results,
    ):
        for _ in results:
            time.sleep(0.05)
    assert value(connection, "SELECT 1") == "1"


@pytest.mark.parametrize("pipelined", [False, True])
def test_a_session_that_the_server_ends_says_why(connection: Connection, pipelined: bool) -> None:
    end = "SELECT pg_terminate_backend(pg_backend_pid())"

    def run() -> None:
        if pipelined:
            list(connection.pipeline(messages("SELECT 1", end, "SELECT 2")))
        connection.execute(end.encode())

    with pytest.raises(ServerError) as caught:
        run()
    assert (caught.value.diagnostics.severity, caught.value.diagnostics.sqlstate) == ("FATAL", "57P01")
    assert not connection.is_usable
    with pytest.raises(ConnectionBroken):
        connection.execute(b"SELECT 1")


def test_silence_is_asked_about_and_may_end_the_wait(connection: Connection) -> None:
    asked = []

    def ask(silences: int) -> None:
        asked.append(silences)
        if silences == 3:
            message = "enough"
            raise ConnectionBroken(message)

    connection.silence_seconds, connection.on_silence = 0.05, ask
    with pytest.raises(ConnectionBroken, match="enough"):
        connection.execute(b"SELECT pg_sleep(2)")
    assert asked == [1, 2, 3]
    assert not connection.is_usable


def test_silences_with_an_answer_in_between_are_not_in_a_row(connection: Connection) -> None:
    asked: list[int] = []
    connection.silence_seconds, connection.on_silence = 0.2, asked.append
    for _ in range(3):
        connection.execute(b"SELECT pg_sleep(0.3)")
    assert asked == [1, 1, 1]


def test_an_answer_that_comes_while_silence_is_asked_about_counts(connection: Connection) -> None:
    def give_up_late(_silences: int) -> None:
        time.sleep(0.5)
        message = "too late"
        raise ConnectionBroken(message)

    connection.silence_seconds, connection.on_silence = 0.1, give_up_late
    assert value(connection, "SELECT 'there' FROM pg_sleep(0.3)") == "there"


def test_an_interruption_at_the_end_of_a_pipeline_leaves_a_session_that_goes_on(plain_database: Database) -> None:
    """Its end has been sent by then, and is not sent again."""
    with ProtocolProxy(plain_database.host, plain_database.port, delay_ms=300) as proxy:
        url = plain_url(proxy, plain_database.user, plain_database.name)
        connection = Connection.open(parse_conninfo(url) | {"password": plain_database.password})
        results = connection.pipeline(messages("SELECT 1"))
        assert next(results).tag == "SELECT 1"
        with interrupted_after(0.2):
            next(results, None)
        assert value(connection, "SELECT 'there'") == "there"
        connection.close()


def test_a_refused_login_has_the_words_of_libpq(database: Database) -> None:
    with pytest.raises(ConnectionBroken, match="password authentication failed"):
        open_connection(database, password="wrong")


def test_an_attempt_to_connect_can_be_interrupted(database: Database) -> None:
    with socket_that_never_answers() as port, interrupted_after(0.2):
        open_connection(database, host="127.0.0.1", port=str(port), sslmode="disable", connect_timeout="60")


@contextmanager
def socket_that_never_answers() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


# --- names and values ---


@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@pytest.mark.parametrize("standard", ["on", "off"])
def test_a_literal_is_read_as_it_was(connection: Connection, standard: str, text: str) -> None:
    query = f"SET standard_conforming_strings = {standard}; SET escape_string_warning = off;"
    result = connection.execute(f"{query} SELECT {literal(text)}, ({array([text, ''])})[1]".encode())[-1]
    assert result.rows[0] == (text.encode(), text.encode())


def test_literals_of_other_types_and_names(connection: Connection) -> None:
    query = f"SELECT 1-{literal(-1)}, {literal(None)} IS NULL, {literal(value=True)} AS {identifier('a"b')}"
    [result] = connection.execute(query.encode())
    assert (result.rows, result.columns) == (((b"2", b"t", b"t"),), (b"?column?", b"?column?", b'a"b'))
    assert identifier("a", "b") == '"a"."b"'


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF8", "utf-8"),
        ("SQL_ASCII", "utf-8"),
        ("LATIN9", "iso8859-15"),
        ("WIN1252", "cp1252"),
        ("EUC_JP", "euc_jp"),
        ("ISO_8859_5", "iso8859-5"),
        ("SJIS", "cp932"),
        ("KOI8R", "koi8-r"),
        ("EUC_TW", "utf-8"),
    ],
)
def test_encodings_have_names_in_python(name: str, codec: str) -> None:
    assert python_encoding(name) == codec


def test_every_encoding_of_the_server_is_read_as_the_server_means_it(connection: Connection) -> None:
    [result] = connection.execute(b"SELECT pg_encoding_to_char(i) FROM generate_series(0, 41) i")
    for name in [row[0].decode() for row in result.rows if row[0]]:
        try:
            connection.execute(f"SET client_encoding = '{name}'".encode())
        except ServerError:
            continue  # no conversion from UTF8
        [result] = connection.execute("SELECT 'Az 9~'".encode(connection.encoding))
        assert result.rows[0][0] == b"Az 9~", name
        connection.execute(b"SET client_encoding = 'UTF8'")


def test_connection_strings_are_read_by_libpq(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_conninfo("postgresql://u%40:p@h:1/d?sslmode=require") == {
        "user": "u@",
        "password": "p",
        "host": "h",
        "port": "1",
        "dbname": "d",
        "sslmode": "require",
    }
    for wrong in ("postgresql://[", "a b", "host=\0", "host=\ud800"):
        with pytest.raises(ValueError):
            parse_conninfo(wrong)
    assert {"host", "service", "sslrootcert"} <= set(known_parameters())
    monkeypatch.setenv("PGAPPNAME", "mine")
    assert resolve_conninfo({})["application_name"] == "mine"
