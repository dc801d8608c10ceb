"""A reader who follows a page sees what the page says."""

from pathlib import Path
from typing import Final

import pytest

from sandbox.aws import AwsEndpoint
from sandbox.password import make_placeholder_password
from tests.support.examples import READER_DATABASE, READER_URL, Reader, matches, steps
from tests.support.markdown import PAGES, read_page
from tests.support.pytest_sandbox import Database

# Reads a secret, which the page has the reader make with AWS's own command line.
_WITH_SECRETS: Final = "docs/how-to/add-a-database-user.md"
# Wants a whole account: tests/docs/test_private_database.py.
_IN_AWS: Final = "docs/tutorial/private-database.md"


def follow(page: str, database: Database, directory: Path, variables: dict[str, str]) -> None:
    reader = Reader(
        directory,
        {
            **_address(page, database),
            "FLYWAY_PASSWORD": database.password,
            "APP_PASSWORD": database.password,
            "GIT_AUTHOR_NAME": "A reader",
            "GIT_AUTHOR_EMAIL": "reader@example.com",
            "GIT_COMMITTER_NAME": "A reader",
            "GIT_COMMITTER_EMAIL": "reader@example.com",
            **variables,
        },
    )
    place = f"{database.host}:{database.port}/{database.name}"
    for step in steps(read_page(page).replace(READER_URL, database.url).replace(READER_DATABASE, place)):
        reader.take(step)


def _address(page: str, database: Database) -> dict[str, str]:
    """As a page has it: in parts where it speaks of one of them, because beside a URL they are passed over."""
    if "DB_NAME" not in read_page(page):
        return {"FLYWAY_URL": database.url}
    return {
        "DB_HOST": database.host,
        "DB_PORT": str(database.port),
        "DB_NAME": database.name,
        "FLYWAY_USER": database.user,
    }


@pytest.mark.parametrize(
    "page", [page for page in PAGES if steps(read_page(page)) and page not in {_WITH_SECRETS, _IN_AWS}]
)
def test_the_examples_of_a_page_do_what_it_says(page: str, database: Database, tmp_path: Path) -> None:
    follow(page, database, tmp_path, {})


def test_the_examples_with_secrets_do_what_they_say(
    database: Database, aws_endpoint: AwsEndpoint, tmp_path: Path
) -> None:
    password = make_placeholder_password()
    aws_endpoint.put_secret("postgresql@app@reporting", {"username": "reporting", "password": password})
    follow(_WITH_SECRETS, database, tmp_path, {"REGION": aws_endpoint.region, **aws_endpoint.environment})
    with database.server.connect("reporting", password, database.name) as connection:
        assert connection.execute("SELECT current_user").fetchall() == [("reporting",)]


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial/first-migration.md"])
def test_the_first_pages_have_examples(page: str) -> None:
    assert steps(read_page(page))


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("one\n", "one\n", True),
        ("one\n", "two\n", False),
        ("at … s\n", "at 0.1 s\n", True),
        ("at … s\n", "at 0.1 s\nand more\n", False),
        ("first\n…\nlast\n", "first\na\nb\nlast\n", True),
        ("first\n…\nlast\n", "first\nlast\n", True),
        ("1.0\n", "1x0\n", False),
        ("", "", True),
        ("", "a warning\n", False),
    ],
)
def test_an_ellipsis_stands_for_anything(expected: str, printed: str, *, same: bool) -> None:
    assert matches(expected, printed) is same
