"""One commit by its id: only what a branch of the repository leads to, and nothing but that commit."""

import pytest

from taxiway import errors
from taxiway.sources.git import GitRepository, checkout
from tests.integration.sources.conftest import Recording, Upstream


def test_the_newest_commit_of_a_branch_takes_two_connections(
    repository: GitRepository, upstream: Upstream, recording: Recording
) -> None:
    commit = upstream.commit_of("develop")
    with checkout(repository, None, commit=commit.upper()) as found:
        assert (found.branch, found.commit) == ("develop", commit)
        assert (found.directory / "sql" / "V3__product.sql").exists()
    assert recording.count("ssh") == 2


def test_an_older_commit_is_fetched_as_it_was(repository: GitRepository, upstream: Upstream) -> None:
    commit = upstream.git("rev-parse", "trunk~1")
    with checkout(repository, None, commit=commit) as found:
        # Every branch has it; the default one is named.
        assert (found.branch, found.commit) == ("trunk", commit)
        assert [path.name for path in (found.directory / "sql").iterdir()] == ["V1__a.sql"]
        clone = Upstream(found.directory)
        assert clone.git("rev-list", "--all", "HEAD", "--count") == "1"


def test_a_commit_that_is_on_no_branch_is_refused_though_the_host_has_it(
    repository: GitRepository, upstream: Upstream
) -> None:
    """What a fork has pushed lies in the same store on GitHub, and is handed out by its id."""
    tree = upstream.git("rev-parse", "trunk^{tree}")
    stranger = upstream.git("commit-tree", tree, "-p", "trunk", "-m", "Never merged")
    upstream.git("update-ref", "refs/pull/1/head", stranger)
    with pytest.raises(errors.GitRefNotFound, match=f"No branch of .* has the commit {stranger}"):
        checkout(repository, None, commit=stranger).__enter__()


def test_an_unknown_commit_is_an_error_that_names_it(repository: GitRepository) -> None:
    with pytest.raises(errors.GitRefNotFound, match="0123456789" * 4):
        checkout(repository, None, commit="0123456789" * 4).__enter__()


@pytest.mark.parametrize(
    ("text", "reason"), [("35cd16f", "only the beginning"), ("--upload-pack=x", "not the id")]
)
def test_a_short_or_foreign_id_never_reaches_git(
    repository: GitRepository, recording: Recording, text: str, reason: str
) -> None:
    with pytest.raises(errors.InvalidOption, match=reason):
        checkout(repository, None, commit=text).__enter__()
    assert recording.count("git") == 0


def test_the_repository_may_be_a_path(upstream: Upstream) -> None:
    commit = upstream.git("rev-parse", "trunk~1")
    with checkout(GitRepository(url=str(upstream.path)), None, commit=commit) as found:
        assert found.commit == commit
