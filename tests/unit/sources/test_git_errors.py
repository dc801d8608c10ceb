import pytest

from taxiway import errors
from taxiway.sources.git_errors import explain, is_branch_missing, timed_out
from taxiway.sources.git_remote import Remote

GITHUB = Remote.parse("git@github.com:acme/shop-db.git")

# What git 2.39 with OpenSSH 9.2 wrote, and what GitHub, GitLab and curl are known to write.
CASES = [
    ("ssh: Could not resolve hostname github.com: Name or service not known", errors.GitUnreachable),
    ("ssh: connect to host github.com port 22: Connection refused", errors.GitUnreachable),
    ("ssh: connect to host github.com port 22: Connection timed out", errors.GitUnreachable),
    ("Connection timed out during banner exchange", errors.GitUnreachable),
    ("ssh: connect to host github.com port 22: No route to host", errors.GitUnreachable),
    ("Connection closed by 140.82.121.4 port 22", errors.GitUnreachable),
    ("Timeout, server github.com not responding.", errors.GitUnreachable),
    ("fatal: unable to access 'https://x/': Failed to connect to x port 443", errors.GitUnreachable),
    ("git@github.com: Permission denied (publickey).", errors.GitAuthRejected),
    ("Received disconnect from 1.2.3.4 port 22:2: Too many authentication failures", errors.GitAuthRejected),
    ("fatal: could not read Username for 'https://x': terminal prompts disabled", errors.GitAuthRejected),
    ('Load key "/proc/1/fd/5": error in libcrypto', errors.SecretMalformed),
    ("Host key verification failed.", errors.GitHostKeyRejected),
    ("Host key for github.com has changed and you have requested strict checking.", errors.GitHostKeyRejected),
    (
        "No ED25519 host key is known for github.com and you have requested strict checking.",
        errors.GitHostKeyRejected,
    ),
    ("ERROR: Repository not found.", errors.GitRepositoryNotFound),
    ("remote: ERROR: The project you were looking for could not be found", errors.GitRepositoryNotFound),
    ("fatal: '/srv/x.git' does not appear to be a git repository", errors.GitRepositoryNotFound),
    ("fatal: repository 'https://x/y.git/' not found", errors.GitRepositoryNotFound),
    ("fatal: detected dubious ownership in repository at '/srv/x.git'", errors.GitFailed),
]
LAST_WORDS = (
    "fatal: Could not read from remote repository.\n\n"
    "Please make sure you have the correct access rights\nand the repository exists."
)


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_the_telling_line_decides_wherever_it_stands(line: str, expected: type[errors.TaxiwayError]) -> None:
    error = explain(f"warning: something else\n{line}\n{LAST_WORDS}", GITHUB)
    assert type(error) is expected
    assert line in error.message
    assert error.hint


def test_a_repository_of_another_user_is_not_explained_with_git_configuration() -> None:
    text = (
        "fatal: detected dubious ownership in repository at '/srv/x.git'\n"
        "To add an exception for this directory, call:\n\n"
        "\tgit config --global --add safe.directory /srv/x.git\n"
    )
    error = explain(text + LAST_WORDS, Remote.parse("/srv/x.git"))
    assert "belongs to another user" in error.message
    assert "git config" not in f"{error.message} {error.hint}"
    assert "chown" in str(error.hint)


def test_a_key_that_ssh_cannot_load_is_not_blamed_on_the_host() -> None:
    text = 'Load key "/proc/1/fd/5": error in libcrypto\ngit@github.com: Permission denied (publickey).'
    assert isinstance(explain(text, GITHUB), errors.SecretMalformed)


def test_an_unknown_host_and_a_changed_key_are_told_apart() -> None:
    unknown = explain("No ED25519 host key is known for x and\nHost key verification failed.", GITHUB)
    changed = explain("Host key for x has changed and\nHost key verification failed.", GITHUB)
    assert "is not known" in unknown.message
    assert "may be somebody else" in changed.message


def test_what_the_other_side_writes_cannot_steer_the_terminal() -> None:
    error = explain("remote: \x1b]0;owned\x07 strange", GITHUB)
    assert isinstance(error, errors.GitFailed)
    assert "\x1b" not in error.message
    assert "strange" in error.message


def test_an_unknown_failure_shows_the_last_lines_of_git() -> None:
    lines = [f"line {number}" for number in range(9)]
    message = explain("\n".join(lines), GITHUB).message
    assert "line 8" in message
    assert "line 3" not in message


def test_a_missing_branch_is_found_above_the_last_line() -> None:
    assert is_branch_missing("fatal: Remote branch x not found in upstream origin\nfatal: hung up unexpectedly")
    assert not is_branch_missing("fatal: the remote end hung up unexpectedly")


def test_a_timeout_names_host_repository_and_seconds() -> None:
    assert timed_out(GITHUB, 2.5).message == (
        "github.com did not deliver git@github.com:acme/shop-db.git within 2.5 s."
    )
