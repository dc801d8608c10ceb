"""Opening a database session: parameters, retries, session settings.

Rules that come from Flyway 13: the session's time zone is the client's, because ``installed_on`` is stored without
one; retries wait 1, 2, 4… seconds. A wrong password or database name is not retried: it does not get better.

An error raised here has no context, and no frame in its traceback has a variable that holds a password: programs
that report errors send both. So errors are raised outside of ``except``, and passwords are revealed in calls that
have returned by then.
"""

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, LiteralString
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg
import tzlocal
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from taxiway import errors
from taxiway.engine.ports import Clock, SessionFacts
from taxiway.model.event import NoticeReceived, WaitingForDatabase, Warned
from taxiway.model.settings import DatabaseSettings
from taxiway.nearest import find_nearest
from taxiway.postgres import jdbc
from taxiway.postgres.defaults import add_defaults
from taxiway.postgres.errors import error_of_ours, translate_connect_error, translate_error
from taxiway.postgres.init_sql import run_init_sql
from taxiway.postgres.login import find_login
from taxiway.postgres.session import PostgresSession
from taxiway.secret import Secret, reveal

if TYPE_CHECKING:
    from psycopg.abc import Params

_SET_TIME_ZONE: Final = "SELECT pg_catalog.set_config('TimeZone', %s, false)"
# One round trip for all that the engine wants to know, and the time zone set on the way unless it is None.
_FACTS_QUERY: Final = """
SELECT CASE WHEN %(zone)s::text IS NULL THEN pg_catalog.current_setting('TimeZone')
            ELSE pg_catalog.set_config('TimeZone', %(zone)s, false) END,
       current_user,
       pg_catalog.current_database(),
       pg_catalog.current_schema(),
       pg_catalog.current_setting('search_path'),
       pg_catalog.current_setting('server_version'),
       pg_catalog.current_setting('server_version_num')::int
"""

# The beginning of a URL as libpq reads it: the user information ends at the first "@" before any "/".
_ADDRESS: Final = re.compile(r"postgres(?:ql)?://(?:(?P<user>[^@/]*)@)?(?P<rest>[^?]*)")
_PARAMETER_IN_USER: Final = re.compile(r"\?\w+=")
# Several hosts have several ports. In a URL without a host, the password is what libpq takes for the port.
_PORTS: Final = re.compile(r"[0-9, ]*")
_UNKNOWN_PARAMETER: Final = re.compile(r'invalid (?:URI query parameter: |connection option )"([^"]*)"')
_HOW_TO_WRITE_A_URL: Final = "Write it as postgresql://user@host:port/database?sslmode=verify-full."

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

_SECRET_PARAMETERS: Final = frozenset({"password", "sslpassword"})


def parse_url(settings: DatabaseSettings) -> DatabaseSettings:
    """Take the URL and the JDBC properties apart, so that nothing but parameters and a password is left.

    Explicit parameters win over the URL. Explicit user and password win over a URL of libpq's, and not over a JDBC
    URL (Flyway 13). The properties come last. Those that nobody knows stay in ``jdbc_properties``.

    Raises:
        InvalidOption: The URL or a property cannot be understood. The URL is not shown: it may hold a password.
        UnknownOption: A parameter of a libpq URL, or a property that has to do with security, is misspelt.
        UnsupportedOption: It asks for something that only Java's driver can do.
    """
    if jdbc.is_jdbc_url(reveal(settings.url)):
        return _from_jdbc_url(settings)
    translation = jdbc.translate(settings.jdbc_properties)
    parts = _take_apart(reveal(settings.url)) if settings.url else {}
    if isinstance(parts, errors.ConfigError):
        raise parts
    origins = _origins(settings, parts, url_wins=False)
    user, password = parts.pop("user", None), parts.pop("password", None)
    return replace(
        settings,
        url="",
        user=settings.user or (user and reveal(user)) or translation.user,
        password=settings.password or _as_secret(password) or translation.password,
        parameters=dict(translation.parameters) | parts | dict(settings.parameters),
        jdbc_properties=_unknown(settings, translation),
        origins=origins,
    )


def _from_jdbc_url(settings: DatabaseSettings) -> DatabaseSettings:
    properties = jdbc.read_url(reveal(settings.url))
    if isinstance(properties, errors.ConfigError):
        raise properties
    given = {"user": settings.user, "password": settings.password}
    explicit = {name: value for name, value in given.items() if value}
    said = {name: value for name, value in properties.items() if value or name not in given}
    translation = jdbc.translate(dict(settings.jdbc_properties) | explicit | said)
    return replace(
        settings,
        url="",
        user=translation.user,
        password=translation.password,
        parameters=jdbc.with_defaults(translation) | dict(settings.parameters),
        jdbc_properties=_unknown(settings, translation),
        origins=_origins(settings, [name for name in given if said.get(name)], url_wins=True),
    )


def _origins(settings: DatabaseSettings, in_url: Collection[str], *, url_wins: bool) -> dict[str, str]:
    """Where the user and the password that count were said, as far as that is known."""
    origins: dict[str, str] = {}
    for name, explicit in (("user", settings.user), ("password", settings.password)):
        if name in in_url and (url_wins or not explicit):
            origins[name] = f"the URL ({settings.origins['url']})" if "url" in settings.origins else "the URL"
        elif origin := settings.origins.get(name if explicit else f"jdbcProperties.{name}"):
            origins[name] = origin
    return origins


def _unknown(settings: DatabaseSettings, translation: jdbc.Translation) -> dict[str, str | Secret]:
    return {name: settings.jdbc_properties.get(name, "") for name in translation.unknown}


def _as_secret(value: str | Secret | None) -> Secret | None:
    return Secret(value) if isinstance(value, str) and value else value or None


def _take_apart(url: str) -> dict[str, str | Secret] | errors.ConfigError:
    """The libpq parameters of a URL, or why it has none: not raised, since this frame holds the password."""
    if _is_ambiguous(url):
        return errors.InvalidOption(
            "The database URL has an '@', '/' or '?' that is not percent-encoded, "
            "so that the password could be taken for the host.",
            hint="Write %40 for @, %2F for / and %3F for ? in user, password and database name, "
            "or give the password by FLYWAY_PASSWORD.",
        )
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except (psycopg.Error, ValueError) as error:
        return _not_understood(str(error))
    if _PORTS.fullmatch(parts.get("port", "")):
        return {key: Secret(value) if key in _SECRET_PARAMETERS else value for key, value in parts.items()}
    return errors.InvalidOption("The port in the database URL is not a number.", hint=_HOW_TO_WRITE_A_URL)


def _not_understood(words: str) -> errors.ConfigError:
    """A name is shown only if it resembles one that exists: it may be what follows the ``?`` of a password."""
    found = _UNKNOWN_PARAMETER.search(words)
    known = (option.keyword.decode() for option in Conninfo.get_defaults())
    if found and (nearest := find_nearest(found[1], known)):
        return errors.UnknownOption(found[1], origin="The database URL", nearest=nearest)
    return errors.InvalidOption("The database URL cannot be understood by libpq.", hint=_HOW_TO_WRITE_A_URL)


def url_for_programs(given: DatabaseSettings, parsed: DatabaseSettings) -> str | Secret:
    """A URL for programs that are to reach the same database, from the settings and what :func:`parse_url` made.

    A JDBC URL stays as it was given (Flyway 13). Else it is one of libpq's with all that is not confidential, or
    empty if only libpq's own variables say where the database is.
    """
    if jdbc.is_jdbc_url(reveal(given.url)):
        return given.url
    parts = {name: value for name, value in parsed.parameters.items() if isinstance(value, str)}
    if not parts:
        return ""
    host, port, database = (parts.pop(name, "") for name in ("host", "port", "dbname"))
    if "/" in host or "," in host:
        # A directory with a socket, or several hosts with several ports
        parts |= {"host": host, "port": port}
        address = ""
    else:
        address = f"[{host}]" if ":" in host else host
        address += f":{port}" if port else ""
    user = f"{quote(parsed.user, safe='')}@" if parsed.user else ""
    query = urlencode({name: value for name, value in parts.items() if value}, quote_via=quote)
    return f"postgresql://{user}{address}/{quote(database, safe='')}" + (f"?{query}" if query else "")


def _is_ambiguous(url: str) -> bool:
    """Whether libpq ends the user information elsewhere than a reader of the URL would."""
    address = _ADDRESS.match(url)
    return bool(address and ("@" in address["rest"] or _PARAMETER_IN_USER.search(address["user"] or "")))


def describe_target(parameters: Mapping[str, str | Secret]) -> str:
    """``host:port/database`` as libpq will use them, its environment variables included."""

    def find(name: str, variable: str) -> str:
        return reveal(parameters.get(name, "")) or os.environ.get(variable, "")

    address = reveal(parameters.get("host", "")) or reveal(parameters.get("hostaddr", ""))
    if not address and (service := find("service", "PGSERVICE")):
        return f"service {service}"
    host = address or os.environ.get("PGHOST") or "local socket"
    return f"{host}:{find('port', 'PGPORT') or '5432'}/{find('dbname', 'PGDATABASE')}".rstrip("/")


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
    connection = _connect_with_retries(settings, target, clock, on_event)
    connection.add_notice_handler(lambda diag: on_notice(_notice(diag)))
    try:
        return PostgresSession(connection, _prepare(connection, settings.init_sql, target))
    except BaseException:
        connection.close()
        raise


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


def _connect_with_retries(
    settings: DatabaseSettings, target: str, clock: Clock, on_event: Callable[[ConnectionEvent], None]
) -> psycopg.Connection[Any]:
    waits = (
        min(2**attempt, settings.connect_retries_interval_seconds) for attempt in range(settings.connect_retries)
    )
    while True:
        try:
            return _connect(settings, target)
        except errors.ConnectionFailed as error:
            wait = next(waits, None)
            if wait is None:
                raise
            reason = error.message
        on_event(WaitingForDatabase(reason=reason, wait_seconds=wait))
        clock.sleep(wait)


def _connect(settings: DatabaseSettings, target: str) -> psycopg.Connection[Any]:
    if unusable := _unusable(settings):
        raise errors.InvalidOption(
            f"The connection parameter '{unusable}' has a character that libpq cannot take.",
            hint="Look for a NUL or for bytes that are not UTF-8 where the value comes from.",
        )
    try:
        return psycopg.connect("", autocommit=True, prepare_threshold=None, **_parameters(settings))
    except psycopg.Error as error:
        refusal = _refusal(error, settings, target)
    raise refusal


def _unusable(settings: DatabaseSettings) -> str | None:
    """The name of a parameter that would end libpq's text early, and whatever comes behind it with it."""
    return next((name for name, value in _given(settings).items() if not _is_plain(value)), None)


def _is_plain(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _parameters(settings: DatabaseSettings) -> dict[str, Any]:
    return {**add_defaults(_given(settings)), "client_encoding": "UTF8"}


def _given(settings: DatabaseSettings) -> dict[str, str]:
    given = {name: reveal(value) for name, value in settings.parameters.items()}
    if settings.user:
        given["user"] = settings.user
    if settings.password:
        given["password"] = settings.password.reveal()
    return given


def _refusal(error: psycopg.Error, settings: DatabaseSettings, target: str) -> errors.TaxiwayError:
    words = str(error).strip()
    hint = (
        "Correct it in the database URL or in taxiway.toml; the PostgreSQL manual has it in 'Parameter Key Words'."
    )
    if found := _INVALID_PARAMETER.search(words):
        return errors.InvalidOption(
            f"The connection parameter '{next(filter(None, found.groups()))}' has an invalid value.", hint=hint
        )
    if isinstance(error, psycopg.ProgrammingError) or _INVALID_COMBINATION.search(words):
        return errors.InvalidOption(f"libpq does not accept the connection parameters: {words}", hint=hint)
    return translate_connect_error(error, target=target, login=find_login(settings))


def _prepare(connection: psycopg.Connection[Any], init_sql: str, target: str) -> SessionFacts:
    """Set the time zone, run ``initSql``, and ask for the facts: in this order, so that it may change them."""
    if not init_sql:
        return _facts(connection, target, set_zone=_local_time_zone())
    _ask(connection, target, _SET_TIME_ZONE, [_local_time_zone()])
    run_init_sql(connection, init_sql)
    return _facts(connection, target, set_zone=None)


def _facts(connection: psycopg.Connection[Any], target: str, *, set_zone: str | None) -> SessionFacts:
    return _session_facts(connection, target, _ask(connection, target, _FACTS_QUERY, {"zone": set_zone}))


def _ask(
    connection: psycopg.Connection[Any], target: str, query: LiteralString, parameters: "Params"
) -> tuple[Any, ...] | None:
    try:
        return connection.execute(query, parameters).fetchone()
    except psycopg.Error as error:
        refusal = _setup_error(error, target)
    raise refusal


def _setup_error(error: psycopg.Error, target: str) -> errors.TaxiwayError:
    if isinstance(error, psycopg.OperationalError):
        return translate_connect_error(error, target=target, login=None)
    return error_of_ours(translate_error(error), doing=f"Setting up the session with {target}")


def _session_facts(connection: psycopg.Connection[Any], target: str, row: tuple[Any, ...] | None) -> SessionFacts:
    if row is None:  # pragma: no cover - a SELECT without FROM has one row
        raise errors.ConnectionFailed(f"{target} gave no answer to the first question.")
    time_zone, user, database, current_schema, search_path, version, version_num = row
    host = connection.info.host or "local socket"
    return SessionFacts(
        label=f"{host}:{connection.info.port}/{database}",
        user=user,
        database=database,
        # Flyway 13: without a current schema the raw search path is the name.
        current_schema=current_schema or search_path,
        search_path=search_path,
        server_version=version.partition(" ")[0],
        server_version_num=version_num,
        time_zone=time_zone,
        standard_strings=connection.info.parameter_status("standard_conforming_strings") != "off",
    )


def _local_time_zone() -> str:
    """The client's time zone as a name that PostgreSQL and :mod:`zoneinfo` know.

    Where there is none (``TZ=JST-9``) it is the zone of today's offset; those count whole hours only.
    """
    name = os.environ.get("TZ", "").removeprefix(":")
    try:
        return ZoneInfo(name).key if name else tzlocal.get_localzone_name()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # POSIX counts to the west: Etc/GMT-9 is nine hours ahead.
        hours, rest = divmod(datetime.now().astimezone().utcoffset() or timedelta(), timedelta(hours=1))
        return "UTC" if rest or not hours else f"Etc/GMT{-hours:+d}"


def _notice(diag: psycopg.errors.Diagnostic) -> NoticeReceived:
    return NoticeReceived(
        severity=diag.severity_nonlocalized or diag.severity or "NOTICE",
        message=diag.message_primary or "",
        sqlstate=diag.sqlstate or "00000",
    )
