"""Opening a database session: parameters, retries, session settings.

Rules that come from Flyway 13: the session's time zone is the client's, because ``installed_on`` is stored without
one; retries wait 1, 2, 4… seconds. A wrong password or database name is not retried: it does not get better.

An error raised here has no context, and no frame in its traceback has a variable that holds a password: programs
that report errors send both. So errors are raised outside of ``except``, and passwords are revealed in calls that
have returned by then.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from taxiway import errors
from taxiway.engine.ports import Clock, SessionFacts
from taxiway.model.event import NoticeReceived, SecretReadAgain, WaitingForDatabase, WakingDatabase, Warned
from taxiway.model.settings import DatabaseSettings
from taxiway.nearest import find_nearest
from taxiway.postgres import jdbc
from taxiway.postgres.defaults import add_defaults
from taxiway.postgres.errors import ACCESS_RULES, error_of_ours, translate_connect_error, translate_error
from taxiway.postgres.libpq.connection import Connection
from taxiway.postgres.libpq.result import ConnectionBroken, Diagnostics, Result, ServerError
from taxiway.postgres.login import find_login
from taxiway.postgres.own_statements import WATCH_CLIENT
from taxiway.postgres.session import PostgresSession
from taxiway.postgres.silence import SilenceWatch
from taxiway.postgres.sql import Sql, fill, join, literal
from taxiway.postgres.time_zone import local_time_zone
from taxiway.postgres.url import describe_target, parse_url
from taxiway.secret import reveal

if TYPE_CHECKING:
    from taxiway.model.role import PasswordCheck
    from taxiway.postgres.credentials import Credentials
    from taxiway.postgres.waking import Waking
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
        FROM pg_catalog.pg_stat_activity a WHERE a.pid = pg_catalog.pg_backend_pid()),
       pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('transaction_read_only')
"""

# To a question about a session that does not answer
_SECONDS_FOR_AN_ANSWER: Final = 15
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

type ConnectionEvent = WaitingForDatabase | WakingDatabase | SecretReadAgain | Warned


def ignore_events(_event: ConnectionEvent) -> None:
    """The sink of those who want to hear nothing of an attempt to connect."""


def open_session(
    settings: DatabaseSettings,
    *,
    clock: Clock,
    on_notice: Callable[[NoticeReceived], None],
    on_event: Callable[[ConnectionEvent], None] = ignore_events,
    credentials: "Credentials | None" = None,
) -> PostgresSession:
    """Connect, with the patience that the settings ask for, run ``initSql``, and ask the server for the facts.

    ``on_event`` is told of each wait before another attempt, of a login that is tried again, and of what a person
    should look at. ``credentials`` give the login of each connection; without them it is that of the settings.

    Raises:
        InvalidOption: The URL cannot be understood, a parameter has a value that libpq does not accept, the server
            refuses ``initSql``, or the settings cannot be used with ``auth=iam``.
        UnsupportedOption: The URL asks for something that only Java's driver can do.
        ConnectionFailed: Nobody answered, after all retries.
        AuthenticationFailed, DatabaseNotFound, CertificateRejected, TlsUnavailable: At once, without a retry.
        PoolerRefused: A pooler has answered, and the settings say that none may.
        SecretError, AwsError: The credentials could not be had.
    """
    settings = parse_url(settings)
    for warning in _warnings(tuple(settings.jdbc_properties)):
        on_event(Warned(message=warning))
    if settings.auth != "password":
        from taxiway.postgres.iam import with_rules_of_iam

        settings = with_rules_of_iam(settings)
    opener = _Opener(settings, describe_target(settings.parameters), credentials, on_notice, on_event)

    def open_connection(retries: int, wake_seconds: int = 0) -> tuple[Connection, SessionFacts]:
        waits = (min(2**attempt, settings.connect_retries_interval_seconds) for attempt in range(retries))
        waking = _waking(settings, wake_seconds, clock, on_event) if wake_seconds else None
        return _with_retries(opener.open, waits, clock, on_event, waking)

    connection, facts = open_connection(settings.connect_retries, settings.wake_seconds or 0)
    try:
        opener.look_for_pooler(connection, facts)
    except BaseException:
        connection.close()
        raise
    return PostgresSession(
        connection,
        facts,
        reopen=lambda: open_connection(max(settings.connect_retries, _RETRIES_AFTER_LOSS)),
        try_password=opener.try_password,
    )


@dataclass(frozen=True, slots=True)
class _Opener:
    """Opens connections with the same settings, which were taken apart."""

    settings: DatabaseSettings
    target: str
    credentials: "Credentials | None"
    on_notice: Callable[[NoticeReceived], None]
    on_event: Callable[[ConnectionEvent], None]

    def open(self) -> tuple[Connection, SessionFacts]:
        """A connection that is ready for a session."""
        settings = self.settings
        connection = self._connect()
        connection.on_notice = lambda found: self.on_notice(_notice(found))
        try:
            facts = _prepare(connection, settings.init_sql, self.target)
        except BaseException:
            connection.close()
            raise
        connection.silence_seconds = settings.silence_seconds
        connection.on_silence = SilenceWatch(facts, self.open_to_ask, seconds=settings.silence_seconds)
        return connection, facts

    def open_to_ask(self) -> Connection:
        """A further connection, for a question that wants an answer soon.

        Raises:
            ConnectionBroken: There is none to be had.
        """
        try:
            connection = self._connect()
        except errors.TaxiwayError as error:
            reason = error.message
        else:
            connection.give_up_after(_SECONDS_FOR_AN_ANSWER)
            return connection
        raise ConnectionBroken(reason)

    def look_for_pooler(self, connection: Connection, facts: SessionFacts) -> None:
        """Warn of a pooler, or refuse it. A server costs no question.

        Raises:
            PoolerRefused: There is one, and it is not to be.
        """
        is_server = connection.process_id == facts.process_id and ".proxy-" not in connection.host
        if is_server or self.settings.pooler == "accept":
            return
        from taxiway.postgres.pooler import find_pooler, pooler_refused

        message = find_pooler(connection, facts.process_id, self.target, self.open_to_ask)
        if message and self.settings.pooler == "refuse":
            raise pooler_refused(message)
        if message:
            self.on_event(Warned(message=message))

    def _connect(self) -> Connection:
        """A connection with the login of the settings or of the credentials, which may have another one."""
        if self.credentials is None:
            return _connect(self.settings, self.target)
        settings = self.credentials.log_in(self.settings)
        try:
            return _connect(settings, self.target)
        except errors.AuthenticationFailed as error:
            refused = error
        # Rules for addresses and encryption ask nobody for a password.
        is_about_login = ACCESS_RULES not in refused.message
        other = self.credentials.log_in_again(settings, self.on_event) if is_about_login else None
        if other is None:
            raise refused
        return _connect(other, self.target)

    def try_password(self, connection: Connection, role: str, password: "Secret") -> "PasswordCheck":
        """Log in to the server of that connection as another role."""
        from taxiway.postgres.password import check_password

        return check_password(connection, _parameters(self.settings), role, password)


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


def _waking(
    settings: DatabaseSettings, seconds: int, clock: Clock, on_event: Callable[[ConnectionEvent], None]
) -> "Waking":
    from taxiway.postgres.waking import Waking

    return Waking(reveal(settings.parameters.get("host", "")), seconds, clock, on_event)


def _with_retries[T](
    open_once: Callable[[], T],
    waits: Iterator[int],
    clock: Clock,
    on_event: Callable[[ConnectionEvent], None],
    waking: "Waking | None",
) -> T:
    """What is opened, at the first attempt or after one of the waits, in seconds; ``waking`` comes first."""
    while True:
        try:
            return open_once()
        except (errors.ConnectionFailed, errors.AuthenticationFailed) as error:
            is_waking = waking is not None and waking.takes_in(error)
            wait = next(waits, None) if isinstance(error, errors.ConnectionFailed) and not is_waking else None
            if wait is None and not is_waking:
                raise
            reason = error.message
        if is_waking and waking:
            waking.wait(reason)
        elif wait is not None:
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
    refusal = translate_connect_error(words, target=target, login=find_login(settings))
    if settings.auth != "password" and isinstance(refusal, errors.AuthenticationFailed):
        from taxiway.postgres.iam import hint_of_iam

        refusal.hint = hint_of_iam(settings)
    return refusal


def _prepare(connection: Connection, init_sql: str, target: str) -> SessionFacts:
    """Set the time zone, run ``initSql``, and ask for the facts: in this order, so that it may change them."""
    set_zone = fill(_SET_TIME_ZONE, zone=literal(local_time_zone()))
    if init_sql:
        from taxiway.postgres.init_sql import run_init_sql  # loads what splits scripts

        _ask(connection, target, join([Sql("SELECT "), set_zone]))
        run_init_sql(connection, init_sql)
        set_zone = Sql("pg_catalog.current_setting('TimeZone')")
    return _session_facts(
        connection, _ask(connection, target, fill(_FACTS_QUERY, zone=set_zone, watch=WATCH_CLIENT))
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
    time_zone, _, user, database, current_schema, search_path, version, version_num, *about_the_server = (
        (value or b"").decode() for value in row
    )
    process_id, started, in_recovery, read_only = about_the_server
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
        host=connection.host,
        in_recovery=in_recovery == "t",
        read_only=read_only == "on",
    )


def _notice(found: Diagnostics) -> NoticeReceived:
    return NoticeReceived(
        severity=found.severity or "NOTICE", message=found.message, sqlstate=found.sqlstate or "00000"
    )
