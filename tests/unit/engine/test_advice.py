"""What the SQLSTATE of a refusal has a person do."""

import pytest

from taxiway import errors
from taxiway.engine.advice import advise


def advice(sqlstate: str | None, message: str = "x", user: str | None = "app") -> str | None:
    return advise(errors.DatabaseError(message, sqlstate=sqlstate), user=user)


@pytest.mark.parametrize("sqlstate", ["42601", "23505", "P0001", None])
def test_most_refusals_have_no_advice_of_their_own(sqlstate: str | None) -> None:
    assert advice(sqlstate) is None


def test_who_may_only_read_has_to_connect_elsewhere() -> None:
    assert "writer" in (advice("25006") or "")


@pytest.mark.parametrize("sqlstate", ["55P03", "40P01", "57014", "53100", "53200", "53300"])
def test_what_passes_is_no_fault_of_the_script(sqlstate: str) -> None:
    assert (advice(sqlstate) or "").startswith("Nothing is wrong with the scripts: run again")


@pytest.mark.parametrize(
    ("message", "user", "words"),
    [
        ("permission denied for schema public", "app", 'run \'GRANT CREATE ON SCHEMA "public" TO "app"\', then'),
        ("permission denied for schema My", 'a"b', 'GRANT USAGE, CREATE ON SCHEMA "My" TO "a""b"'),
        ("permission denied for schema public", None, "Grant the database user the privileges on schema public"),
        ("permission denied for table my table", "app", "Grant user app the privileges on table my table that"),
        ("must be owner of table t", "app", "Grant user app what it lacks"),
        ("droit refusé pour la table t", "app", "Grant user app what it lacks"),
    ],
)
def test_a_privilege_that_lacks_is_named_with_whom_it_lacks(message: str, user: str | None, words: str) -> None:
    assert words in (advice("42501", message, user) or "")
