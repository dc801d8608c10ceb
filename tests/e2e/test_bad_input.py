"""Everything that can be wrong with a job has its own clear error, its exit code, and changes nothing."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from sandbox.aws import AwsEndpoint
from sandbox.git_server import GitServer, make_key
from sandbox.tls import make_server_certificate
from taxiway import errors
from taxiway.engine.ports import HistoryTable
from taxiway.model.run_report import RunReport
from taxiway.postgres.lock import lock_number
from taxiway.reports.result_line import parse_result_line
from tests.support.fingerprint import fingerprint
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


@dataclass(slots=True)
class Attempt(Job):
    """A job that knows its database."""

    database: Database

    def refused(self, *arguments: str, without: tuple[str, ...] = (), **variables: str) -> Outcome:
        """Run, and see to it that nothing has changed: nothing in the database, no file left behind."""
        before = fingerprint(self.database)
        outcome = self.run(*arguments, without=without, **variables)
        assert fingerprint(self.database) == before, outcome.output
        assert self.left_behind() == []
        return outcome


type Start = Callable[..., Attempt]


@pytest.fixture
def start_job(database: Database, git_server: GitServer, aws_endpoint: AwsEndpoint, tmp_path: Path) -> Start:
    """Publish a repository with these files, store the secrets, and give the job that runs it."""

    def start(files: Mapping[str, str], **secret: str) -> Attempt:
        number = f"{database.name}-{next(_numbers)}-{tmp_path.name}"
        aws_endpoint.put_secret(
            f"db-{number}", {"username": database.user, "password": database.password} | secret
        )
        aws_endpoint.put_secret(f"key-{number}", git_server.private_key)
        toml = {"taxiway.toml": TOML.replace("SECRET", f"db-{number}") + files.get("taxiway.toml", "")}
        publish(git_server.root, number, {"main": {**files, **toml}}, tmp_path / "work")
        return Attempt(
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
            database,
        )

    return start


def expect(outcome: Outcome, error: type[errors.TaxiwayError], exit_code: int, *pieces: str) -> None:
    assert f"Code: {error.code}" in outcome.stderr, outcome.output
    assert outcome.exit_code == exit_code
    assert "Hint: " in outcome.stderr
    assert "Traceback" not in outcome.output
    for piece in pieces:
        assert piece in outcome.stderr


# --- the repository ---------------------------------------------------------------------------------------


def test_no_repository_is_named(start_job: Start) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused(without=("TAXIWAY_REPOSITORY_URL",))
    expect(outcome, errors.MissingOption, 2, "REPOSITORY_OWNER", "TAXIWAY_REPOSITORY_URL")


def test_the_repository_does_not_exist(start_job: Start, git_server: GitServer) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused(TAXIWAY_REPOSITORY_URL=git_server.url("no-such-project"))
    expect(outcome, errors.GitRepositoryNotFound, 2, "no-such-project")


def test_the_branch_does_not_exist(start_job: Start) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused("mian")
    expect(outcome, errors.GitRefNotFound, 2, "mian", "main")


def test_the_host_is_not_the_one_we_know(start_job: Start, git_server: GitServer, tmp_path: Path) -> None:
    make_key(tmp_path / "other", comment="another host")
    host, key = git_server.known_hosts.split()[0], (tmp_path / "other.pub").read_text()
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused(TAXIWAY_SSH_KNOWN_HOSTS=f"{host} {key}")
    expect(outcome, errors.GitHostKeyRejected, 2, "showed another host key", "has changed")


def test_the_key_is_that_of_another_repository(
    start_job: Start, aws_endpoint: AwsEndpoint, tmp_path: Path
) -> None:
    make_key(tmp_path / "other", comment="another deploy key")
    name = f"other-key-{next(_numbers)}-{tmp_path.name}"
    aws_endpoint.put_secret(name, (tmp_path / "other").read_text())
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused(REPOSITORY_DEPLOY_KEY_SECRET=name)
    expect(outcome, errors.GitAuthRejected, 2, "refused the key", "Permission denied")


def test_the_git_host_is_unreachable(start_job: Start) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused(TAXIWAY_REPOSITORY_URL="ssh://git@127.0.0.1:9/x.git")
    expect(outcome, errors.GitUnreachable, 4, "127.0.0.1:9")


@pytest.mark.parametrize("branch", ["--upload-pack=touch /tmp/x", "-x", "a b", "a..b", "main;id"])
def test_a_branch_name_is_never_an_option_or_a_command(start_job: Start, branch: str) -> None:
    job = start_job({"sql/V1__a.sql": GOOD})
    outcome = job.refused("--", branch)
    assert outcome.exit_code == 2
    assert "Traceback" not in outcome.output


def test_without_pinned_keys_only_github_is_known(start_job: Start) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused(without=("TAXIWAY_SSH_KNOWN_HOSTS",))
    expect(outcome, errors.GitHostKeyRejected, 2, "TAXIWAY_SSH_KNOWN_HOSTS")


def test_the_key_is_not_a_key(start_job: Start, aws_endpoint: AwsEndpoint) -> None:
    name = f"not-a-key-{next(_numbers)}-{id(aws_endpoint)}"
    aws_endpoint.put_secret(name, "there is no key in here")
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused(REPOSITORY_DEPLOY_KEY_SECRET=name)
    expect(outcome, errors.SecretMalformed, 2)
    assert "there is no key in here" not in outcome.output


# --- the files --------------------------------------------------------------------------------------------


def test_the_sql_folder_is_missing(start_job: Start) -> None:
    outcome = start_job({"README.md": "nothing here\n"}).refused()
    expect(outcome, errors.LocationNotFound, 2, "sql")


def test_the_sql_folder_is_empty(start_job: Start) -> None:
    outcome = start_job({"sql/.gitkeep": ""}).refused()
    expect(outcome, errors.NoMigrationsFound, 2)


def test_two_files_claim_one_version(start_job: Start) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD, "sql/V1.0__b.sql": GOOD}).refused()
    expect(outcome, errors.DuplicateMigration, 1, "sql/V1__a.sql", "sql/V1.0__b.sql")


def test_a_file_is_misnamed(start_job: Start) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD, "sql/V2_b.sql": GOOD}).refused()
    expect(outcome, errors.InvalidMigrationName, 1, "sql/V2_b.sql", "V2__b.sql")


def test_a_placeholder_of_the_last_file_is_missing(start_job: Start) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD, "sql/V2__b.sql": "SELECT 1;\n  SELECT '${nope}';\n"}).refused()
    expect(outcome, errors.UnknownPlaceholder, 1, "sql/V2__b.sql:2:11", "nope")


def test_an_applied_file_was_edited(
    start_job: Start, database: Database, git_server: GitServer, tmp_path: Path
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
    outcome = job.refused(TAXIWAY_REPOSITORY_URL=git_server.url("edited"))
    expect(outcome, errors.ValidationFailed, 1, "V1__a.sql", "checksum")


def test_a_key_of_the_configuration_is_misspelt(start_job: Start) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD, "taxiway.toml": "[flyway]\noutOfOrdr = true\n"}).refused()
    expect(outcome, errors.UnknownOption, 2, "outOfOrdr", "outOfOrder")


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero"])
def test_the_configuration_is_a_link_out_of_the_repository(
    start_job: Start, git_server: GitServer, tmp_path: Path, target: str
) -> None:
    job = start_job({"sql/V1__a.sql": GOOD})
    name, work = f"linked-{tmp_path.name}", tmp_path / "linked"
    (work / "main").mkdir(parents=True)
    (work / "main" / "taxiway.toml").symlink_to(target)
    publish(git_server.root, name, {"main": {"sql/V1__a.sql": GOOD}}, work)
    outcome = job.refused(TAXIWAY_REPOSITORY_URL=git_server.url(name))
    expect(outcome, errors.ConfigFileUnreadable, 2, "taxiway.toml", "outside the repository")


# --- secrets ----------------------------------------------------------------------------------------------


def test_a_secret_is_missing(start_job: Start) -> None:
    toml = '[flyway.placeholders]\nPASSWORD = "${secret:no-such-secret#password}"\n'
    outcome = start_job({"sql/V1__a.sql": GOOD, "taxiway.toml": toml}).refused()
    expect(outcome, errors.SecretNotFound, 2, "no-such-secret")


def test_a_secret_lacks_the_key(start_job: Start, database: Database, aws_endpoint: AwsEndpoint) -> None:
    name = f"lacking-{database.name}-{next(_numbers)}-{id(database)}"
    aws_endpoint.put_secret(name, {"username": "u", "passwort": "hidden-value"})
    toml = f'[flyway.placeholders]\nPASSWORD = "${{secret:{name}#password}}"\n'
    outcome = start_job({"sql/V1__a.sql": GOOD, "taxiway.toml": toml}).refused()
    expect(outcome, errors.SecretMalformed, 2, name, "passwort")
    assert "hidden-value" not in outcome.output


def test_the_aws_endpoint_is_unreachable(start_job: Start) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused(
        AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1"
    )
    expect(outcome, errors.AwsUnreachable, 4)


def test_there_are_no_credentials(start_job: Start) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused(without=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    expect(outcome, errors.NoCredentials, 2)


# --- the database -----------------------------------------------------------------------------------------


def test_the_password_is_wrong(start_job: Start, database: Database) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}, password="not-the-password").refused()
    expect(outcome, errors.AuthenticationFailed, 2, database.user)
    assert "not-the-password" not in outcome.output


def test_the_database_is_unreachable(start_job: Start) -> None:
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused(DB_PORT="9")
    expect(outcome, errors.ConnectionFailed, 4, "127.0.0.1:9")


def test_the_server_has_another_certificate(start_job: Start, tmp_path: Path) -> None:
    other = make_server_certificate(tmp_path / "other").authority
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused(DB_SSLROOTCERT=str(other))
    expect(outcome, errors.CertificateRejected, 2, "certificate verify failed")


def test_the_server_is_not_of_rds_and_no_authority_is_given(start_job: Start) -> None:
    job = start_job({"sql/V1__a.sql": GOOD})
    outcome = job.refused(without=("DB_SSLROOTCERT",))
    expect(outcome, errors.CertificateRejected, 2, "certificate verify failed")
    assert job.run().exit_code == 0


def test_the_database_is_not_empty_and_has_no_history(start_job: Start, database: Database) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE older (id int)")
    outcome = start_job({"sql/V1__a.sql": GOOD}).refused()
    expect(outcome, errors.NonEmptySchema, 1, '"public"')


def test_another_run_holds_the_lock(start_job: Start, database: Database) -> None:
    toml = "[flyway]\nlockRetryCount = 1\n"
    number = lock_number(HistoryTable("public", "flyway_schema_history"))
    assert number == 77433833903597
    with database.connect() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        outcome = start_job({"sql/V1__a.sql": GOOD, "taxiway.toml": toml}).refused()
        expect(outcome, errors.LockNotAcquired, 4, f"process {connection.info.backend_pid}")


# --- what the repository must not decide ------------------------------------------------------------------


PROGRAMS = "[flyway]\nscriptMigrations = true\n"
PASSED_OVER = (
    "flyway.scriptMigrations is passed over: FLYWAY_SCRIPT_MIGRATIONS sets it, no file of the repository."
)


def test_the_repository_wants_programs_to_run(start_job: Start) -> None:
    job = start_job({"sql/V1__a.sh": "touch was-here", "taxiway.toml": PROGRAMS})
    outcome = job.refused()
    expect(outcome, errors.ScriptMigrationsDisabled, 1, "V1__a.sh")
    assert "FLYWAY_SCRIPT_MIGRATIONS=true in the environment of the task definition" in outcome.stderr
    assert PASSED_OVER in outcome.stdout


def test_a_warning_of_the_configuration_is_in_the_result_and_debug_shows_the_settings(start_job: Start) -> None:
    job = start_job({"sql/V1__a.sql": GOOD, "taxiway.toml": PROGRAMS})
    assert json.loads(job.run("-o", "json").stdout)["warnings"] == [f"taxiway.toml: {PASSED_OVER}"]
    output = job.run("-X").stdout
    assert "DEBUG: lockRetryCount = 50 (default)" in output
    assert "DEBUG: password = ****" in output


# --- what the server shows of a secret --------------------------------------------------------------------


@pytest.fixture
def start_with_value(start_job: Start, aws_endpoint: AwsEndpoint) -> Start:
    """A job with this script, in which ``${VALUE}`` is a value from Secrets Manager."""

    def start(script: str, value: str) -> Attempt:
        name = f"value-{next(_numbers)}-{id(start_job)}"
        aws_endpoint.put_secret(name, {"value": value})
        toml = f'[flyway.placeholders]\nVALUE = "${{secret:{name}#value}}"\n'
        return start_job({"sql/V1__a.sql": script, "taxiway.toml": toml})

    return start


TABLE = "CREATE TABLE t (a text, b text NOT NULL);\n"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (f"{TABLE}INSERT INTO t VALUES ('${{VALUE}}', NULL);", "Failing row"),
        (f"{TABLE}INSERT INTO t VALUES ('a: ${{VALUE}}', NULL);", "Failing row"),
        ("CREATE TABLE t (a int);\nCOPY t FROM STDIN;\n${VALUE} ${VALUE}\n\\.\n", "COPY t, line 1, column a"),
        ("SELECT 1 AS ${VALUE}; SELECT oops;", '"oops"'),
        ('SELECT 1 AS "u_${VALUE}"; SELECT oops;', '"oops"'),
    ],
)
def test_a_long_secret_that_the_server_cuts_is_masked(start_with_value: Start, script: str, words: str) -> None:
    outcome = start_with_value(script, "Tk0123" + "aBcDeF" * 16).run()
    expect(outcome, errors.MigrationFailed, 1, words)
    assert "tk01" not in outcome.output.lower()
    assert "abcdef" not in outcome.output.lower()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("CREATE ROLE r PASSWORD '${VALUE}';", "unrecognized role option"),
        ("SELECT '${VALUE}';", "syntax error at or near"),
        ("DO $$ BEGIN EXECUTE 'CREATE ROLE r PASSWORD ''${VALUE}'''; END $$;", "at or near"),
    ],
)
def test_a_password_with_quotes_is_not_shown_in_pieces(start_with_value: Start, script: str, words: str) -> None:
    outcome = start_with_value(script, "a'SuperSecretTail9'b").run()
    expect(outcome, errors.MigrationFailed, 1, words)
    assert "secrettail" not in outcome.output.lower()


def test_a_password_with_one_quote_is_named_as_the_reason(start_with_value: Start) -> None:
    outcome = start_with_value("SELECT 1;\nCREATE ROLE r PASSWORD '${VALUE}';", "ab'SuperSecretTail9").refused()
    expect(outcome, errors.UnterminatedText, 1, "placeholder ${VALUE} in line 2 contains a quote")
    assert "secrettail" not in outcome.output.lower()


@pytest.mark.parametrize("value", ["1", "success", "true"])
def test_a_short_secret_does_not_break_the_json(start_with_value: Start, value: str) -> None:
    outcome = start_with_value("SELECT '${VALUE}';", value).run("--output", "json")
    assert outcome.exit_code == 0
    report = parse_result_line(outcome.stderr)
    assert report
    assert report == RunReport(exit_code=0, applied=1, schema_version="1", branch="main", commit=report.commit)
    _, migrate, _ = json.loads(outcome.stdout)["individualResults"]
    assert (migrate["migrationsExecuted"], migrate["success"]) == (1, True)


@pytest.mark.parametrize("value", ["1", "0", "main", "SUCCESS"])
def test_a_short_secret_does_not_break_the_last_line(start_with_value: Start, value: str) -> None:
    """Whoever has started the task goes by it: what is ours in it is never masked, the branch is."""
    outcome = start_with_value("SELECT '${VALUE}';", value).run()
    report = parse_result_line(outcome.stdout.splitlines()[-1])
    assert report
    assert (report.exit_code, report.applied, report.schema_version) == (0, 1, "1")
    assert (report.branch == "main") is (value != "main")
