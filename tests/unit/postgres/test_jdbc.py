"""JDBC URLs mean what Java's driver takes them for; the expectations were seen with pgjdbc 42.7.12."""

from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taxiway import errors
from taxiway.postgres.jdbc import (
    KNOWN_PROPERTIES,
    Properties,
    Translation,
    is_jdbc_url,
    read_url,
    translate,
    with_defaults,
)
from taxiway.secret import Secret


def read(url: str) -> Properties:
    properties = read_url(url)
    assert isinstance(properties, dict), properties
    return properties


def translated(arguments: str) -> Translation:
    return translate(read(f"jdbc:postgresql://h/d?{arguments}"))


def parameters(arguments: str) -> dict[str, str | Secret]:
    """The parameters that these arguments add to a URL."""
    found = dict(translated(arguments).parameters)
    assert (found.pop("host"), found.pop("port"), found.pop("dbname")) == ("h", "5432", "d")
    return found


@pytest.mark.parametrize(
    ("rest", "host", "port", "name"),
    [
        ("db", "localhost", "5432", "db"),
        ("", "localhost", "5432", None),
        ("//", "localhost", "5432", None),
        ("///", "localhost", "5432", None),
        ("///db", "localhost", "5432", "db"),
        ("//host/", "host", "5432", None),
        ("//host/db", "host", "5432", "db"),
        ("//host:5433/db", "host", "5433", "db"),
        ("//:5433/db", "localhost", "5433", "db"),
        ("//h1:1,h2:2,h3/db", "h1,h2,h3", "1,2,5432", "db"),
        ("//h1,/db", "h1", "5432", "db"),
        ("//[::1]:5433/db", "::1", "5433", "db"),
        ("//[::1]/db", "::1", "5432", "db"),
        ("//?k=v", "localhost", "5432", None),
        ("?k=v", "localhost", "5432", None),
        ("//h/d%20b", "h", "5432", "d b"),
        ("//h/d+b", "h", "5432", "d b"),
        ("//h/db#x;y=1", "h", "5432", "db#x;y=1"),
        ("//h/db?host=other&port=99&dbname=x", "other", "99", "x"),
        ("//h/db?PGHOST=other&PGPORT=99&PGDBNAME=x", "other", "99", "x"),
        ("//?host=other&&", "other", "5432", None),
    ],
)
@pytest.mark.parametrize("driver", ["jdbc:postgresql:", "jdbc:p6spy:postgresql:", "jdbc:aws-wrapper:postgresql:"])
def test_a_url_names_host_port_and_database(
    driver: str, rest: str, host: str, port: str, name: str | None
) -> None:
    found = with_defaults(translate(read(driver + rest)))
    assert (found["host"], found["port"], found.get("dbname")) == (host, port, name)


@pytest.mark.parametrize(
    "url",
    [
        "jdbc:postgresql:/",
        "jdbc:postgresql:/db",
        "jdbc:postgresql://host",
        "jdbc:postgresql://host?a=/b",
        "jdbc:postgresql://host:/db",
        "jdbc:postgresql://host:70000/db",
        "jdbc:postgresql://host:0/db",
        "jdbc:postgresql://host:abc/db",
        "jdbc:postgresql://host:-1/db",
        "jdbc:postgresql://user:hunter2@host/db",
        "jdbc:postgresql://user:hunter2@host:5432/db",
        "jdbc:postgresql://user@host/db",
        "jdbc:postgresql://h/a/b",
        "jdbc:postgresql://h/db?password=hunter2%zz",
        "jdbc:postgresql://h/db?password=hunter2%",
        "jdbc:postgresql://h/db?password=hunter2%ff",
        "JDBC:postgresql://h/db",
        "jdbc:mysql://h/db?password=hunter2",
        "jdbc:tc:postgresql:15:///db",
        "jdbc:",
    ],
)
def test_what_is_no_url_of_the_driver_is_refused_without_showing_it(url: str) -> None:
    assert is_jdbc_url(url)
    refusal = read_url(url)
    assert type(refusal) is errors.InvalidOption
    assert refusal.hint
    shown = f"{refusal!r} {refusal.hint} {vars(refusal)}"
    assert "hunter2" not in shown
    assert (refusal.__cause__, refusal.__context__, refusal.__traceback__) == (None, None, None)


@pytest.mark.parametrize(
    ("url", "name"),
    [("jdbc:mysql://h/db", "mysql"), ("jdbc:oracle:thin:@h:1521/x", "oracle"), ("jdbc:p6spy:h2:mem:x", "h2")],
)
def test_another_database_is_refused_by_its_name(url: str, name: str) -> None:
    refusal = read_url(url)
    assert isinstance(refusal, errors.InvalidOption)
    assert refusal.message == f"The database URL is one of {name}, and only PostgreSQL is supported."


def test_the_secrets_manager_of_the_driver_is_refused_with_ours_as_the_way() -> None:
    refusal = read_url("jdbc-secretsmanager:postgresql://h/db")
    assert type(refusal) is errors.UnsupportedOption
    assert "${secret:NAME#password}" in (refusal.hint or "")


def test_a_url_of_libpq_is_none_of_java() -> None:
    assert not any(map(is_jdbc_url, ["postgresql://h/db", "host=jdbc:", "", "service=jdbc"]))


@pytest.mark.parametrize(
    ("arguments", "user", "password"),
    [
        ("user=a%40b&password=x+y%2Bz", "a@b", "x y+z"),
        ("user=a&user=b", "b", None),
        ("password=a=b", None, "a=b"),
        ("password=a?b", None, "a?b"),
        ("user=&password=", None, None),
        ("p%61ssword=x", None, None),
    ],
)
def test_user_and_password_are_decoded_as_by_java(arguments: str, user: str | None, password: str | None) -> None:
    found = translated(arguments)
    assert found.user == user
    assert (found.password and found.password.reveal()) == password
    assert parameters(arguments) == {}


def test_passwords_are_secrets_from_the_start() -> None:
    found = read("jdbc:postgresql://h/d?password=hunter2&sslpassword=hunter3")
    assert "hunter" not in repr(found)
    assert "hunter" not in repr(translate(found))
    assert translate(found).parameters["sslpassword"] == Secret("hunter3")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("ssl", {"sslmode": "verify-full"}),
        ("ssl=", {"sslmode": "verify-full"}),
        ("ssl=TRUE", {"sslmode": "verify-full"}),
        ("ssl=false", {}),
        ("ssl=true&sslmode=require", {"sslmode": "require"}),
        ("sslmode=Verify-CA", {"sslmode": "verify-ca"}),
        ("ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory", {"sslmode": "require"}),
        (
            "sslmode=verify-full&sslfactory=org.postgresql.ssl.NonValidatingFactory",
            {"sslmode": "verify-full"},
        ),
        ("sslfactory=org.postgresql.ssl.jdbc4.LibPQFactory", {}),
        (
            "sslcert=c.pem&sslkey=k.pk8&sslrootcert=r.pem",
            {"sslcert": "c.pem", "sslkey": "k.pk8", "sslrootcert": "r.pem"},
        ),
        ("sslrootcert=", {}),
        (
            "channelBinding=require&sslNegotiation=direct",
            {"channel_binding": "require", "sslnegotiation": "direct"},
        ),
        ("requireAuth=scram-sha-256", {"require_auth": "scram-sha-256"}),
        ("gssEncMode=allow", {}),
        (
            "gssEncMode=disable&gsslib=gssapi&kerberosServerName=x",
            {"gssencmode": "disable", "gsslib": "gssapi", "krbsrvname": "x"},
        ),
        ("currentSchema=a,b", {"options": "-c search_path=a,b"}),
        ("currentSchema=%22My+s%5C%22,b", {"options": '-c search_path="My\\ s\\\\",b'}),
        ("options=-c%20geqo=off&currentSchema=a", {"options": "-c geqo=off -c search_path=a"}),
        (
            "readOnly=true&queryTimeout=30",
            {"options": "-c default_transaction_read_only=on -c statement_timeout=30s"},
        ),
        ("readOnly=false&queryTimeout=0", {}),
        ("ApplicationName=x+y", {"application_name": "x y"}),
        ("connectTimeout=7", {"connect_timeout": "7"}),
        ("loginTimeout=2.5&connectTimeout=7", {"connect_timeout": "3"}),
        ("loginTimeout=0&connectTimeout=7", {"connect_timeout": "7"}),
        ("connectTimeout=0", {"connect_timeout": "0"}),
        ("socketTimeout=30&tcpKeepAlive=true", {"tcp_user_timeout": "30000", "keepalives": "1"}),
        ("socketTimeout=0&tcpKeepAlive=false", {"keepalives": "0"}),
        ("targetServerType=any", {}),
        ("targetServerType=primary", {"target_session_attrs": "primary"}),
        ("targetServerType=master", {"target_session_attrs": "primary"}),
        ("targetServerType=secondary", {"target_session_attrs": "standby"}),
        ("targetServerType=preferSecondary", {"target_session_attrs": "prefer-standby"}),
        ("targetServerType=preferPrimary", {"target_session_attrs": "primary"}),
        ("loadBalanceHosts=true", {"load_balance_hosts": "random"}),
        ("service=mine", {"service": "mine"}),
        ("stringtype=unspecified&prepareThreshold=0&preferQueryMode=simple&reWriteBatchedInserts=true", {}),
        ("tcpNoDelay&loggerLevel=DEBUG&hostRecheckSeconds=2", {}),
        ("wrapperPlugins=failover,efm", {}),
    ],
)
def test_a_property_becomes_its_parameter(arguments: str, expected: dict[str, str]) -> None:
    assert parameters(arguments) == expected
    assert translated(arguments).unknown == ()


@pytest.mark.parametrize(
    ("arguments", "cls", "name"),
    [
        ("sslmode=hunter2", errors.InvalidOption, "sslmode"),
        ("gssEncMode=hunter2", errors.InvalidOption, "gssEncMode"),
        ("targetServerType=PRIMARY", errors.InvalidOption, "targetServerType"),
        ("connectTimeout=hunter2", errors.InvalidOption, "connectTimeout"),
        ("loginTimeout=-1", errors.InvalidOption, "loginTimeout"),
        ("socketTimeout=1s", errors.InvalidOption, "socketTimeout"),
        ("sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory", errors.UnsupportedOption, "sslfactory"),
        ("socketFactory=com.google.cloud.sql.postgres.SocketFactory", errors.UnsupportedOption, "socketFactory"),
        ("authenticationPluginClassName=a.B", errors.UnsupportedOption, "authenticationPluginClassName"),
        ("wrapperPlugins=failover,%20iam", errors.UnsupportedOption, "wrapperPlugins"),
        ("sslkey=/keys/hunter2.p12", errors.UnsupportedOption, "sslkey"),
        ("sslkey=/keys/hunter2.pfx", errors.UnsupportedOption, "sslkey"),
    ],
)
def test_what_libpq_cannot_do_is_refused(arguments: str, cls: type[errors.ConfigError], name: str) -> None:
    with pytest.raises(errors.ConfigError, match=f"'{name}'") as caught:
        translated(arguments)
    assert type(caught.value) is cls
    assert caught.value.hint
    assert "hunter2" not in f"{caught.value!r} {caught.value.hint}"


def test_what_nobody_knows_is_ignored_and_told() -> None:
    found = translated("currentschema=a&clusterId=7&user=u")
    assert found.unknown == ("currentschema", "clusterId")
    assert parameters("currentschema=a&clusterId=7") == {}


@pytest.mark.parametrize(
    ("misspelt", "right"),
    [
        ("sslmod", "sslmode"),
        ("ssl_mode", "sslmode"),
        ("sslMode", "sslmode"),
        ("SSL", "ssl"),
        ("sslRootCert", "sslrootcert"),
        ("channelbinding", "channelBinding"),
        ("require_auth", "requireAuth"),
    ],
)
def test_a_misspelt_property_of_security_is_an_error_that_names_the_right_one(misspelt: str, right: str) -> None:
    with pytest.raises(errors.UnknownOption) as caught:
        translated(f"{misspelt}=require")
    assert misspelt in caught.value.message
    assert caught.value.hint == f"Did you mean '{right}'?"


@pytest.mark.parametrize("name", ["useTLS", "requireSSLAlways", "TlsVersion"])
def test_what_speaks_of_tls_and_resembles_nothing_is_an_error_without_its_name(name: str) -> None:
    with pytest.raises(errors.InvalidOption, match="speaks of SSL or TLS") as caught:
        translated(f"{name}=true")
    assert name not in caught.value.message
    assert "sslmode" in (caught.value.hint or "")


def test_the_database_is_named_after_the_user_by_default() -> None:
    assert with_defaults(translate({"user": "u"})) == {"host": "localhost", "port": "5432", "dbname": "u"}


def test_a_service_comes_before_the_defaults() -> None:
    url = "jdbc:postgresql://?service=mine&user=u"
    assert with_defaults(translate(read(url))) == {"service": "mine"}


def test_every_property_of_the_driver_is_known() -> None:
    assert {"sslrootcert", "ApplicationName", "useSpnego", "xmlFactoryFactory", "PGDBNAME"} <= KNOWN_PROPERTIES
    assert len(KNOWN_PROPERTIES) == 87 + len({"wrapperPlugins"})


def refusal_of(properties: Mapping[str, str | Secret]) -> errors.ConfigError | None:
    try:
        translate(properties)
    except errors.ConfigError as error:
        return error
    return None


_PASSWORD = "hunter2"
_PIECES = st.sampled_from(
    ["jdbc:", "postgresql:", "p6spy:", "//", "/", "?", "&", "=", ":", ",", "@", "%", "%4", "%40", "%00", "%ff", "[",
     "]", "+", "host", "h", "5432", "99999", "password", "user", "ssl", "sslmode", "sslkey", ".p12", "options",
     "currentSchema", "loginTimeout", _PASSWORD, "\0", "\udc80", "é", " ", "\\", "'", "#", ";"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=25).map("".join))
@example(f"//u:{_PASSWORD}@h:1/d")
def test_any_url_is_read_or_refused_and_no_message_shows_a_piece_of_it(rest: str) -> None:
    properties = read_url(f"jdbc:postgresql:{rest}")
    refusal = properties if isinstance(properties, errors.ConfigError) else refusal_of(properties)
    if refusal:
        assert _PASSWORD not in f"{refusal!r} {refusal} {refusal.hint} {vars(refusal)}"
        assert refusal.hint


_NAMES = st.sampled_from(sorted(KNOWN_PROPERTIES)) | st.text(max_size=5)
_VALUES = (
    st.text(max_size=8) | st.text(max_size=8).map(Secret) | st.sampled_from(["true", "1", "", "iam", "x.p12"])
)


@given(st.dictionaries(_NAMES, _VALUES, max_size=6))
def test_any_property_is_translated_or_refused(properties: dict[str, str | Secret]) -> None:
    if refusal := refusal_of(properties):
        assert refusal.hint
    else:
        assert all(with_defaults(translate(properties)).values())


@given(st.text(max_size=10), st.text(max_size=10))
def test_values_survive_percent_encoding(user: str, password: str) -> None:
    from urllib.parse import quote

    found = translate(
        read(f"jdbc:postgresql://h/d?user={quote(user, safe='')}&password={quote(password, safe='')}")
    )
    assert (found.user or "", found.password.reveal() if found.password else "") == (user, password)
