"""What a database URL says, and what becomes of it: parameters of libpq, a user and a password."""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from taxiway import errors
from taxiway.model.settings import DatabaseSettings
from taxiway.nearest import find_nearest
from taxiway.postgres import jdbc
from taxiway.postgres.libpq.conninfo import known_parameters, parse_conninfo
from taxiway.secret import Secret, reveal

# The beginning of a URL as libpq reads it: the user information ends at the first "@" before any "/".
_ADDRESS: Final = re.compile(r"postgres(?:ql)?://(?:(?P<user>[^@/]*)@)?(?P<rest>[^?]*)")
_PARAMETER_IN_USER: Final = re.compile(r"\?\w+=")
# Several hosts have several ports. In a URL without a host, the password is what libpq takes for the port.
_PORTS: Final = re.compile(r"[0-9, ]*")
_UNKNOWN_PARAMETER: Final = re.compile(r'invalid (?:URI query parameter: |connection option )"([^"]*)"')
_HOW_TO_WRITE_A_URL: Final = "Write it as postgresql://user@host:port/database?sslmode=verify-full."

_VARIABLES: Final[Mapping[str, str]] = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "service": "PGSERVICE",
}
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
    if settings.parameters.get("host") and "hostaddr" in parts:
        # The address of another host: whoever says the host says where the passwords go.
        del parts["hostaddr"]
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


def with_address(settings: DatabaseSettings, address: Mapping[str, str]) -> DatabaseSettings:
    """The settings, taken apart before, with what they and libpq's variables lack of host, port and ``dbname``.

    A port goes with its host: that of another host says nothing.

    Raises:
        MissingOption: There is no host, neither there nor here.
    """
    if settings.parameters.get("service") or os.environ.get("PGSERVICE"):
        return settings
    said = {name: _find(settings.parameters, name) for name in _VARIABLES}
    lacking = {name: value for name, value in address.items() if not said[name]}
    if said["host"] and said["host"] != address.get("host"):
        lacking.pop("port", None)
    parameters = {**settings.parameters, **lacking}
    if not _find(parameters, "host") and not _find(parameters, "hostaddr"):
        raise errors.MissingOption(
            f"Secret '{settings.secret}' has no key 'host', and no host is set.",
            hint="Set host beside it (--host, DB_HOST, [database] in taxiway.toml).",
        )
    return replace(settings, parameters=parameters)


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
        references={name: one for name, one in settings.references.items() if not said.get(name)},
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
        parts = parse_conninfo(url)
    except ValueError as error:
        return _not_understood(str(error))
    if _PORTS.fullmatch(parts.get("port", "")):
        return {key: Secret(value) if key in _SECRET_PARAMETERS else value for key, value in parts.items()}
    return errors.InvalidOption("The port in the database URL is not a number.", hint=_HOW_TO_WRITE_A_URL)


def _not_understood(words: str) -> errors.ConfigError:
    """A name is shown only if it resembles one that exists: it may be what follows the ``?`` of a password."""
    found = _UNKNOWN_PARAMETER.search(words)
    if found and (nearest := find_nearest(found[1], known_parameters())):
        return errors.UnknownOption(found[1], origin="The database URL", nearest=nearest)
    return errors.InvalidOption("The database URL cannot be understood by libpq.", hint=_HOW_TO_WRITE_A_URL)


def url_for_programs(given: DatabaseSettings, parsed: DatabaseSettings) -> str | Secret:
    """A URL for programs that are to reach the same database, from the settings and what :func:`parse_url` made.

    A JDBC URL stays as it was given (Flyway 13). Else it is one of libpq's with all that is not confidential, or
    empty if only libpq's own variables say where the database is.
    """
    from urllib.parse import quote, urlencode

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
        encoded = quote(host, safe=":")
        address = f"[{encoded}]" if ":" in host else encoded
        address += f":{port}" if port else ""
    user = f"{quote(parsed.user, safe='')}@" if parsed.user else ""
    query = urlencode({name: value for name, value in parts.items() if value}, quote_via=quote)
    return f"postgresql://{user}{address}/{quote(database, safe='')}" + (f"?{query}" if query else "")


def _is_ambiguous(url: str) -> bool:
    """Whether libpq ends the user information elsewhere than a reader of the URL would."""
    address = _ADDRESS.match(url)
    return bool(address and ("@" in address["rest"] or _PARAMETER_IN_USER.search(address["user"] or "")))


def describe_target(parameters: Mapping[str, str | Secret]) -> str:
    """``host:port/database`` as libpq will use them, its environment variables included.

    Where the host is not looked up, it is ``host at address:port/database``.
    """
    name, address = reveal(parameters.get("host", "")), _find(parameters, "hostaddr")
    if not (name or parameters.get("hostaddr")) and (service := _find(parameters, "service")):
        return f"service {service}"
    name = name or os.environ.get("PGHOST", "")
    host = f"{name} at {address}" if name and address else name or address or "local socket"
    return f"{host}:{_find(parameters, 'port') or '5432'}/{_find(parameters, 'dbname')}".rstrip("/")


def _find(parameters: Mapping[str, str | Secret], name: str) -> str:
    """A parameter, or what libpq's variable says of it."""
    return reveal(parameters.get(name, "")) or os.environ.get(_VARIABLES[name], "")
