"""The sample project's SQL runs on a real server as a master user who is not a superuser."""

from pathlib import Path

import psycopg
import pytest

from sandbox.password import make_placeholder_password
from sandbox.repository import SAMPLE_BRANCHES
from tests.support.pytest_sandbox import Database

_FOLDERS = {branch.name: branch.added for branch in SAMPLE_BRANCHES}


class Project:
    """Runs the scripts of branches in order, after a plain textual replacement of the placeholders."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.passwords = {user: make_placeholder_password() for user in ("read_only", "sample_application")}

    def migrate(self, branch: str) -> None:
        # In the order of Flyway: V before R, and every version here has the same number of digits.
        scripts = sorted(_FOLDERS[branch].glob("sql/**/*.sql"), key=lambda path: (path.name[0] == "R", path.name))
        for script in scripts:
            with self.database.connect() as connection:
                connection.execute(self._replaced(script).encode())

    def _replaced(self, script: Path) -> str:
        text = script.read_text()
        values = {"DATABASE_NAME": self.database.name}
        values |= {f"{user.upper()}_PASSWORD": password for user, password in self.passwords.items()}
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", value)
        return text

    def connect(self, user: str) -> "psycopg.Connection":
        return self.database.server.connect(user, self.passwords[user], self.database.name)


@pytest.fixture
def project(database: Database) -> Project:
    return Project(database)


def test_the_application_writes_and_the_reader_reads(project: Project) -> None:
    project.migrate("main")
    with project.connect("sample_application") as application:
        first = application.execute("SELECT insert_sample_p('  moon rock ')").fetchone()
        again = application.execute("SELECT insert_sample_p('moon rock')").fetchone()
    assert first == again == (1,)
    with project.connect("read_only") as reader:
        assert reader.execute("SELECT name FROM sample").fetchall() == [("moon rock",)]


def test_the_reader_may_not_write(project: Project) -> None:
    project.migrate("main")
    with project.connect("read_only") as reader:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("INSERT INTO sample (name) VALUES ('x')")
        reader.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT insert_sample_p('x')")


def test_the_reader_may_read_the_tables_of_later_migrations(project: Project) -> None:
    project.migrate("main")
    project.migrate("develop")
    with project.connect("read_only") as reader:
        assert reader.execute("SELECT name, weight_lbs, units FROM product").fetchall() == []


def test_the_repeatable_script_can_be_repeated(project: Project) -> None:
    project.migrate("main")
    script = _FOLDERS["main"] / "sql/functions/R__InsertSample_p.sql"
    with project.database.connect() as connection:
        connection.execute(script.read_bytes())
        connection.execute(script.read_bytes())


def test_the_broken_branch_fails_in_line_11_and_leaves_nothing(project: Project) -> None:
    project.migrate("main")
    project.migrate("develop")
    with pytest.raises(psycopg.errors.UndefinedColumn, match="wieght_lbs") as failure:
        project.migrate("broken")
    text = (_FOLDERS["broken"] / "sql/V1.2.0__AddProductPrice.sql").read_text()
    assert text.count("\n", 0, int(failure.value.diag.statement_position or 0)) + 1 == 11
    with project.database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM product").fetchone() == (0,)
        columns = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'product'::regclass AND attnum > 0 ORDER BY attnum"
        ).fetchall()
    assert columns == [("product_id",), ("name",), ("weight_lbs",), ("units",)]
