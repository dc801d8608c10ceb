import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.git_server import GitServer
from taxiway.errors import InvalidOption, UnreadableScript
from taxiway.model.location import Location
from taxiway.secret import Secret
from taxiway.sources.directory import DirectorySources
from taxiway.sources.git import GitRepository, checkout
from taxiway.sources.git_branch import check_branch_name
from tests.integration.sources.conftest import SCRIPT, Recording, Upstream


def make_key(path: Path, *options: str) -> tuple[str, str]:
    command = ["ssh-keygen", "-q", "-N", "", "-C", "test", *options, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path.read_text(), path.with_suffix(".pub").read_text()


def authorize(git_server: GitServer, public_half: str) -> None:
    with (git_server.directory / "authorized_keys").open("a") as file:
        file.write(public_half)


def test_a_branch_is_fetched_by_name(repository: GitRepository, upstream: Upstream) -> None:
    with checkout(repository, "develop") as found:
        assert (found.branch, found.commit) == ("develop", upstream.commit_of("develop"))
        assert found.repository == repository.url
        assert sorted(path.name for path in (found.directory / "sql").iterdir()) == [
            "V1__a.sql",
            "V2__b.sql",
            "V3__product.sql",
        ]


def test_without_a_name_it_is_the_default_branch_and_says_which(
    repository: GitRepository, upstream: Upstream
) -> None:
    with checkout(repository, None) as found:
        assert (found.branch, found.commit) == ("trunk", upstream.commit_of("trunk"))


def test_known_hosts_may_have_a_comment_in_any_encoding(repository: GitRepository) -> None:
    comment = b"# \xe4\n".decode("utf-8", "surrogateescape")  # as a variable of the environment is read
    with checkout(replace(repository, known_hosts=f"{comment}{repository.known_hosts}"), None) as found:
        assert found.branch == "trunk"


@pytest.mark.parametrize("branch", [None, "develop"])
def test_one_connection_is_enough(repository: GitRepository, recording: Recording, branch: str | None) -> None:
    with checkout(repository, branch):
        pass
    assert recording.count("ssh") == 1


def test_only_the_newest_commit_and_no_tag_is_fetched(repository: GitRepository) -> None:
    with checkout(repository, "develop") as found:
        clone = Upstream(found.directory)
        assert clone.git("rev-list", "--all", "--count") == "1"
        assert clone.git("tag", "--list") == ""
        assert "outside" not in clone.git("branch", "--all")


def test_bytes_are_those_of_the_commit_whatever_the_user_has_configured(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text(f"[core]\nautocrlf = true\nattributesFile = {tmp_path}/attributes\n")
    (tmp_path / "attributes").write_text("*.sql eol=crlf\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.autocrlf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    with checkout(repository, "trunk") as found:
        assert (found.directory / "sql/V1__a.sql").read_bytes() == SCRIPT


@pytest.mark.parametrize(
    "change",
    [
        str.rstrip,
        lambda key: key.replace("\n", "\r\n"),
        lambda key: key.replace("\n", r"\n"),
        lambda key: key.replace("\n", " "),
    ],
)
@pytest.mark.parametrize("options", [("-t", "ed25519"), ("-t", "rsa", "-b", "2048", "-m", "PEM")])
def test_a_key_is_understood_however_it_was_stored(
    repository: GitRepository,
    git_server: GitServer,
    tmp_path: Path,
    options: tuple[str, ...],
    change: Callable[[str], str],
) -> None:
    private_half, public_half = make_key(tmp_path / "key", *options)
    authorize(git_server, public_half)
    with checkout(replace(repository, private_key=Secret(change(private_half))), "trunk") as found:
        assert found.branch == "trunk"


@pytest.mark.parametrize("form", ["{path}", "file://{path}"])
def test_a_repository_on_this_machine_needs_no_key(upstream: Upstream, form: str) -> None:
    with checkout(GitRepository(url=form.format(path=upstream.path)), "develop") as found:
        assert found.commit == upstream.commit_of("develop")
        assert Upstream(found.directory).git("rev-list", "--all", "--count") == "1"


def test_a_path_with_odd_characters_is_found(upstream: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "a b%41'ü.git"
    shutil.copytree(upstream.path, path)
    with checkout(GitRepository(url=str(path)), None) as found:
        assert found.branch == "trunk"


def test_without_a_private_key_the_agent_of_the_user_is_asked(
    repository: GitRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    socket = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL) as agent:
        try:
            while not socket.exists():
                time.sleep(0.01)
            monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
            key = str(repository.private_key and repository.private_key.reveal())
            subprocess.run(["ssh-add", "-q", "-"], check=True, input=key, text=True)
            with checkout(replace(repository, private_key=None), "trunk") as found:
                assert found.branch == "trunk"
        finally:
            agent.terminate()


def test_a_private_key_is_the_only_thing_that_is_tried(
    repository: GitRepository, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere/agent")
    with checkout(repository, "trunk"):
        pass
    assert "SSH_AUTH_SOCK" not in recording.text()
    assert "IdentitiesOnly=yes" in recording.text()


def test_a_link_out_of_the_repository_is_not_read(repository: GitRepository) -> None:
    with checkout(repository, "outside") as found:
        files = DirectorySources(
            [Location.parse("sql")], base=found.directory, fail_on_missing=True, inside=found.directory
        )
        with pytest.raises(UnreadableScript, match=r"^sql/V3__c\.sql: symbolic link that points outside"):
            files.files()


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab./-@{~^:?*[\\ \x7f\tü#%!", min_size=1, max_size=8))
@example("a.lock")
@example("HEAD")
@example("@")
@example("a/HEAD")
@example("a.lock/b")
def test_a_name_is_refused_exactly_when_git_refuses_it(name: str) -> None:
    asked = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False)
    # These three git allows as names of references and not as names of branches.
    allowed = asked.returncode == 0 and not name.startswith("-") and name not in {"HEAD", "@"}
    if allowed:
        check_branch_name(name)
    else:
        with pytest.raises(InvalidOption):
            check_branch_name(name)
