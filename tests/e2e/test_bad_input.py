"""Everything that can be wrong with a job has its own clear error, its exit code, and changes nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from sandbox.aws import AwsEndpoint
from sandbox.git_server import GitServer
from taxiway import errors
from taxiway.engine.ports import HistoryTable
from taxiway.postgres.lock import lock_number
from tests.support.job import Job, Outcome, publish
from tests.support.pytest_sandbox import Database

GOOD = "CREATE TABLE good (id int);\n"
TOML = """
[database]
host = "${env:DB_HOST}"
name = "${env:DB_NAME}"
user = "${secret:SECRET#username}"
password = "${secret:SECRET#password}"
"""

_numbers = count(1)


@pytest.fixture
def start_job(
    database: Database, git_server: GitServer, aws_endpoint: AwsEndpoint, tmp_path: Path
) -> Callable[[Mapping[str, str]], Job]:
    """Publish a repository with these files, store the secrets, and give the job that runs it."""

    def start(files: Mapping[str, str], **secret: str) -> Job:
        number = f"{database.name}-{next(_numbers)}-{tmp_path.name}"
        aws_endpoint.put_secret(
            f"db-{number}", {"username": database.user, "password": database.password} | secret
        )
        aws_endpoint.put_secret(f"key-{number}", git_server.private_key)
        toml = {"taxiway.toml": TOML.replace("SECRET", f"db-{number}") + files.get("taxiway.toml", "")}
        publish(git_server.root, number, {"main": {**files, **toml}}, tmp_path / "work")
        return Job(
            tmp_path,
            {
                "REGION": aws_endpoint.region,
                "REPOSITORY_DEPLOY_KEY_SECRET": f"key-{number}",
                "TAXIWAY_REPOSITORY_URL": git_server.url(number),
                "TAXIWAY_SSH_KNOWN_HOSTS": git_server.known_hosts,
                "DB_HOST": database.host,
                "DB_PORT": str(database.port),
                "DB_NAME": database.name,
                "DB_SSLROOTCERT": str(database.sslrootcert),
                **aws_endpoint.environment,
            },
        )

    return start


@contextmanager
def unchanged(database: Database) -> Iterator[None]:
    """Nothing of the database is different at the end."""

    def look() -> list[tuple[object, ...]]:
        with database.connect() as connection:
            return connection.execute(
                "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
            ).fetchall()

    before = look()
    yield
    assert look() == before


def expect(outcome: Outcome, error: type[errors.TaxiwayError], exit_code: int, *pieces: str) -> None:
    assert f"Code: {error.code}" in outcome.stderr, outcome.output
    assert outcome.exit_code == exit_code
    assert "Hint: " in outcome.stderr
    assert "Traceback" not in outcome.output
    for piece in pieces:
        assert piece in outcome.stderr


# --- the repository ---------------------------------------------------------------------------------------


def test_no_repository_is_named(start_job: Callable[..., Job]) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).run(without=("TAXIWAY_REPOSITORY_URL",))
    expect(outcome, errors.MissingOption, 2, "REPOSITORY_OWNER", "TAXIWAY_REPOSITORY_URL")


def test_the_repository_does_not_exist(start_job: Callable[..., Job], git_server: GitServer) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).run(TAXIWAY_REPOSITORY_URL=git_server.url("no-such-project"))
    expect(outcome, errors.GitRepositoryNotFound, 2, "no-such-project")


def test_the_branch_does_not_exist(start_job: Callable[..., Job]) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).run("mian")
    expect(outcome, errors.GitRefNotFound, 2, "mian", "main")


@pytest.mark.parametrize("branch", ["--upload-pack=touch /tmp/x", "-x", "a b", "a..b", "main;id"])
def test_a_branch_name_is_never_an_option_or_a_command(start_job: Callable[..., Job], branch: str) -> None:
    job = start_job({"sql/V1__a.sql": GOOD})
    outcome = job.run("--", branch)
    assert outcome.exit_code == 2
    assert "Traceback" not in outcome.output


def test_the_host_is_not_the_one_we_know(start_job: Callable[..., Job], git_server: GitServer) -> None:
    other = git_server.known_hosts.split()[0] + " ssh-ed25519 " + "A" * 24 + "C3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6"
    job = start_job({"sql/V1__a.sql": GOOD})
    outcome = job.run(TAXIWAY_SSH_KNOWN_HOSTS=other)
    expect(outcome, errors.GitHostKeyRejected, 2)


def test_without_pinned_keys_only_github_is_known(start_job: Callable[..., Job]) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).run(without=("TAXIWAY_SSH_KNOWN_HOSTS",))
    expect(outcome, errors.GitHostKeyRejected, 2, "TAXIWAY_SSH_KNOWN_HOSTS")


def test_the_key_is_not_a_key(start_job: Callable[..., Job], aws_endpoint: AwsEndpoint) -> None:
    name = f"not-a-key-{next(_numbers)}-{id(aws_endpoint)}"
    aws_endpoint.put_secret(name, "there is no key in here")
    outcome = start_job({"sql/V1__a.sql": GOOD}).run(REPOSITORY_DEPLOY_KEY_SECRET=name)
    expect(outcome, errors.SecretMalformed, 2)
    assert "there is no key in here" not in outcome.output


def test_the_git_host_is_unreachable(start_job: Callable[..., Job]) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).run(TAXIWAY_REPOSITORY_URL="ssh://git@127.0.0.1:9/x.git")
    expect(outcome, errors.GitUnreachable, 4, "127.0.0.1:9")


# --- the files --------------------------------------------------------------------------------------------


def test_the_sql_folder_is_missing(start_job: Callable[..., Job], database: Database) -> None:
    with unchanged(database):
        outcome = start_job({"README.md": "nothing here\n"}).run()
    expect(outcome, errors.LocationNotFound, 2, "sql")


def test_the_sql_folder_is_empty(start_job: Callable[..., Job], database: Database) -> None:
    with unchanged(database):
        outcome = start_job({"sql/.gitkeep": ""}).run()
    expect(outcome, errors.NoMigrationsFound, 2)


def test_two_files_claim_one_version(start_job: Callable[..., Job], database: Database) -> None:
    with unchanged(database):
        outcome = start_job({"sql/V1__a.sql": GOOD, "sql/V1.0__b.sql": GOOD}).run()
    expect(outcome, errors.DuplicateMigration, 1, "sql/V1__a.sql", "sql/V1.0__b.sql")


def test_a_file_is_misnamed(start_job: Callable[..., Job], database: Database) -> None:
    with unchanged(database):
        outcome = start_job({"sql/V1__a.sql": GOOD, "sql/V2_b.sql": GOOD}).run()
    expect(outcome, errors.InvalidMigrationName, 1, "sql/V2_b.sql", "V2__b.sql")


def test_a_placeholder_of_the_last_file_is_missing(start_job: Callable[..., Job], database: Database) -> None:
    with unchanged(database):
        outcome = start_job({"sql/V1__a.sql": GOOD, "sql/V2__b.sql": "SELECT 1;\n  SELECT '${nope}';\n"}).run()
    expect(outcome, errors.UnknownPlaceholder, 1, "sql/V2__b.sql:2:11", "nope")


def test_an_applied_file_was_edited(
    start_job: Callable[..., Job], database: Database, git_server: GitServer, tmp_path: Path
) -> None:
    job = start_job({"sql/V1__a.sql": GOOD})
    assert job.run().exit_code == 0
    publish(
        git_server.root,
        "edited",
        {
            "main": {
                "sql/V1__a.sql": GOOD + "-- edited\n",
                "taxiway.toml": (tmp_path / "work" / "main" / "taxiway.toml").read_text(),
            }
        },
        tmp_path / "edited",
    )
    with unchanged(database):
        outcome = job.run(TAXIWAY_REPOSITORY_URL=git_server.url("edited"))
    expect(outcome, errors.ValidationFailed, 1, "V1__a.sql", "checksum")


def test_a_key_of_the_configuration_is_misspelt(start_job: Callable[..., Job], database: Database) -> None:
    with unchanged(database):
        outcome = start_job({"sql/V1__a.sql": GOOD, "taxiway.toml": "[flyway]\noutOfOrdr = true\n"}).run()
    expect(outcome, errors.UnknownOption, 2, "outOfOrdr", "outOfOrder")


# --- secrets ----------------------------------------------------------------------------------------------


def test_a_secret_is_missing(start_job: Callable[..., Job], database: Database) -> None:
    toml = '[flyway.placeholders]\nPASSWORD = "${secret:no-such-secret#password}"\n'
    with unchanged(database):
        outcome = start_job({"sql/V1__a.sql": GOOD, "taxiway.toml": toml}).run()
    expect(outcome, errors.SecretNotFound, 2, "no-such-secret")


def test_a_secret_lacks_the_key(
    start_job: Callable[..., Job], database: Database, aws_endpoint: AwsEndpoint
) -> None:
    name = f"lacking-{database.name}-{next(_numbers)}-{id(database)}"
    aws_endpoint.put_secret(name, {"username": "u", "passwort": "hidden-value"})
    toml = f'[flyway.placeholders]\nPASSWORD = "${{secret:{name}#password}}"\n'
    with unchanged(database):
        outcome = start_job({"sql/V1__a.sql": GOOD, "taxiway.toml": toml}).run()
    expect(outcome, errors.SecretMalformed, 2, name, "passwort")
    assert "hidden-value" not in outcome.output


def test_the_aws_endpoint_is_unreachable(start_job: Callable[..., Job]) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).run(AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    expect(outcome, errors.AwsUnreachable, 4)


def test_there_are_no_credentials(start_job: Callable[..., Job]) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).run(without=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    expect(outcome, errors.NoCredentials, 2)


# --- the database -----------------------------------------------------------------------------------------


def test_the_password_is_wrong(start_job: Callable[..., Job], database: Database) -> None:
    with unchanged(database):
        outcome = start_job({"sql/V1__a.sql": GOOD}, password="not-the-password").run()
    expect(outcome, errors.AuthenticationFailed, 2, database.user)
    assert "not-the-password" not in outcome.output


def test_the_database_is_unreachable(start_job: Callable[..., Job]) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).run(DB_PORT="9")
    expect(outcome, errors.ConnectionFailed, 4, "127.0.0.1:9")


def test_the_server_has_another_certificate(start_job: Callable[..., Job], tmp_path: Path) -> None:
    from sandbox.tls import make_server_certificate

    folder = tmp_path / "other"
    folder.mkdir()
    other = make_server_certificate(folder)
    outcome = start_job({"sql/V1__a.sql": GOOD}).run(DB_SSLROOTCERT=str(other.authority))
    expect(outcome, errors.CertificateRejected, 2)


def test_the_database_is_not_empty_and_has_no_history(start_job: Callable[..., Job], database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE older (id int)")
    with unchanged(database):
        outcome = start_job({"sql/V1__a.sql": GOOD}).run()
    expect(outcome, errors.NonEmptySchema, 1, '"public"')


def test_another_run_holds_the_lock(start_job: Callable[..., Job], database: Database) -> None:
    toml = "[flyway]\nlockRetryCount = 1\n"
    number = lock_number(HistoryTable("public", "flyway_schema_history"))
    assert number == 77433833903597
    with database.connect() as connection, unchanged(database):
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        outcome = start_job({"sql/V1__a.sql": GOOD, "taxiway.toml": toml}).run()
        expect(outcome, errors.LockNotAcquired, 4, f"process {connection.info.backend_pid}")
