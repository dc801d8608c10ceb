"""Opening a database session: parameters, retries, session settings.

Rules that come from Flyway 13: the session's time zone is the client's, because ``installed_on`` is stored without
one; retries wait 1, 2, 4… seconds. A wrong password or database name is not retried: it does not get better.

An error raised here has no context, and no frame in its traceback has a variable that holds a password: programs
that report errors send both. So errors are raised outside of ``except``, and passwords are revealed in calls that
have returned by then.
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from taxiway import errors
from taxiway.engine.ports import Clock, SessionFacts
from taxiway.model.event import NoticeReceived, WaitingForDatabase, Warned
from taxiway.model.settings import DatabaseSettings
from taxiway.nearest import find_nearest
from taxiway.postgres import jdbc
from taxiway.postgres.defaults import add_defaults
from taxiway.postgres.errors import error_of_ours, translate_connect_error, translate_error
from taxiway.postgres.libpq.connection import Connection
from taxiway.postgres.libpq.result import ConnectionBroken, Diagnostics, Result, ServerError
from taxiway.postgres.login import find_login
from taxiway.postgres.session import PostgresSession
from taxiway.postgres.silence import SilenceWatch
from taxiway.postgres.sql import Sql, fill, join, literal
from taxiway.postgres.time_zone import local_time_zone
from taxiway.postgres.url import describe_target, parse_url
from taxiway.secret import reveal

if TYPE_CHECKING:
    from taxiway.model.role import PasswordCheck
    from taxiway.secret import Secret

_SET_TIME_ZONE: Final = "pg_catalog.set_config('TimeZone', {zone}, false)"
# One round trip for all that the engine wants to know, and the time zone set on the way if it is to be.
_FACTS_QUERY: Final = """
SELECT {zone},
       {watch},
       current_user,
       pg_catalog.current_database(),
       pg_catalog.current_schema(),
       pg_catalog.current_setting('search_path'),
       pg_catalog.current_setting('server_version'),
       pg_catalog.current_setting('server_version_num'),
       pg_catalog.pg_backend_pid(),
       (SELECT extract(epoch FROM a.backend_start)
        FROM pg_catalog.pg_stat_activity a WHERE a.pid = pg_catalog.pg_backend_pid())
"""

# To a question about a session that does not answer
_SECONDS_FOR_AN_ANSWER: Final = 15
# A server looks whether its client is still there only when it has something to say: the statement of one that was
# killed would run on, and keep its locks. It can be told to look (since PostgreSQL 14, on Linux for sure).
_WATCH_CLIENT: Final = """
CASE WHEN pg_catalog.version() LIKE '%linux%'
      AND pg_catalog.current_setting('client_connection_check_interval', true) = '0'
     THEN pg_catalog.set_config('client_connection_check_interval', '5s', false) END
"""

# Half a minute, which is what a failover of Aurora takes
_RETRIES_AFTER_LOSS: Final = 5


# What libpq and the server say about parameters that no other attempt makes better. The values, which may hold a
# piece of a password that a URL was cut at, are not shown.
_INVALID_PARAMETER: Final = re.compile(
    r'invalid integer value ".*" for connection option "(\w+)"'
    r'|invalid "?(\w+)"? (?:value: |number: )"'
    r'|invalid value for parameter "(\w+)"',
    re.DOTALL,
)
_INVALID_COMBINATION: Final = re.compile(
    r"could not match \d+ |weak sslmode |invalid SSL protocol version range|definition of service |service file "
    r"|invalid SCRAM |unrecognized configuration parameter "
)

type ConnectionEvent = WaitingForDatabase | Warned


def ignore_events(_event: ConnectionEvent) -> None:
    """The sink of those who want to hear nothing of an attempt to connect."""


def open_session(
    settings: DatabaseSettings,
    *,
    clock: Clock,
    on_notice: Callable[[NoticeReceived], None],
    on_event: Callable[[ConnectionEvent], None] = ignore_events,
) -> PostgresSession:
    """Connect, with the retries that the settings ask for, run ``initSql``, and ask the server for the facts.

    ``on_event`` is told of each wait before another attempt, and of properties that are ignored.

    Raises:
        InvalidOption: The URL cannot be understood, a parameter has a value that libpq does not accept, or the
            server refuses ``initSql``.
        UnsupportedOption: The URL asks for something that only Java's driver can do.
        ConnectionFailed: Nobody answered, after all retries.
        AuthenticationFailed, DatabaseNotFound, CertificateRejected, TlsUnavailable: At once, without a retry.
    """
    settings = parse_url(settings)
    for warning in _warnings(tuple(settings.jdbc_properties)):
        on_event(Warned(message=warning))
    target = describe_target(settings.parameters)

    def open_once() -> tuple[Connection, SessionFacts]:
        connection = _connect(settings, target)
        connection.on_notice = lambda found: on_notice(_notice(found))
        try:
            facts = _prepare(connection, settings.init_sql, target)
        except BaseException:
            connection.close()
            raise
        connection.silence_seconds = settings.silence_seconds
        connection.on_silence = SilenceWatch(
            facts, lambda: _open_to_ask(settings), seconds=settings.silence_seconds
        )
        return connection, facts

    def open_connection(retries: int) -> tuple[Connection, SessionFacts]:
        waits = (min(2**attempt, settings.connect_retries_interval_seconds) for attempt in range(retries))
        return _with_retries(open_once, waits, clock, on_event)

    return PostgresSession(
        *open_connection(settings.connect_retries),
        reopen=lambda: open_connection(max(settings.connect_retries, _RETRIES_AFTER_LOSS)),
        try_password=lambda connection, role, password: _try_password(settings, connection, role, password),
    )


def _warnings(unknown: tuple[str, ...]) -> Iterator[str]:
    """A name is shown only if it resembles one that exists: it may be what follows the ``&`` of a password."""
    nearest = {name: find_nearest(name, jdbc.KNOWN_PROPERTIES) for name in unknown}
    for name, known in nearest.items():
        if known:
            yield (
                f"The JDBC property '{name}' is ignored, because PostgreSQL's driver has none of that name; "
                f"'{known}' is one that it has."
            )
    if nameless := [name for name, known in nearest.items() if not known]:
        yield (
            f"{len(nameless)} JDBC propert{'y is' if len(nameless) == 1 else 'ies are'} ignored, because "
            "PostgreSQL's driver has none of that name. In a URL, write %26 for an & that is part of a value."
        )


def _with_retries[T](
    open_once: Callable[[], T], waits: Iterator[int], clock: Clock, on_event: Callable[[ConnectionEvent], None]
) -> T:
    """What is opened, at the first attempt or after one of the waits, in seconds."""
    while True:
        try:
            return open_once()
        except errors.ConnectionFailed as error:
            wait = next(waits, None)
            if wait is None:
                raise
            reason = error.message
        on_event(WaitingForDatabase(reason=reason, wait_seconds=wait))
        clock.sleep(wait)


def _connect(settings: DatabaseSettings, target: str) -> Connection:
    if unusable := _unusable(settings):
        raise errors.InvalidOption(
            f"The connection parameter '{unusable}' has a character that libpq cannot take.",
            hint="Look for a NUL or for bytes that are not UTF-8 where the value comes from.",
        )
    try:
        return Connection.open(_parameters(settings))
    except ConnectionBroken as error:
        refusal = _refusal(str(error).strip(), settings, target)
    raise refusal


def _open_to_ask(settings: DatabaseSettings) -> Connection:
    """A further connection, for a question that wants an answer soon."""
    connection = Connection.open(_parameters(settings))
    connection.give_up_after(_SECONDS_FOR_AN_ANSWER)
    return connection


def _try_password(
    settings: DatabaseSettings, connection: Connection, role: str, password: "Secret"
) -> "PasswordCheck":
    from taxiway.postgres.password import check_password

    return check_password(connection, _parameters(settings), role, password)


def _unusable(settings: DatabaseSettings) -> str | None:
    """The name of a parameter that would end libpq's text early, and whatever comes behind it with it."""
    return next((name for name, value in _given(settings).items() if not _is_plain(value)), None)


def _is_plain(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _parameters(settings: DatabaseSettings) -> dict[str, str]:
    return {**add_defaults(_given(settings)), "client_encoding": "UTF8"}


def _given(settings: DatabaseSettings) -> dict[str, str]:
    given = {name: reveal(value) for name, value in settings.parameters.items()}
    if settings.user:
        given["user"] = settings.user
    if settings.password:
        given["password"] = settings.password.reveal()
    return given


def _refusal(words: str, settings: DatabaseSettings, target: str) -> errors.TaxiwayError:
    hint = (
        "Correct it in the database URL or in taxiway.toml; the PostgreSQL manual has it in 'Parameter Key Words'."
    )
    if found := _INVALID_PARAMETER.search(words):
        return errors.InvalidOption(
            f"The connection parameter '{next(filter(None, found.groups()))}' has an invalid value.", hint=hint
        )
    if _INVALID_COMBINATION.search(words):
        return errors.InvalidOption(f"libpq does not accept the connection parameters: {words}", hint=hint)
    return translate_connect_error(words, target=target, login=find_login(settings))


def _prepare(connection: Connection, init_sql: str, target: str) -> SessionFacts:
    """Set the time zone, run ``initSql``, and ask for the facts: in this order, so that it may change them."""
    set_zone = fill(_SET_TIME_ZONE, zone=literal(local_time_zone()))
    if init_sql:
        from taxiway.postgres.init_sql import run_init_sql  # loads what splits scripts

        _ask(connection, target, join([Sql("SELECT "), set_zone]))
        run_init_sql(connection, init_sql)
        set_zone = Sql("pg_catalog.current_setting('TimeZone')")
    return _session_facts(
        connection, _ask(connection, target, fill(_FACTS_QUERY, zone=set_zone, watch=Sql(_WATCH_CLIENT)))
    )


def _ask(connection: Connection, target: str, query: Sql) -> Result:
    try:
        [result] = connection.execute(query.encode())
    except (ServerError, ConnectionBroken) as error:
        refusal = _setup_error(error, target)
    else:
        return result
    raise refusal


def _setup_error(error: ServerError | ConnectionBroken, target: str) -> errors.TaxiwayError:
    ours = translate_error(error)
    if isinstance(ours, errors.ConnectionLost):
        return translate_connect_error(str(error), target=target, login=None)
    return error_of_ours(ours, doing=f"Setting up the session with {target}")


def _session_facts(connection: Connection, result: Result) -> SessionFacts:
    [row] = result.rows
    time_zone, _, user, database, current_schema, search_path, version, version_num, process_id, started = (
        (value or b"").decode() for value in row
    )
    return SessionFacts(
        label=f"{connection.host or 'local socket'}:{connection.port}/{database}",
        user=user,
        database=database,
        # Flyway 13: without a current schema the raw search path is the name.
        current_schema=current_schema or search_path,
        search_path=search_path,
        server_version=version.partition(" ")[0],
        server_version_num=int(version_num),
        time_zone=time_zone,
        standard_strings=connection.parameter("standard_conforming_strings") != "off",
        process_id=int(process_id),
        process_started=started,
    )


def _notice(found: Diagnostics) -> NoticeReceived:
    return NoticeReceived(
        severity=found.severity or "NOTICE", message=found.message, sqlstate=found.sqlstate or "00000"
    )
