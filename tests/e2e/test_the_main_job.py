"""The story of the product, as a task would live it: real PostgreSQL, real git over SSH, an AWS endpoint.

The four runs depend on each other, so they are one test; each step has its own assertions.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sandbox.repository import SAMPLE_PROJECT
from sandbox.world import World
from taxiway.scan.checksum import checksum
from tests.support.canary import find_secrets
from tests.support.job import Job, Outcome

BRANCHES = SAMPLE_PROJECT.parent / "sample-project-branches"

FIRST_ROWS = [
    (1, "1.0.0", "CreateReadOnlyRole", "SQL", "V1.0.0__CreateReadOnlyRole.sql"),
    (2, "1.0.1", "CreateSampleTable", "SQL", "V1.0.1__CreateSampleTable.sql"),
    (3, "1.0.2", "CreateSampleApplicationRole", "SQL", "V1.0.2__CreateSampleApplicationRole.sql"),
    (4, None, "InsertSample p", "SQL", "functions/R__InsertSample_p.sql"),
]
PRODUCT_ROW = (5, "1.1.0", "CreateProductTable", "SQL", "V1.1.0__CreateProductTable.sql")


@pytest.fixture
def own_world() -> Iterator[World]:
    """A world of this test alone: it counts every role and row."""
    with World() as world:
        yield world


def test_main_again_develop_broken(own_world: World, tmp_path: Path) -> None:
    story = Story(own_world, Job(tmp_path, own_world.task_environment()))
    story.first_run_applies_everything()
    story.second_run_has_nothing_to_do()
    story.develop_adds_the_product_table()
    story.broken_changes_nothing()
    story.no_secret_went_anywhere()


class Story:
    """The four runs, and everything they printed."""

    def __init__(self, world: World, job: Job) -> None:
        self.world, self.job, self.outputs = world, job, [""]

    def run(self, *arguments: str) -> Outcome:
        outcome = self.job.run(*arguments)
        self.outputs.append(outcome.output)
        # No file is left, so none with a secret in it either.
        assert self.job.left_behind() == []
        return outcome

    def first_run_applies_everything(self) -> None:
        outcome = self.run()
        assert outcome.exit_code == 0, outcome.output
        assert self.history() == FIRST_ROWS
        assert states(outcome.stdout, "1.0.1") == ["Pending", "Success"]
        assert f"commit {self.world.commits['main']}" in outcome.stdout
        steps = ["Reading the deploy key", "Fetching the default branch", "Taxiway ", "Connecting", "Database: "]
        places = [outcome.stdout.index(step) for step in steps]
        assert places == sorted(places)
        assert self.roles() == {"read_only", "sample_application"}
        with self.world.connect("read_only") as connection:
            assert connection.execute("SELECT count(*) FROM sample").fetchone() == (0,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("INSERT INTO sample (name) VALUES ('x')")
        with self.world.connect("sample_application") as connection:
            assert connection.execute("SELECT insert_sample_p('first')").fetchone() == (1,)

    def second_run_has_nothing_to_do(self) -> None:
        outcome = self.run()
        assert outcome.exit_code == 0, outcome.output
        assert "up to date" in outcome.stdout
        assert self.history() == FIRST_ROWS

    def develop_adds_the_product_table(self) -> None:
        outcome = self.run("develop")
        assert outcome.exit_code == 0, outcome.output
        assert states(outcome.stdout, "1.1.0") == ["Pending", "Success"]
        assert self.history() == [*FIRST_ROWS, PRODUCT_ROW]
        with self.world.connect("read_only") as connection:
            assert connection.execute("SELECT count(*) FROM product").fetchone() == (0,)

    def broken_changes_nothing(self) -> None:
        before = self.fingerprint()
        outcome = self.run("broken")
        assert outcome.exit_code == 1
        assert self.fingerprint() == before
        assert "sql/V1.2.0__AddProductPrice.sql:11:26:" in outcome.stderr
        assert 'column "wieght_lbs" does not exist' in outcome.stderr
        assert "11 |    SET price_usd = round(wieght_lbs * 2.40, 2)" in outcome.stderr
        assert "SQLSTATE 42703" in outcome.stderr

    def no_secret_went_anywhere(self) -> None:
        children = self.job.children.read_text()
        assert "GIT_SSH_COMMAND" in children
        assert "StrictHostKeyChecking=yes" in children
        secrets = dict(enumerate(self.world.secrets))
        for place in [children, *self.outputs]:
            assert find_secrets(secrets, place) == set()

    def history(self) -> list[tuple[object, ...]]:
        """The history without times; checksums are compared with the files here.

        That of a versioned migration is of the file as it is, that of a repeatable one of the replaced text
        (Flyway 13).
        """
        with self.world.connect() as connection:
            rows = connection.execute(
                "SELECT installed_rank, version, description, type, script, checksum, installed_by, success"
                " FROM flyway_schema_history ORDER BY installed_rank"
            ).fetchall()
        for _, version, _, _, script, number, installed_by, success in rows:
            text = find_script(script).read_text()
            assert (installed_by, success) == ("sqladmin", True)
            assert number == checksum(text if version else self.replaced(text))
        return [row[:5] for row in rows]

    def replaced(self, text: str) -> str:
        """What the placeholders of the sample project make of a text in this world."""
        values = {
            "DATABASE_NAME": self.world.database,
            "READ_ONLY_PASSWORD": self.world.passwords["read_only"],
            "SAMPLE_APPLICATION_PASSWORD": self.world.passwords["sample_application"],
        }
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", value)
        return text

    def roles(self) -> set[str]:
        with self.world.connect() as connection:
            rows = connection.execute(
                "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname NOT IN ('postgres', 'sqladmin')"
            ).fetchall()
        return {name for (name,) in rows}

    def fingerprint(self) -> list[tuple[object, ...]]:
        """Relations with columns, constraints, functions, roles and every row of every table."""
        with self.world.connect() as connection:
            return [row for query in FINGERPRINT for row in connection.execute(query).fetchall()]


FINGERPRINT = (
    """SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
       WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) ORDER BY 1, 2""",
    """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace ORDER BY 1""",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    "SELECT rolname FROM pg_roles ORDER BY 1",
    """SELECT objoid::text, objsubid, description FROM pg_description
       WHERE objoid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) ORDER BY 1, 2""",
    "SELECT * FROM flyway_schema_history ORDER BY 1",
    "SELECT * FROM sample ORDER BY 1",
    "SELECT * FROM product ORDER BY 1",
)


def find_script(script: str) -> Path:
    """The file that a script column names, on whichever branch it is."""
    (path,) = (
        path
        for folder in (SAMPLE_PROJECT, BRANCHES / "develop", BRANCHES / "broken")
        if (path := folder / "sql" / script).exists()
    )
    return path


def states(output: str, version: str) -> list[str]:
    """The states that the info tables show for a version, in order."""
    rows = [line.split("|") for line in output.splitlines() if f"| {version} " in line]
    return [row[6].strip() for row in rows]
