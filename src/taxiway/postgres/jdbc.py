"""URLs and properties of PostgreSQL's Java driver, said in libpq's parameters.

The rules are those of pgjdbc 42.7.12, which Flyway 13 bundles: how a URL is taken apart (``Driver.parseURL``),
which properties there are (``PGProperty``), and what ``ssl`` means (``SslMode``). They differ from libpq's: there
is no user before the host, a plus sign is a blank, and a host that is left out is ``localhost`` and no socket.

Terminology:

property
    A name and a value, from the URL or from the setting ``jdbcProperties``. Host, port and database name of the
    URL are the properties ``PGHOST``, ``PGPORT`` and ``PGDBNAME``.
parameter
    What libpq calls the same: PostgreSQL manual, "Parameter Key Words".
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from taxiway import errors
from taxiway.nearest import find_nearest
from taxiway.secret import Secret, reveal

type Properties = dict[str, str | Secret]

# Flyway 13 hands these to the PostgreSQL driver, with a wrapper around it; the wrapper is of no use here.
_DRIVER: Final = re.compile(r"jdbc:(?:p6spy:|aws-wrapper:)?postgresql:")
_ANY_DRIVER: Final = re.compile(r"jdbc(?:-secretsmanager)?:", re.IGNORECASE)
# The names that Flyway's documentation has; whatever else stands there may be a secret in the wrong place.
_OTHER_DATABASE: Final = re.compile(
    r"jdbc:(?:p6spy:|aws-wrapper:)?(mysql|mariadb|sqlserver|oracle|sqlite|h2|db2|snowflake|redshift|mongodb|derby)[:+]"
)
_SECRETS_MANAGER: Final = "jdbc-secretsmanager:"

_HOW_TO_WRITE: Final = (
    "Write it as jdbc:postgresql://host:port/database?sslmode=verify-full, with %xx for special characters."
)
_GIVE_CREDENTIALS: Final = (
    "Give user and password by FLYWAY_USER and FLYWAY_PASSWORD, or let taxiway.toml find them: "
    'password = "${secret:NAME#password}".'
)
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
_HIGHEST_PORT: Final = 65535
_SECRET_PROPERTIES: Final = frozenset({"password", "sslpassword"})
# Names of the service file, which the driver takes in a URL too (PGPropertyUtil).
_ALIASES: Final = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDBNAME"}

# The same value under another name.
_RENAMED: Final = {
    "ApplicationName": "application_name",
    "channelBinding": "channel_binding",
    "gsslib": "gsslib",
    "kerberosServerName": "krbsrvname",
    "requireAuth": "require_auth",
    "service": "service",
    "sslcert": "sslcert",
    "sslkey": "sslkey",
    "sslNegotiation": "sslnegotiation",
    "sslpassword": "sslpassword",
    "sslrootcert": "sslrootcert",
}
# Another name, and for each value another one; None where libpq's default is the nearest.
_CHOICES: Final[Mapping[str, tuple[str, Mapping[str, str | None]]]] = {
    "gssEncMode": (
        "gssencmode",
        {"disable": "disable", "allow": None, "prefer": "prefer", "require": "require"},
    ),
    "loadBalanceHosts": ("load_balance_hosts", {"true": "random", "false": None}),
    "targetServerType": (
        "target_session_attrs",
        {
            "any": None,
            "primary": "primary",
            "master": "primary",
            "secondary": "standby",
            "slave": "standby",
            "preferSecondary": "prefer-standby",
            "preferSlave": "prefer-standby",
            # libpq has no such preference, and a server that only reads is of no use for migrations.
            "preferPrimary": "primary",
        },
    ),
    "tcpKeepAlive": ("keepalives", {"true": "1", "false": "0"}),
}
_SSL_MODES: Final = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
_LIBPQ_FACTORY: Final = re.compile(r"org\.postgresql\.ssl\.(?:jdbc4\.)?LibPQFactory")
_NON_VALIDATING_FACTORY: Final = "org.postgresql.ssl.NonValidatingFactory"
_PKCS_12: Final = (".p12", ".pfx")

# Plugins of the AWS wrapper that bring user and password.
_AUTHENTICATING_PLUGINS: Final = frozenset({"iam", "awsSecretsManager", "federatedAuth", "okta"})

# Names with a meaning that the functions below know.
_OWN_RULE: Final = frozenset(
    {
        "user",
        "password",
        "PGHOST",
        "PGPORT",
        "PGDBNAME",
        "authenticationPluginClassName",
        "connectTimeout",
        "currentSchema",
        "loginTimeout",
        "options",
        "queryTimeout",
        "readOnly",
        "socketFactory",
        "socketTimeout",
        "ssl",
        "sslfactory",
        "sslmode",
        "wrapperPlugins",
    }
)
# Names that tell the driver how to be a driver, or Java how to be Java; here they mean nothing.
_WITHOUT_MEANING: Final = """
    adaptiveFetch adaptiveFetchMaximum adaptiveFetchMinimum allowEncodingChanges assumeMinServerVersion autosave
    binaryTransfer binaryTransferDisable binaryTransferEnable cancelSignalTimeout cleanupSavepoints
    convertBooleanToNumeric databaseMetadataCacheFields databaseMetadataCacheFieldsMiB defaultRowFetchSize
    disableColumnSanitiser escapeSyntaxCallMode groupStartupParameters gssResponseTimeout gssUseDefaultCreds
    hideUnprivilegedObjects hostRecheckSeconds jaasApplicationName jaasLogin localSocketAddress
    logServerErrorDetail logUnclosedConnections loggerFile loggerLevel maxResultBuffer maxSendBufferSize
    pemKeyAlgorithm preferQueryMode prepareThreshold preparedStatementCacheQueries preparedStatementCacheSizeMiB
    protocolVersion quoteReturningIdentifiers reWriteBatchedInserts readOnlyMode receiveBufferSize replication
    scramMaxIterations sendBufferSize socketFactoryArg sslResponseTimeout sslfactoryarg sslhostnameverifier
    sslpasswordcallback sspiServiceClass stringtype tcpNoDelay unknownLength useSpnego xmlFactoryFactory
"""
KNOWN_PROPERTIES: Final = frozenset({*_OWN_RULE, *_RENAMED, *_CHOICES, *_WITHOUT_MEANING.split()})
"""Every property that means something to the driver (pgjdbc 42.7.12, ``PGProperty``) or to us."""

# Without one of these the connection would be less safe than was asked for.
_SECURITY: Final = frozenset(
    {name for name in KNOWN_PROPERTIES if name.startswith("ssl")} | {"channelBinding", "gssEncMode", "requireAuth"}
)
_SPEAKS_OF_TLS: Final = re.compile("ssl|tls", re.IGNORECASE)


class Translation(NamedTuple):
    """What libpq is to be told, and the names of the properties that nobody knows."""

    parameters: Mapping[str, str | Secret]
    user: str | None
    password: Secret | None
    unknown: tuple[str, ...]


def is_jdbc_url(text: str) -> bool:
    """Whether this is a URL of a Java driver, if only by its beginning."""
    return bool(_ANY_DRIVER.match(text))


def read_url(url: str) -> Properties | errors.ConfigError:
    """The properties that a JDBC URL says, or why it cannot be used.

    The error is not raised, since the frames here hold the URL, which may hold a password. Nor does a message show
    a part of it: a password that is not percent-encoded may stand anywhere.
    """
    found = _DRIVER.match(url)
    if not found:
        return _not_ours(url)
    server, _, arguments = url[found.end() :].partition("?")
    try:
        return _read_server(server) | _read_arguments(arguments)
    except ValueError as error:
        reason = str(error)
    return errors.InvalidOption(f"The JDBC URL cannot be understood: {reason}.", hint=_HOW_TO_WRITE)


def translate(properties: Mapping[str, str | Secret]) -> Translation:
    """Properties as libpq's parameters, names with their letters as the driver has them.

    Raises:
        InvalidOption: A value that the driver does not take either.
        UnsupportedOption: A class of Java, or a file, that libpq cannot use.
        UnknownOption: A misspelt property that has to do with security.
    """
    unknown = tuple(name for name in properties if name not in KNOWN_PROPERTIES)
    _refuse_misspelt_security(unknown)
    _refuse_java(properties)
    parameters: Properties = {
        _RENAMED[name]: value for name, value in properties.items() if name in _RENAMED and reveal(value)
    }
    parameters |= _addresses(properties) | _choices(properties) | _encryption(properties)
    parameters |= _timeouts(properties) | _options(properties)
    user, password = reveal(properties.get("user", "")), properties.get("password", "")
    return Translation(
        parameters=parameters,
        user=user or None,
        password=_secret(password) if password else None,
        unknown=unknown,
    )


def with_defaults(translation: Translation) -> dict[str, str | Secret]:
    """The parameters with the driver's defaults: the local host by TCP, and a database of the user's name.

    A service file comes before the defaults, so with one they are left to libpq.
    """
    if "service" in translation.parameters:
        return dict(translation.parameters)
    defaults: Properties = {"host": "localhost", "port": "5432"}
    if translation.user:
        defaults["dbname"] = translation.user
    return defaults | dict(translation.parameters)


# --- the URL ---


def _not_ours(url: str) -> errors.ConfigError:
    if url.startswith(_SECRETS_MANAGER):
        return errors.UnsupportedOption(
            "The database URL wants Java's driver of AWS Secrets Manager to find the password.",
            hint="Write jdbc:postgresql: for jdbc-secretsmanager:postgresql:, and in taxiway.toml "
            'password = "${secret:NAME#password}".',
        )
    if other := _OTHER_DATABASE.match(url):
        return errors.InvalidOption(
            f"The database URL is one of {other[1]}, and only PostgreSQL is supported.", hint=_HOW_TO_WRITE
        )
    return errors.InvalidOption("The database URL is not one of PostgreSQL's Java driver.", hint=_HOW_TO_WRITE)


def _read_server(server: str) -> Properties:
    """Host, port and database name, as far as they are said."""
    if server in {"//", "///", ""}:
        return {}
    if not server.startswith("/"):
        return {"PGDBNAME": _decoded(server)}
    addresses, slash, name = server.removeprefix("//").partition("/")
    if not server.startswith("//") or not slash:
        raise ValueError("a slash is to stand behind the host and port")
    if "/" in name:
        raise ValueError("it has too many slashes")
    if "@" in addresses:
        raise ValueError("a user before the host is for postgresql:// URLs only; use ?user=, or FLYWAY_USER")
    hosts, ports = zip(*map(_read_address, addresses.rstrip(",").split(",")), strict=True)
    database: Properties = {"PGDBNAME": _decoded(name)} if name else {}
    return database | {"PGHOST": ",".join(hosts), "PGPORT": ",".join(ports)}


def _read_address(address: str) -> tuple[str, str]:
    host, colon, port = address.rpartition(":")
    if not colon or "]" in port:
        return address or "localhost", "5432"
    if not _PORT.fullmatch(port) or not 0 < int(port) <= _HIGHEST_PORT:
        raise ValueError(f"a port is not a number from 1 to {_HIGHEST_PORT}")
    return host or "localhost", port


def _read_arguments(arguments: str) -> Properties:
    read: Properties = {}
    for argument in filter(None, arguments.split("&")):
        name, _, value = argument.partition("=")
        name = _ALIASES.get(name, name)
        read[name] = _secret(_decoded(value)) if name in _SECRET_PROPERTIES else _decoded(value)
    return read


def _decoded(text: str) -> str:
    if _BROKEN_ESCAPE.search(text):
        raise ValueError("a percent sign is not followed by two hexadecimal digits")
    from urllib.parse import unquote_plus

    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        # Python's words would show the bytes.
        raise ValueError("what is percent-encoded is not UTF-8") from None


# --- the properties ---


def _secret(value: str | Secret) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _text(properties: Mapping[str, str | Secret], name: str) -> str:
    return reveal(properties.get(name, ""))


def _is_true(properties: Mapping[str, str | Secret], name: str) -> bool:
    return _text(properties, name).lower() == "true"


def _refuse_misspelt_security(unknown: Iterable[str]) -> None:
    """Refuse what the driver would ignore, if somebody may believe that the connection is safe because of it."""
    for name in unknown:
        nearest = find_nearest(name, KNOWN_PROPERTIES)
        if nearest in _SECURITY:
            raise errors.UnknownOption(name, origin="The JDBC properties", nearest=nearest)
        if not nearest and _SPEAKS_OF_TLS.search(name):
            # Not shown: a name that resembles none may be what follows the & of a password.
            raise errors.InvalidOption(
                "A JDBC property speaks of SSL or TLS in its name, and PostgreSQL's driver has none of that name.",
                hint="Say it with sslmode: disable, prefer, require, verify-ca or verify-full.",
            )


def _refuse_java(properties: Mapping[str, str | Secret]) -> None:
    """Refuse what only a class of Java can do, where going on without it would fail later or check less."""
    if _text(properties, "socketFactory"):
        raise _unsupported(
            "socketFactory", "Connect to a proxy, or through a tunnel, and give its host and port in the URL."
        )
    if _text(properties, "authenticationPluginClassName"):
        raise _unsupported("authenticationPluginClassName", _GIVE_CREDENTIALS)
    if _AUTHENTICATING_PLUGINS & set(re.split(r"[,\s]+", _text(properties, "wrapperPlugins"))):
        raise _unsupported("wrapperPlugins", _GIVE_CREDENTIALS)
    factory = _text(properties, "sslfactory")
    if factory and factory != _NON_VALIDATING_FACTORY and not _LIBPQ_FACTORY.fullmatch(factory):
        raise _unsupported(
            "sslfactory", "Say whom to trust with sslmode=verify-full and sslrootcert (a PEM file, or 'system')."
        )
    if _text(properties, "sslkey").endswith(_PKCS_12):
        raise errors.UnsupportedOption(
            "The JDBC property 'sslkey' names a PKCS-12 file, and libpq reads PEM and DER.",
            hint="Take it apart with 'openssl pkcs12 -nocerts -in FILE -out key.pem' and "
            "'openssl pkcs12 -clcerts -nokeys -in FILE -out certificate.pem'; name them in sslkey and sslcert.",
        )


def _unsupported(name: str, hint: str) -> errors.UnsupportedOption:
    return errors.UnsupportedOption(f"The JDBC property '{name}' names a class of Java.", hint=hint)


def _invalid(name: str, expected: str) -> errors.InvalidOption:
    return errors.InvalidOption(
        f"The JDBC property '{name}' has a value that it cannot have.", hint=f"Use {expected}."
    )


def _addresses(properties: Mapping[str, str | Secret]) -> Properties:
    hosts = (host.removeprefix("[").removesuffix("]") for host in _text(properties, "PGHOST").split(","))
    given = {
        "host": ",".join(hosts),
        "port": _text(properties, "PGPORT"),
        "dbname": _text(properties, "PGDBNAME"),
    }
    return {name: value for name, value in given.items() if value}


def _choices(properties: Mapping[str, str | Secret]) -> Properties:
    chosen: Properties = {}
    for name, (parameter, values) in _CHOICES.items():
        if value := _text(properties, name):
            if value not in values:
                raise _invalid(name, f"one of {', '.join(values)}")
            if (ours := values[value]) is not None:
                chosen[parameter] = ours
    return chosen


def _encryption(properties: Mapping[str, str | Secret]) -> Properties:
    """``sslmode``; else what ``ssl`` implies, which counts as true if it has no value."""
    if mode := _text(properties, "sslmode").lower():
        if mode not in _SSL_MODES:
            raise _invalid("sslmode", f"one of {', '.join(sorted(_SSL_MODES))}")
        return {"sslmode": mode}
    if "ssl" not in properties or _text(properties, "ssl").lower() not in {"", "true"}:
        return {}
    validates = _text(properties, "sslfactory") != _NON_VALIDATING_FACTORY
    return {"sslmode": "verify-full" if validates else "require"}


def _timeouts(properties: Mapping[str, str | Secret]) -> Properties:
    """Of libpq there is one time limit for connecting and logging in, for each host."""
    timeouts: Properties = {}
    login, connect = _seconds(properties, "loginTimeout"), _seconds(properties, "connectTimeout")
    if (limit := login or connect) is not None:
        timeouts["connect_timeout"] = str(limit)
    if silence := _seconds(properties, "socketTimeout"):
        timeouts["tcp_user_timeout"] = str(silence * 1000)
    return timeouts


def _seconds(properties: Mapping[str, str | Secret], name: str) -> int | None:
    text = _text(properties, name)
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,7}(?:\.[0-9]{1,9})?", text, re.ASCII):
        raise _invalid(name, "a number of seconds")
    return math.ceil(float(text))


def _options(properties: Mapping[str, str | Secret]) -> Properties:
    """Settings of the session. Ours come last, as with the driver, so that they win over ``options``."""
    options = [_text(properties, "options")]
    if "currentSchema" in properties:
        options.append(f"-c search_path={_escaped(_text(properties, 'currentSchema'))}")
    if _is_true(properties, "readOnly"):
        options.append("-c default_transaction_read_only=on")
    if limit := _seconds(properties, "queryTimeout"):
        options.append(f"-c statement_timeout={limit}s")
    said = " ".join(filter(None, options))
    return {"options": said} if said else {}


def _escaped(value: str) -> str:
    """As libpq's ``options`` have it: a backslash before each blank and backslash."""
    return re.sub(r"([\s\\])", r"\\\1", value)
