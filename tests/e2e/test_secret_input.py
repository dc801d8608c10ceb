"""Where values come from, and where they never come from."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from sandbox.aws import AwsEndpoint
from tests.support.keeper import COMMAND, Keeper
from tests.support.terminal import Terminal

CANARY: Final = "Canary-0123456789"
CTRL_C: Final = b"\x03"
CTRL_D: Final = b"\x04"


@pytest.fixture
def keeper(aws_endpoint: AwsEndpoint, tmp_path: Path) -> Iterator[Keeper]:
    yield Keeper(tmp_path, aws_endpoint)
    aws_endpoint.clear_faults()


@pytest.fixture
def name(keeper: Keeper) -> str:
    return f"input/{keeper.directory.name}"


def exists(keeper: Keeper, name: str) -> bool:
    client = keeper.aws.client("secretsmanager")
    try:
        client.describe_secret(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


def reply(terminal: Terminal, question: str, keys: bytes) -> None:
    """Wait for a question, and type."""
    terminal.wait_for(question)
    # The terminal shows nothing once the prompt is there; to type before that would show it.
    time.sleep(0.2)
    terminal.type(keys)


@contextmanager
def typing(keeper: Keeper, *arguments: str) -> Iterator[Terminal]:
    command = [str(COMMAND), *arguments]
    terminal = Terminal(command, directory=keeper.directory, environment=keeper.variables({}))
    try:
        yield terminal
    finally:
        terminal.close()


def test_no_value_is_told_with_what_it_was_to_be(keeper: Keeper, name: str) -> None:
    text = keeper.call("secrets", "put", name, "--text", "--yes")
    assert f"ERROR: Nothing was given as the value of '{name}'.\n" in text.stderr
    user = keeper.call("secrets", "put", name, "--username", "app", "--yes")
    assert "ERROR: Nothing was given as the password of 'app'.\n" in user.stderr
    assert not exists(keeper, name)


def test_a_variable_that_wins_over_the_file_is_warned_of(keeper: Keeper) -> None:
    keeper.write('[secrets]\ndeploy_key_secret = "key-of-the-file"\n')
    plan = ("deploy-key", "create", "--dry-run")
    told = keeper.call(*plan, REPOSITORY_DEPLOY_KEY_SECRET="key-of-the-shell")
    warning = (
        "deploy_key_secret = 'key-of-the-file' is passed over: REPOSITORY_DEPLOY_KEY_SECRET is 'key-of-the-shell'."
    )
    assert told.stderr == f"WARNING: {warning}\n"
    assert "secret 'key-of-the-shell'" in told.stdout
    assert keeper.call(*plan).stderr == ""


def test_a_value_that_is_typed_twice_is_stored_and_never_shown(keeper: Keeper, name: str) -> None:
    with typing(keeper, "secrets", "put", name, "--username", "app") as terminal:
        reply(terminal, "The password of 'app': ", f"{CANARY}\n".encode())
        reply(terminal, "The same again: ", f"{CANARY}\n".encode())
        assert terminal.end() == 0, terminal.shown
    assert keeper.content(name) == {"username": "app", "password": CANARY}
    assert CANARY not in terminal.shown


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (b"one-value\n", b"another-value\n", "secret-rejected"),
        (b"one-value\n", CTRL_D, "secret-rejected"),
        (b"\n", None, "secret-rejected"),
        (CTRL_D, None, "secret-rejected"),
        (CTRL_C, None, None),
        (b"one-value\n", CTRL_C, None),
    ],
)
def test_what_is_not_meant_stores_nothing(
    keeper: Keeper, name: str, first: bytes, second: bytes | None, code: str | None
) -> None:
    with typing(keeper, "secrets", "put", name, "--text") as terminal:
        reply(terminal, f"The value of '{name}': ", first)
        if second is not None:
            reply(terminal, "The same again: ", second)
        assert terminal.end() == (2 if code else 130), terminal.shown
    assert code is None or f"Code: {code}" in terminal.shown
    assert "-value" not in terminal.shown
    assert "Traceback" not in terminal.shown
    assert not exists(keeper, name)


def test_replacing_asks_at_a_terminal_and_no_is_no(keeper: Keeper, name: str) -> None:
    keeper.aws.put_secret(name, "before")
    for answer, stays in ((b"no\n", True), (b"yes\n", False)):
        with typing(keeper, "secrets", "put", name, "--text", "--generate", "--replace") as terminal:
            reply(terminal, "Type 'yes':", answer)
            assert terminal.end() == (2 if stays else 0), terminal.shown
        assert (keeper.stored(name) == "before") is stays


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (("--username", "app", CANARY), ""),
        (("--username", "app", CANARY, "more"), ""),
        (("--username", "app"), ""),
        (("--username", "app"), "\n"),
        (("--username", "app"), f"{CANARY}\nsecond line\n"),
        (("--username", "app"), f'{{"username": "app", "password": "{CANARY}"}}'),
        (("--text",), "nul \0 in it"),
        (("--text",), "x" * 65_537),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_and_not_shown(
    keeper: Keeper, name: str, arguments: tuple[str, ...], stdin: str
) -> None:
    ended = keeper.call("secrets", "put", name, *arguments, stdin=stdin)
    assert (ended.exit_code, ended.code) == (2, "secret-rejected"), ended.stderr
    assert "Hint: " in ended.stderr
    assert CANARY not in ended.stdout + ended.stderr
    assert not exists(keeper, name)


@pytest.mark.parametrize("option", ["--value", "--secret-string", "--password"])
def test_there_is_no_option_for_a_value_and_none_is_shown(keeper: Keeper, name: str, option: str) -> None:
    for arguments in ((f"{option}={CANARY}",), (option, CANARY)):
        ended = keeper.call("secrets", "put", name, "--text", *arguments)
        assert ended.exit_code == 2
        assert CANARY not in ended.stdout + ended.stderr


def test_a_value_in_the_place_of_the_name_is_not_shown(keeper: Keeper) -> None:
    ended = keeper.call("secrets", "put", "pa$$ word", "--text", "--generate")
    assert (ended.exit_code, ended.code) == (2, "secret-rejected")
    assert "pa$$" not in ended.stderr


def test_standard_input_loses_its_last_line_end_only(keeper: Keeper, name: str) -> None:
    ended = keeper.call("secrets", "put", name, "--text", stdin="\ufeff two\nlines \r\n")
    assert ended.exit_code == 0, ended.stderr
    assert keeper.stored(name) == " two\nlines "


def test_a_secret_with_a_value_is_left_alone_until_that_is_asked_for(keeper: Keeper, name: str) -> None:
    keeper.aws.put_secret(name, {"username": "app", "password": "before", "host": "db.example"})
    arguments = ("secrets", "put", name, "--username", "app")
    first = keeper.call(*arguments, stdin=CANARY)
    assert (first.exit_code, first.code) == (2, "secret-exists")
    second = keeper.call(*arguments, "--replace", stdin=CANARY)
    assert (second.exit_code, second.code) == (2, "not-confirmed")
    planned = keeper.call(*arguments, "--replace", "--dry-run")
    assert (planned.exit_code, "Nothing was changed." in planned.stdout) == (0, True)
    assert keeper.content(name)["password"] == "before"
    third = keeper.call(*arguments, "--replace", "--yes", "--output", "json", stdin=CANARY)
    assert third.exit_code == 0, third.stderr
    assert third.json["done"] is True
    assert keeper.content(name) == {"username": "app", "password": CANARY, "host": "db.example"}
    again = keeper.call(*arguments, "--replace", "--yes", stdin=CANARY)
    assert "has that value already" in again.stdout
    assert CANARY not in keeper.seen()


def test_nobody_is_asked_for_a_value_that_would_not_be_stored(keeper: Keeper, name: str) -> None:
    """A password that is typed for nothing is one time too often."""
    keeper.aws.put_secret(name, "before")
    with typing(keeper, "secrets", "put", name, "--text") as terminal:
        assert terminal.end() == 2
    assert "The value of" not in terminal.shown
    assert "Code: secret-exists" in terminal.shown


def test_a_secret_that_is_marked_as_deleted_is_said_to_be_and_how_to_take_it_back(
    keeper: Keeper, name: str
) -> None:
    keeper.aws.put_secret(name, "before")
    keeper.aws.client("secretsmanager").delete_secret(SecretId=name, RecoveryWindowInDays=7)
    for arguments in (
        ("secrets", "put", name, "--text", "--generate", "--replace", "--yes"),
        ("deploy-key", "create", "--secret", name, "--yes"),
        ("secrets", "rotate", name, "--yes"),
    ):
        ended = keeper.call(*arguments)
        assert (ended.exit_code, ended.code) == (2, "secret-blocked"), ended.stderr
        assert f"restore-secret --secret-id '{name}'" in ended.stderr


def test_throttling_is_waited_for_and_told_when_it_does_not_end(keeper: Keeper, name: str) -> None:
    action = "secretsmanager:CreateSecret"
    keeper.aws.add_fault("api-error", action=action, code="ThrottlingException", times=2)
    ended = keeper.call("secrets", "put", name, "--text", "--generate")
    assert ended.exit_code == 0, ended.stderr
    keeper.aws.add_fault("api-error", action="secretsmanager:DescribeSecret", times=None)
    ended = keeper.call("secrets", "put", name, "--text", "--generate")
    assert (ended.exit_code, ended.code) == (4, "aws-throttled"), ended.stderr
