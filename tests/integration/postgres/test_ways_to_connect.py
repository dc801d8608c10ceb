"""Every way in which a project says where its database is, with a real server at the end of it."""

import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sandbox.tls import make_server_certificate
from taxiway import errors
from taxiway.model.event import NoticeReceived, WaitingForDatabase, Warned
from taxiway.model.script import Statement
from taxiway.model.settings import DatabaseSettings
from taxiway.postgres.session import PostgresSession
from taxiway.secret import Secret
from tests.integration.postgres.conftest import Heard, Opener
from tests.support.pytest_sandbox import Database


def jdbc_url(database: Database, **properties: str) -> str:
    given = {"sslmode": "verify-full", "sslrootcert": str(database.sslrootcert)} | properties
    arguments = "&".join(f"{name}={quote(value, safe='')}" for name, value in given.items())
    return f"jdbc:postgresql://localhost:{database.port}/{database.name}?{arguments}"


def ask(session: PostgresSession, query: str) -> Any:
    [[value]] = session.run(Statement(query, 0, 0), keep_rows=True).tables[0].rows
    return value


@pytest.mark.parametrize("driver", ["jdbc:", "jdbc:p6spy:", "jdbc:aws-wrapper:"])
def test_a_jdbc_url(opened: Opener, database: Database, driver: str) -> None:
    url = jdbc_url(database, user=database.user, password=database.password).replace("jdbc:", driver, 1)
    session = opened(DatabaseSettings(url=Secret(url), user="nobody", password=Secret("wrong")))
    assert session.facts.user == database.user


def test_the_properties_of_a_jdbc_url_reach_the_server(opened: Opener, database: Database) -> None:
    url = jdbc_url(
        database,
        ssl="true",
        currentSchema='"My schema",public',
        options="-c geqo=off",
        ApplicationName="my tool",
        readOnly="true",
        queryTimeout="40",
        channelBinding="require",
        targetServerType="primary",
        loadBalanceHosts="true",
        socketTimeout="30",
        loginTimeout="20",
        tcpKeepAlive="true",
        stringtype="unspecified",
    )
    session = opened(DatabaseSettings(url=url, user=database.user, password=Secret(database.password)))
    assert session.facts.search_path == '"My schema",public'
    settings = {
        name: ask(session, f"SHOW {name}")
        for name in ("geqo", "application_name", "default_transaction_read_only", "statement_timeout")
    }
    assert settings == {
        "geqo": "off",
        "application_name": "my tool",
        "default_transaction_read_only": "on",
        "statement_timeout": "40s",
    }


def test_properties_that_nobody_knows_are_told(opened: Opener, database: Database, heard: Heard) -> None:
    url = jdbc_url(database, currentschema="x", nter2="")
    opened(DatabaseSettings(url=url, user=database.user, password=Secret(database.password)))
    near, far = heard
    assert isinstance(near, Warned)
    assert isinstance(far, Warned)
    assert "'currentschema' is ignored" in near.message
    assert "'currentSchema'" in near.message
    assert far.message.startswith("1 JDBC property is ignored")
    assert "nter2" not in far.message


@pytest.mark.parametrize("form", ["jdbc", "url", "words", "service of a url", "variable"])
def test_a_service_file(
    opened: Opener, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    file = tmp_path / "services"
    file.write_text(
        f"[mine]\nhost=localhost\nport={database.port}\ndbname={database.name}\nuser={database.user}\n"
        f"sslmode=verify-full\nsslrootcert={database.sslrootcert}\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    if form == "variable":
        monkeypatch.setenv("PGSERVICE", "mine")
    urls = {
        "jdbc": "jdbc:postgresql://?service=mine",
        "url": "postgresql://?service=mine",
        "words": "service=mine",
        "service of a url": "postgresql:///?service=mine",
        "variable": "",
    }
    session = opened(DatabaseSettings(url=urls[form], password=Secret(database.password)))
    assert (session.facts.user, session.facts.database) == (database.user, database.name)
    assert session.facts.label == f"localhost:{database.port}/{database.name}"


def test_a_service_that_no_file_has_is_an_invalid_option(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    with pytest.raises(errors.InvalidOption, match="services"):
        opened(DatabaseSettings(url="service=mine"))


@pytest.mark.parametrize("form", ["jdbc", "libpq"])
def test_a_password_file(
    opened: Opener, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    file = tmp_path / "pgpass"
    escaped = database.password.replace("\\", "\\\\").replace(":", "\\:")
    file.write_text(f"*:{database.port}:{database.name}:{database.user}:{escaped}\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    url = jdbc_url(database, user=database.user) if form == "jdbc" else database.url
    assert opened(DatabaseSettings(url=url)).facts.user == database.user


def test_the_variables_of_libpq(opened: Opener, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGHOST": database.host,
        "PGPORT": str(database.port),
        "PGDATABASE": database.name,
        "PGUSER": database.user,
        "PGPASSWORD": database.password,
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(database.sslrootcert),
    }.items():
        monkeypatch.setenv(name, value)
    assert opened(DatabaseSettings()).facts.database == database.name


@pytest.mark.parametrize("bad", ["a\0b", "a\udcffb"])
def test_a_value_that_would_cut_the_parameters_short_is_refused(
    opened: Opener, settings: DatabaseSettings, bad: str
) -> None:
    with pytest.raises(errors.InvalidOption, match="'password'"):
        opened(DatabaseSettings(url=settings.url, password=Secret(bad)))


def test_each_wait_for_the_server_is_told(opened: Opener, heard: Heard) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(errors.ConnectionFailed):
            opened(DatabaseSettings(url=f"jdbc:postgresql://127.0.0.1:{port}/d?user=u", connect_retries=1))
    [waited] = heard
    assert isinstance(waited, WaitingForDatabase)
    assert waited.wait_seconds == 1
    assert f"127.0.0.1:{port}/d" in waited.reason


@pytest.mark.parametrize("pem", [True, False])
def test_a_client_key_may_be_pem_or_the_der_that_java_wants(
    opened: Opener, database: Database, tmp_path: Path, pem: bool
) -> None:
    pair = make_server_certificate(tmp_path / "tls")
    key = pair.key
    if not pem:
        key = tmp_path / "client.pk8"
        private = load_pem_private_key(pair.key.read_bytes(), None)
        key.write_bytes(private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    url = jdbc_url(database, user=database.user, sslcert=str(pair.certificate), sslkey=str(key))
    assert opened(DatabaseSettings(url=url, password=Secret(database.password))).facts.user == database.user


# --- initSql ---


def with_init_sql(settings: DatabaseSettings, text: str) -> DatabaseSettings:
    return DatabaseSettings(url=settings.url, password=settings.password, init_sql=text)


def test_init_sql_comes_before_everything_else(opened: Opener, settings: DatabaseSettings, heard: Heard) -> None:
    text = """
        SET search_path = mine; SET TimeZone = 'Asia/Tokyo';
        DO $$BEGIN RAISE NOTICE 'not ${replaced}; not split'; END$$;
        CREATE TEMP TABLE t (i int);
        COPY t FROM STDIN;
1
\\.
        -- the end
    """
    session = opened(with_init_sql(settings, text))
    assert (session.facts.search_path, session.facts.time_zone) == ("mine", "Asia/Tokyo")
    assert ask(session, "SELECT i FROM t") == "1"
    [notice] = heard
    assert isinstance(notice, NoticeReceived)
    assert notice.message == "not ${replaced}; not split"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1;\n  SELECT nonsense;", r'initSql, line 2, column 10: column "nonsense" does not exist'),
        ("-- c\nSELECT pg_sleep('x')", r"initSql, line 2, column 17: "),
        ("RESET no_such_thing;", r"initSql, line 1, column 1: "),
        ("BEGIN", r"initSql leaves a transaction open\."),
    ],
)
def test_init_sql_that_fails_is_an_invalid_option_and_leaves_no_session(
    opened: Opener, settings: DatabaseSettings, database: Database, text: str, message: str
) -> None:
    with pytest.raises(errors.InvalidOption, match=message) as caught:
        opened(with_init_sql(settings, text))
    assert "initSql" in (caught.value.hint or "")
    assert caught.value.__context__ is None


def test_init_sql_that_cannot_be_split_says_where(opened: Opener, settings: DatabaseSettings) -> None:
    with pytest.raises(errors.UnterminatedText, match="initSql:1:8"):
        opened(with_init_sql(settings, "SELECT 'x"))
