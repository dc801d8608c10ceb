"""Every way in which a connection fails has its own error, its own exit code, and never shows the password."""

import socket
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

import taxiway
from sandbox.directory import temporary_directory
from sandbox.password import make_password
from sandbox.postgres import PostgresServer
from sandbox.tls import make_server_certificate
from taxiway import errors
from taxiway.exit_codes import exit_code_for
from taxiway.secret import Secret
from tests.support.command import complaint
from tests.support.servers import server_with_rules
from tests.support.workspace import Workspace


@pytest.fixture
def ready(workspace: Workspace) -> Workspace:
    workspace.write({"V1__a.sql": "SELECT 1;"})
    return workspace


@pytest.fixture
def free_port() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield int(probe.getsockname()[1])


def refusal(workspace: Workspace, cls: type[errors.TaxiwayError], code: int, **options: object) -> str:
    """The message; class, exit code and hint are as they should be, and no password is shown."""
    with pytest.raises(errors.TaxiwayError) as caught:
        workspace.migrate(**options)  # type: ignore[arg-type]  # each test passes options of one kind
    error = caught.value
    assert type(error) is cls, error
    assert exit_code_for(error) == code
    assert error.hint
    shown = f"{error!r} {error.hint} {vars(error)} {variables_of_ours(error)}"
    assert workspace.database.password not in shown
    assert str(options.get("password", "hunter2")) not in shown
    assert (error.__cause__, error.__context__) == (None, None)
    return error.message


def variables_of_ours(error: BaseException) -> list[dict[str, object]]:
    """What a program that reports errors would send: the variables of the frames behind the front door."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [
        frame.f_locals
        for frame in frames
        if (name := frame.f_globals["__name__"]).startswith(("taxiway.", "psycopg")) and name != "taxiway.api"
    ]


def test_a_wrong_password(ready: Workspace) -> None:
    message = refusal(ready, errors.AuthenticationFailed, 2, password=make_password())
    assert "password authentication failed" in message
    assert f"127.0.0.1:{ready.database.port}/{ready.database.name}" in message


@pytest.mark.parametrize(
    ("environment", "origin"),
    [
        ({"FLYWAY_PASSWORD": "wrong"}, "the password came from FLYWAY_PASSWORD."),
        ({"FLYWAY_PASSWORD": "", "PGPASSWORD": "wrong"}, "the password came from PGPASSWORD."),
    ],
)
def test_a_wrong_password_is_told_with_where_it_came_from(
    ready: Workspace, environment: dict[str, str], origin: str
) -> None:
    message = complaint(ready.run("info", environment=environment), 2, "authentication-failed")
    assert f"the user came from the URL (FLYWAY_URL), {origin}" in message


def test_a_wrong_password_of_the_command_line_is_told_with_its_option(ready: Workspace) -> None:
    result = ready.run("info", "-password=wrong")
    assert (result.returncode, "the password came from -password." in result.stderr) == (2, True)


def test_a_wrong_password_of_a_password_file_is_told_with_the_file(ready: Workspace) -> None:
    file = ready.directory / ".pgpass"
    file.write_text("*:*:*:*:wrong\n")
    file.chmod(0o600)
    environment = {"FLYWAY_PASSWORD": "", "PGPASSFILE": str(file)}
    message = complaint(ready.run("info", environment=environment), 2, "authentication-failed")
    assert f"the password came from {file}." in message


def test_a_wrong_password_of_a_file_is_told_with_its_key(ready: Workspace) -> None:
    (ready.directory / "taxiway.toml").write_text('[database]\npassword = "${env:MY_PASSWORD}"\n')
    environment = {"FLYWAY_PASSWORD": "", "MY_PASSWORD": "wrong"}
    message = complaint(ready.run("info", environment=environment), 2, "authentication-failed")
    assert "the password came from taxiway.toml: database.password." in message


def test_a_user_whom_nobody_gave_is_told_to_be_the_systems(ready: Workspace) -> None:
    url = ready.database.url.replace(f"{ready.database.user}@", "")
    message = complaint(ready.run("info", environment={"FLYWAY_URL": url}), 2, "authentication-failed")
    assert "No user was given, so that of the operating system was taken." in message
    assert "FLYWAY_USER" in message


def test_no_password(ready: Workspace) -> None:
    result = ready.run("info", environment={"FLYWAY_PASSWORD": ""})
    message = complaint(result, 2, "authentication-failed")
    assert "none was given" in message
    assert "FLYWAY_PASSWORD" in message


def test_an_unknown_user(ready: Workspace) -> None:
    assert "as user 'nobody_here'" in refusal(ready, errors.AuthenticationFailed, 2, user="nobody_here")


def test_an_unknown_database(ready: Workspace) -> None:
    url = ready.database.url.replace(f"/{ready.database.name}?", "/nowhere?")
    assert 'database "nowhere" does not exist' in refusal(ready, errors.DatabaseNotFound, 2, url=url)


def test_a_port_where_nobody_listens(ready: Workspace, free_port: int) -> None:
    message = refusal(ready, errors.ConnectionFailed, 4, port=free_port)
    assert f"127.0.0.1:{free_port}" in message


def test_a_host_without_an_address(ready: Workspace) -> None:
    assert "no-such-host.invalid" in refusal(ready, errors.ConnectionFailed, 4, host="no-such-host.invalid")


def test_a_server_that_is_not_postgresql(ready: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        refusal(ready, errors.ConnectionFailed, 4, port=server.getsockname()[1])
        thread.join()


def test_a_server_that_never_answers(ready: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"{ready.database.url}&connect_timeout=2"
        refusal(ready, errors.ConnectionFailed, 4, url=url, port=server.getsockname()[1])


def test_a_signal_ends_an_attempt_to_connect(ready: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        with ready.running("info", "--port", port) as child, server.accept()[0]:
            child.terminate()
            child.communicate(timeout=5)
    assert child.returncode == 143


def test_a_certificate_of_a_stranger(ready: Workspace, tmp_path: Path) -> None:
    stranger = make_server_certificate(tmp_path / "tls").authority
    message = refusal(ready, errors.CertificateRejected, 2, sslrootcert=str(stranger))
    assert "certificate verify failed" in message


def test_a_certificate_file_that_is_not_there(ready: Workspace) -> None:
    refusal(ready, errors.CertificateRejected, 2, sslrootcert="/no/such/file.pem")


def test_a_certificate_for_another_name(ready: Workspace) -> None:
    other = {"host": "database.example.com", "hostaddr": "127.0.0.1"}
    message = refusal(ready, errors.CertificateRejected, 2, **other)
    assert "does not match host name" in message


@pytest.fixture(scope="module")
def server_without_tls() -> Iterator[PostgresServer]:
    with server_with_rules("host all all 127.0.0.1/32 trust", ssl="off") as server:
        yield server


@pytest.mark.parametrize("sslmode", ["require", "verify-ca", "verify-full"])
def test_a_server_without_tls_is_told_as_one(
    ready: Workspace, server_without_tls: PostgresServer, sslmode: str
) -> None:
    url = f"postgresql://postgres@127.0.0.1:{server_without_tls.port}/postgres"
    root = str(ready.database.sslrootcert)
    message = refusal(ready, errors.TlsUnavailable, 2, url=url, sslmode=sslmode, sslrootcert=root)
    assert "the server does not support TLS" in message
    assert taxiway.test_connection(url=url, sslmode="prefer").user == "postgres"


def test_a_server_that_wants_tls(ready: Workspace) -> None:
    refusal(ready, errors.AuthenticationFailed, 2, sslmode="disable")


def test_a_parameter_that_libpq_does_not_know(ready: Workspace) -> None:
    """It is not shown: an unquoted question mark in a password makes a parameter of the rest of it."""
    url = f"{ready.database.url}&nonsense=1"
    assert "nonsense" not in refusal(ready, errors.InvalidOption, 2, url=url)


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("port=xx1", "The port in the database URL is not a number."),
        ("port=123456", "'port'"),
        ("connect_timeout=xx1", "connect_timeout"),
        ("keepalives_idle=xx1", "'keepalives_idle'"),
        ("sslmode=xx1", "'sslmode'"),
        ("ssl_min_protocol_version=xx1", "'ssl_min_protocol_version'"),
        ("ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2", "SSL protocol version range"),
        ("host=a,b&port=1,2,3", "3 port numbers to 2 hosts"),
        ("options=-c%20statement_timeout%3Dxx1", "'statement_timeout'"),
        ("options=-c%20no_such_thing%3D1", "no_such_thing"),
    ],
)
def test_an_invalid_parameter_is_no_server_that_is_not_ready(ready: Workspace, parameter: str, words: str) -> None:
    database = ready.database
    given = (
        f"host=127.0.0.1&port={database.port}&sslmode=verify-full&sslrootcert={database.sslrootcert}&{parameter}"
    )
    url = f"postgresql:///{database.name}?user={database.user}&{given}"
    message = refusal(ready, errors.InvalidOption, 2, url=url, connect_retries=9)
    assert words in message
    assert "'xx1'" not in message.replace("connect_timeout: 'xx1'", "")


def test_the_encoding_of_the_session_is_ours(ready: Workspace) -> None:
    assert ready.migrate(url=f"{ready.database.url}&client_encoding=LATIN1").count == 1


@pytest.mark.parametrize(
    "user_and_password",
    ["sqladmin:Se@cret/99", "sqladmin:Se/cret99", "sqladmin:Se@cret99", "sql/admin:Secret99", "u:1?a=Secret99"],
)
def test_a_password_that_was_not_percent_encoded_is_not_shown(ready: Workspace, user_and_password: str) -> None:
    url = f"postgresql://{user_and_password}@127.0.0.1:1/db"
    message = refusal(ready, errors.InvalidOption, 2, url=url)
    result = ready.run("info", environment={"FLYWAY_URL": url})
    assert result.returncode == 2
    for shown in (message, result.stdout + result.stderr):
        assert "percent-encoded" in shown
        assert "cret" not in shown
        assert "99" not in shown


def test_a_password_taken_for_a_port_is_not_shown(ready: Workspace) -> None:
    message = refusal(ready, errors.InvalidOption, 2, url="postgresql://sqladmin:Secret99/db")
    assert message == "The port in the database URL is not a number."


def test_an_encoded_at_sign_in_the_name_of_a_database_is_fine(ready: Workspace) -> None:
    url = ready.database.url.replace(f"/{ready.database.name}?", "/no%40where?")
    assert 'database "no@where" does not exist' in refusal(ready, errors.DatabaseNotFound, 2, url=url)


def test_too_many_connections_are_worth_another_try(ready: Workspace) -> None:
    with ready.database.server.admin() as connection:
        connection.execute(f"ALTER ROLE {ready.database.user} CONNECTION LIMIT 0".encode())
    assert "too many connections" in refusal(ready, errors.ConnectionFailed, 4)


def test_the_password_of_the_url_is_used_and_not_shown(ready: Workspace) -> None:
    password = quote(ready.database.password, safe="")
    url = ready.database.url.replace("@", f":{password}@")
    environment = {"FLYWAY_PASSWORD": "", "FLYWAY_URL": url}

    good = ready.run("migrate", environment=environment)
    wrong = ready.run("migrate", environment=environment | {"FLYWAY_URL": url.replace("/test_", "/nowhere_")})
    invalid = ready.run("migrate", environment=environment | {"FLYWAY_URL": url.replace("?", "?oops&")})

    assert [good.returncode, wrong.returncode, invalid.returncode] == [0, 2, 2], invalid.stderr
    for result in (good, wrong, invalid):
        assert password not in result.stdout + result.stderr
        assert ready.database.password not in result.stdout + result.stderr


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_password_among_the_arguments_is_warned_of_once_and_masked(ready: Workspace, output: str) -> None:
    url = ready.database.url.replace("@", f":{quote(ready.database.password, safe='')}@")
    arguments = ("migrate", "--url", url, "--placeholder", "APP_PASSWORD=hunter2", "--output", output)
    result = ready.run(*arguments, environment={"FLYWAY_PASSWORD": ""})
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith("WARNING: the value of --url and of --placeholder APP_PASSWORD is visible to ")
    assert (result.stderr.count("WARNING"), "WARNING" in result.stdout) == (1, False)
    for secret in ("hunter2", ready.database.password):
        assert secret not in result.stdout + result.stderr


def test_a_password_given_beside_the_url_wins(ready: Workspace) -> None:
    url = Secret(ready.database.url.replace("@", ":wrong@"))
    assert ready.migrate(url=url).count == 1


def test_a_libpq_connection_string_is_as_good_as_a_url(ready: Workspace) -> None:
    database = ready.database
    assert ready.migrate(url=database.server.conninfo(database.user, database.password, database.name)).count == 1


def test_a_server_that_starts_later_is_waited_for(tmp_path: Path) -> None:
    with temporary_directory(in_memory=True) as directory, PostgresServer(directory / "postgres") as server:
        workspace = _workspace_of(server, tmp_path)
        server.stop()
        with workspace.running("migrate", "--connect-retries", "10", "--connect-retries-interval", "1") as child:
            with pytest.raises(Exception, match="timed out"):
                child.wait(1.5)
            server.restart()
            output, error = child.communicate(timeout=30)
        assert child.returncode == 0, error
        assert "Successfully applied 1 migration" in output


def _workspace_of(server: PostgresServer, directory: Path) -> Workspace:
    from tests.support.pytest_sandbox import make_database

    workspace = Workspace(make_database(server, 1), directory)
    workspace.scripts.mkdir()
    workspace.write({"V1__a.sql": "SELECT 1;"})
    return workspace


def test_a_refused_password_is_not_tried_again(ready: Workspace) -> None:
    """It would lock the account of a server that counts."""
    refusal(ready, errors.AuthenticationFailed, 2, password=make_password(), connect_retries=5)


def test_the_session_tells_who_it_is(ready: Workspace) -> None:
    ready.write(
        {
            "V2__b.sql": "CREATE TABLE b AS SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid();"
        }
    )
    ready.migrate()
    assert ready.query("SELECT * FROM b") == [("taxiway",)]


@pytest.fixture
def own_name(ready: Workspace) -> Workspace:
    """With a script that keeps the name of the program."""
    ready.write(
        {
            "V2__b.sql": "CREATE TABLE b AS SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid();"
        }
    )
    return ready


def test_the_name_of_the_program_may_come_from_a_variable(own_name: Workspace) -> None:
    assert own_name.run("migrate", environment={"PGAPPNAME": "of the variable"}).returncode == 0
    assert own_name.query("SELECT * FROM b") == [("of the variable",)]


@pytest.mark.parametrize("named_by", ["PGSERVICE", "URL"])
def test_the_name_of_the_program_may_come_from_a_service(own_name: Workspace, named_by: str) -> None:
    file = own_name.directory / "services"
    file.write_text("[mine]\napplication_name=of the service\n")
    environment = {"PGSERVICEFILE": str(file), "PGAPPNAME": "of the variable"}
    if named_by == "URL":
        environment["FLYWAY_URL"] = f"{own_name.database.url}&service=mine"
    else:
        environment["PGSERVICE"] = "mine"
    assert own_name.run("migrate", environment=environment).returncode == 0
    assert own_name.query("SELECT * FROM b") == [("of the service",)]


@pytest.mark.parametrize("said_by", ["variable", "service"])
def test_the_time_to_wait_may_come_from_a_variable_or_a_service(ready: Workspace, said_by: str) -> None:
    file = ready.directory / "services"
    file.write_text("[mine]\nconnect_timeout=2\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        environment = {"PGCONNECT_TIMEOUT": "2"}
        if said_by == "service":
            environment = {"PGSERVICEFILE": str(file), "PGSERVICE": "mine"}
        started = time.monotonic()
        result = ready.run("info", "--port", str(server.getsockname()[1]), environment=environment)
    assert result.returncode == 4
    assert 2 <= time.monotonic() - started < 8


@pytest.mark.parametrize("zone", ["Nowhere/Else", "IST-5:30", "/etc/localtime"])
def test_any_time_zone_of_the_environment_will_do(ready: Workspace, zone: str) -> None:
    for command in ("migrate", "info"):
        result = ready.run(command, "--output", "json", environment={"TZ": zone})
        assert (result.returncode, result.stderr) == (0, "")


def test_taxiway_is_not_in_the_way_of_other_sessions(ready: Workspace) -> None:
    assert (
        taxiway.migrate(
            url=ready.database.url, password=ready.database.password, locations=[f"filesystem:{ready.scripts}"]
        ).count
        == 1
    )
    assert ready.query("SELECT FROM pg_stat_activity WHERE application_name = 'taxiway'") == []
