"""A database user for one line in the repository: the container's command, with the user's secret from AWS."""

import json
from pathlib import Path

import psycopg
import pytest

from sandbox.aws import AwsEndpoint
from sandbox.git_server import GitServer
from sandbox.password import make_password
from tests.support.job import Job, publish
from tests.support.pytest_sandbox import Database

CONFIGURATION = """
[database]
host = "${env:DB_HOST}"
name = "${env:DB_NAME}"
user = "${secret:OWNER#username}"
password = "${secret:OWNER#password}"

[roles.reporting]
secret = "USER"
grants = "read"
"""
FILES = {"sql/V1__t.sql": "CREATE TABLE t (i int);"}


def test_a_user_for_one_line_its_rotation_and_the_tables_of_later_migrations(
    database: Database, git_server: GitServer, aws_endpoint: AwsEndpoint, tmp_path: Path
) -> None:
    """Each password is a secret of its own, so that the commit says which one is meant."""
    name = f"{database.name}-{tmp_path.name}"
    owner, key = f"owner-{name}", f"key-{name}"
    first, second = make_password(), make_password()
    aws_endpoint.put_secret(owner, {"username": database.user, "password": database.password})
    aws_endpoint.put_secret(key, git_server.private_key)
    for number, password in enumerate((first, second)):
        aws_endpoint.put_secret(f"user-{number}-{name}", {"username": "reporting", "password": password})
    declared = [CONFIGURATION.replace("OWNER", owner).replace("USER", f"user-{n}-{name}") for n in range(2)]
    branches = {
        "main": FILES | {"taxiway.toml": declared[0]},
        "rotated": {"taxiway.toml": declared[1], "sql/V2__u.sql": "CREATE TABLE u (i int);"},
    }
    publish(git_server.root, name, branches, tmp_path / "repository")
    job = Job(
        tmp_path,
        {
            "REPOSITORY_DEPLOY_KEY_SECRET": key,
            "TAXIWAY_REPOSITORY_URL": git_server.url(name),
            "TAXIWAY_SSH_KNOWN_HOSTS": git_server.known_hosts,
            "REGION": aws_endpoint.region,
            "DB_HOST": database.host,
            "DB_PORT": str(database.port),
            "DB_NAME": database.name,
            "DB_SSLROOTCERT": str(database.sslrootcert),
            **aws_endpoint.environment,
        },
    )

    created, again, rotated = job.run("main"), job.run("main"), job.run("rotated", "--output", "json")

    assert [one.exit_code for one in (created, again, rotated)] == [0, 0, 0], created.output + rotated.output
    assert 'Created role "reporting": with a password' in created.stdout
    assert '"reporting"' not in again.output
    [_, migrated, _] = json.loads(rotated.stdout)["individualResults"]
    assert [one["action"] for one in migrated["roles"]] == ["set-password"]
    with database.server.connect("reporting", second, database.name) as connection:
        assert connection.execute("SELECT * FROM t, u").fetchall() == []
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        database.server.connect("reporting", first, database.name)
    seen = created.output + again.output + rotated.output + job.children.read_text()
    seen += database.server.log.read_text(encoding="utf-8", errors="replace")
    assert not any(secret in seen for secret in (first, second))
    assert job.left_behind() == []
