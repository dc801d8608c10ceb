"""Opening a database session: parameters, retries, session settings.

Rules that come from Flyway 13: the session's time zone is the client's, because ``installed_on`` is stored without
one; retries wait 1, 2, 4… seconds. A wrong password or database name is not retried: it does not get better.

An error raised here has no context, and no frame in its traceback has a variable that holds a password: programs
that report errors send both. So errors are raised outside of ``except``, and passwords are revealed in calls that
have returned by then.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg
import tzlocal
from psycopg.conninfo import conninfo_to_dict

from taxiway import errors
from taxiway.engine.ports import Clock, SessionFacts
from taxiway.model.event import NoticeReceived
from taxiway.model.settings import DatabaseSettings
from taxiway.postgres.errors import error_of_ours, translate_connect_error, translate_error
from taxiway.postgres.session import PostgresSession
from taxiway.secret import Secret, reveal

# libpq waits for ever by default. Keepalives find a peer that is gone within about a minute.
_DEFAULTS: Final[Mapping[str, str]] = {
    "application_name": "taxiway",
    "connect_timeout": "15",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}

# One round trip for all that the engine wants to know, and the time zone set on the way.
_FACTS_QUERY: Final = """
SELECT pg_catalog.set_config('TimeZone', %s, false),
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
    r"could not match \d+ |weak sslmode |invalid SSL protocol version range|definition of service |invalid SCRAM "
    r"|unrecognized configuration parameter "
)


def parse_url(settings: DatabaseSettings) -> DatabaseSettings:
    """Take the URL apart, so that nothing but parameters and a password of type Secret is left.

    Explicit user, password and parameters win over those in the URL.

    Raises:
        InvalidOption: The URL is not one that libpq understands. It is not shown: it may hold a password.
    """
    if not settings.url:
        return settings
    parts = _take_apart(reveal(settings.url))
    if isinstance(parts, errors.InvalidOption):
        raise parts
    password = parts.pop("password", None)
    user = parts.pop("user", None)
    return replace(
        settings,
        url="",
        user=settings.user or user,
        password=settings.password or (Secret(password) if password else None),
        parameters=parts | dict(settings.parameters),
    )


def _take_apart(url: str) -> dict[str, str] | errors.InvalidOption:
    """The libpq parameters of a URL, or why it has none: not raised, since this frame holds the password."""
    if url.startswith("jdbc:"):
        return errors.InvalidOption(
            "The database URL is a JDBC URL.", hint="Write it as postgresql://host:port/database."
        )
    if _is_ambiguous(url):
        return errors.InvalidOption(
            "The database URL has an '@', '/' or '?' that is not percent-encoded, "
            "so that the password could be taken for the host.",
            hint="Write %40 for @, %2F for / and %3F for ? in user, password and database name, "
            "or give the password by FLYWAY_PASSWORD.",
        )
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.Error:
        return errors.InvalidOption("The database URL cannot be understood by libpq.", hint=_HOW_TO_WRITE_A_URL)
    if _PORTS.fullmatch(parts.get("port", "")):
        return parts
    return errors.InvalidOption("The port in the database URL is not a number.", hint=_HOW_TO_WRITE_A_URL)


def _is_ambiguous(url: str) -> bool:
    """Whether libpq ends the user information elsewhere than a reader of the URL would."""
    address = _ADDRESS.match(url)
    return bool(address and ("@" in address["rest"] or _PARAMETER_IN_USER.search(address["user"] or "")))


def describe_target(parameters: Mapping[str, str]) -> str:
    """``host:port/database`` as libpq will use them, its environment variables included."""
    host = parameters.get("host") or parameters.get("hostaddr") or os.environ.get("PGHOST") or "local socket"
    port = parameters.get("port") or os.environ.get("PGPORT") or "5432"
    name = parameters.get("dbname") or os.environ.get("PGDATABASE") or ""
    return f"{host}:{port}/{name}".rstrip("/")


def open_session(
    settings: DatabaseSettings, *, clock: Clock, on_notice: Callable[[NoticeReceived], None]
) -> PostgresSession:
    """Connect, with the retries that the settings ask for, and ask the server for the facts.

    Raises:
        InvalidOption: The URL cannot be understood, or a parameter has a value that libpq does not accept.
        ConnectionFailed: Nobody answered, after all retries.
        AuthenticationFailed, DatabaseNotFound, CertificateRejected: At once, without a retry.
    """
    settings = parse_url(settings)
    target = describe_target(settings.parameters)
    waits = (
        min(2**attempt, settings.connect_retries_interval_seconds) for attempt in range(settings.connect_retries)
    )
    while True:
        try:
            connection = _connect(settings, target)
            break
        except errors.ConnectionFailed:
            wait = next(waits, None)
            if wait is None:
                raise
            clock.sleep(wait)
    connection.add_notice_handler(lambda diag: on_notice(_notice(diag)))
    try:
        return PostgresSession(connection, _facts(connection, target))
    except BaseException:
        connection.close()
        raise


def _connect(settings: DatabaseSettings, target: str) -> psycopg.Connection[Any]:
    try:
        return psycopg.connect("", autocommit=True, prepare_threshold=None, **_parameters(settings))
    except psycopg.Error as error:
        refusal = _refusal(error, settings, target)
    raise refusal


def _parameters(settings: DatabaseSettings) -> dict[str, Any]:
    given: dict[str, Any] = dict(_DEFAULTS) | dict(settings.parameters)
    if settings.user:
        given["user"] = settings.user
    if settings.password:
        given["password"] = settings.password.reveal()
    return given | {"client_encoding": "UTF8"}


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
    return translate_connect_error(error, target=target, user=settings.user)


def _facts(connection: psycopg.Connection[Any], target: str) -> SessionFacts:
    try:
        row = connection.execute(_FACTS_QUERY, [_local_time_zone()]).fetchone()
    except psycopg.Error as error:
        refusal = _setup_error(error, target)
    else:
        return _session_facts(connection, target, row)
    raise refusal


def _setup_error(error: psycopg.Error, target: str) -> errors.TaxiwayError:
    if isinstance(error, psycopg.OperationalError):
        return translate_connect_error(error, target=target, user=None)
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
