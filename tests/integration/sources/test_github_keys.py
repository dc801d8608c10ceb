"""Deploy keys at GitHub: the requests, and what is made of every refusal. GitHub is a server on this machine."""

from collections.abc import Iterator

import pytest

from taxiway import errors
from taxiway.secret import Secret
from taxiway.sources.github_keys import GithubKeys
from tests.support.fake_github import REPOSITORY, TOKEN, FakeGithub, fake_github

PUBLIC = "ssh-ed25519 AAAAC3Nz taxiway"


@pytest.fixture
def github() -> Iterator[FakeGithub]:
    with fake_github() as server:
        yield server


def keys(github: FakeGithub, repository: str = REPOSITORY, token: str = TOKEN) -> GithubKeys:
    return GithubKeys(repository, Secret(token), api_url=github.url)


def test_a_key_is_registered_for_reading_only_found_and_removed(github: FakeGithub) -> None:
    host = keys(github)
    assert host.find(PUBLIC) is None
    added = host.add(PUBLIC, "taxiway")
    assert added.is_new
    assert github.keys == [{"id": added.id, "title": "taxiway", "key": PUBLIC, "read_only": True}]
    assert host.find("ssh-ed25519 AAAAC3Nz another-comment") == added._replace(is_new=False)
    host.remove(added)
    assert github.keys == []


def test_a_key_is_found_on_the_second_page(github: FakeGithub) -> None:
    github.keys = [{"id": n, "key": f"ssh-rsa K{n}", "read_only": True} for n in range(101)]
    found = keys(github).find("ssh-rsa K100 x")
    assert found is not None
    assert found.id == 100
    assert len(github.requests) == 2


def test_each_refusal_says_what_to_do(github: FakeGithub) -> None:
    github.taken.add(PUBLIC)
    for host, words, hint in (
        (keys(github, token="wrong-canary"), "Bad credentials", "new token"),
        (keys(github, "acme/other"), "no such repository", "Administration"),
        (keys(github), "key is already in use", "one repository only"),
    ):
        with pytest.raises(errors.KeyNotRegistered, match=words) as caught:
            host.add(PUBLIC, "taxiway")
        assert hint in str(caught.value.hint)
        assert "canary" not in f"{caught.value} {caught.value.__cause__}"


def test_the_token_is_not_taken_along_to_where_a_redirect_leads(github: FakeGithub) -> None:
    with fake_github() as elsewhere:
        github.redirect = f"{elsewhere.url}/repos/{REPOSITORY}/keys?page=1"
        with pytest.raises(errors.KeyNotRegistered, match="has moved"):
            keys(github).find(PUBLIC)
        assert elsewhere.requests == []


def test_a_token_is_not_sent_in_clear() -> None:
    with pytest.raises(errors.InvalidOption, match="https"):
        GithubKeys(REPOSITORY, Secret(TOKEN), api_url="http://github.example/api/v3")


def test_a_host_that_does_not_answer_is_told() -> None:
    host = GithubKeys(REPOSITORY, Secret(TOKEN), api_url="http://127.0.0.1:1")
    with pytest.raises(errors.KeyNotRegistered, match="could not be reached"):
        host.find(PUBLIC)
