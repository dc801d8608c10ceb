"""The environment of the container says which repository and which branch."""

import pytest

from taxiway import errors
from taxiway.runner.job import VARIABLES, read_job

GITHUB = {"REPOSITORY_OWNER": "acme", "REPOSITORY_PATH": "database"}


def test_owner_and_path_mean_github() -> None:
    spec = read_job(GITHUB, branch=None)
    assert spec.github == ("acme", "database")
    assert spec.repository_url is None


def test_any_other_address_can_be_given() -> None:
    spec = read_job({"TAXIWAY_REPOSITORY_URL": "ssh://git@git.example.com/db.git"}, branch=None)
    assert spec.repository_url == "ssh://git@git.example.com/db.git"
    assert spec.github is None


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({}, "REPOSITORY_OWNER and REPOSITORY_PATH"),
        ({"REPOSITORY_OWNER": "acme"}, "REPOSITORY_PATH"),
        ({"REPOSITORY_OWNER": "acme", "REPOSITORY_PATH": " "}, "REPOSITORY_PATH"),
    ],
)
def test_a_job_without_a_repository_says_what_is_missing(environment: dict[str, str], missing: str) -> None:
    with pytest.raises(errors.MissingOption, match=missing):
        read_job(environment, branch=None)


def test_two_repositories_are_one_too_many() -> None:
    with pytest.raises(errors.InvalidOption, match="Both"):
        read_job({**GITHUB, "TAXIWAY_REPOSITORY_URL": "x"}, branch=None)


@pytest.mark.parametrize(
    ("argument", "variable", "expected"),
    [("develop", "main", "develop"), (None, "main", "main"), (None, "", None), (None, None, None)],
)
def test_the_argument_wins_over_the_variable(
    argument: str | None, variable: str | None, expected: str | None
) -> None:
    environment = GITHUB if variable is None else {**GITHUB, "TAXIWAY_BRANCH": variable}
    assert read_job(environment, branch=argument).branch == expected


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"REGION": "a", "AWS_REGION": "b", "AWS_DEFAULT_REGION": "c"}, "a"),
        ({"AWS_REGION": "b", "AWS_DEFAULT_REGION": "c"}, "b"),
        ({"AWS_DEFAULT_REGION": "c"}, "c"),
        ({"REGION": " ", "AWS_REGION": "", "AWS_DEFAULT_REGION": "c"}, "c"),
        ({}, None),
    ],
)
def test_the_region_has_three_names(environment: dict[str, str], region: str | None) -> None:
    assert read_job({**GITHUB, **environment}, branch=None).region == region


def test_every_variable_is_described() -> None:
    assert all(variable.help.endswith(".") for variable in VARIABLES)
