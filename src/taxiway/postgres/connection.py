"""Opening a database session: parameters, retries, session settings.

Rules that come from Flyway 13: the session's time zone is the client's, because ``installed_on`` is stored without
one; retries wait 1, 2, 4… seconds. A wrong password or database name is not retried: it does not get better.
"""

import os
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


def parse_url(settings: DatabaseSettings) -> DatabaseSettings:
    """Take the URL apart, so that nothing but parameters and a password of type Secret is left.

    Explicit user, password and parameters win over those in the URL.

    Raises:
        InvalidOption: The URL is not one that libpq understands. It is not shown: it may hold a password.
    """
    text = reveal(settings.url)
    if not text:
        return settings
    if text.startswith("jdbc:"):
        raise errors.InvalidOption(
            "The database URL is a JDBC URL.", hint="Write it as postgresql://host:port/database."
        )
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(text).items() if value is not None}
    except psycopg.Error:
        raise errors.InvalidOption(
            "The database URL cannot be understood by libpq.",
            hint="Write it as postgresql://host:port/database?sslmode=verify-full.",
        ) from None
    password = parts.pop("password", None)
    user = parts.pop("user", None)
    return replace(
        settings,
        url="",
        user=settings.user or user,
        password=settings.password or (Secret(password) if password else None),
        parameters=parts | dict(settings.parameters),
    )


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
        InvalidOption: The URL cannot be understood.
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
    given: dict[str, Any] = dict(_DEFAULTS) | dict(settings.parameters)
    if settings.user:
        given["user"] = settings.user
    if settings.password:
        given["password"] = settings.password.reveal()
    try:
        return psycopg.connect("", autocommit=True, prepare_threshold=None, client_encoding="UTF8", **given)
    except psycopg.ProgrammingError as error:
        raise errors.InvalidOption(
            f"libpq does not accept the connection parameters: {error}",
            hint="Check the parameters of the database URL.",
        ) from None
    except psycopg.OperationalError as error:
        # "from None": the exception's frames hold the parameters, password included.
        raise translate_connect_error(error, target=target, user=settings.user) from None


def _facts(connection: psycopg.Connection[Any], target: str) -> SessionFacts:
    try:
        row = connection.execute(_FACTS_QUERY, [_local_time_zone()]).fetchone()
    except psycopg.OperationalError as error:
        raise translate_connect_error(error, target=target, user=None) from None
    except psycopg.Error as error:
        raise error_of_ours(translate_error(error), doing=f"Setting up the session with {target}") from None
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
