"""What is wrong with secrets, and the exact way out."""

from datetime import UTC, datetime

import pytest

from taxiway.model.stored_secret import Finding, Purpose, SecretUse, StoredSecret
from taxiway.ops.survey_secrets import survey_secrets
from tests.support.fake_secrets import FakeSecrets

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n-----END OPENSSH PRIVATE KEY-----\n"
ROLE = SecretUse(
    secret_id="s", purpose=Purpose.DATABASE_USER, origin="roles.app.secret", key="password", user="app"
)
VALUE = SecretUse(secret_id="s", purpose=Purpose.REFERENCE, origin="flyway.placeholders.X", key="password")
WHOLE = SecretUse(secret_id="s", purpose=Purpose.REFERENCE, origin="flyway.placeholders.Y")
DEPLOY = SecretUse(secret_id="s", purpose=Purpose.DEPLOY_KEY, origin="deploy_key_secret")


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (ROLE, '{"username": "app", "password": "p"}'),
        (ROLE, '{"password": "p"}'),
        (VALUE, '{"password": 1}'),
        (WHOLE, "anything"),
        (DEPLOY, KEY),
        (DEPLOY, KEY.replace("\n", "\\n")),
    ],
)
def test_a_secret_that_has_what_is_asked_of_it_is_ready(use: SecretUse, text: str) -> None:
    [state] = survey_secrets([use], FakeSecrets({"s": text}))
    assert state.is_ready


@pytest.mark.parametrize(
    ("use", "text", "finding", "fix"),
    [
        (ROLE, None, Finding.MISSING, "taxiway secrets put 's' --username 'app' --generate"),
        (VALUE, None, Finding.MISSING, "taxiway secrets put 's' --username USER"),
        (WHOLE, None, Finding.MISSING, "taxiway secrets put 's' --text"),
        (DEPLOY, None, Finding.MISSING, "taxiway deploy-key create --secret 's'"),
        (ROLE, '{"pasword": "p"}', Finding.NO_KEY, "Write 's#pasword' in roles.app.secret, or:"),
        (ROLE, "{}", Finding.NO_KEY, "--replace"),
        (ROLE, "plain", Finding.NOT_JSON, "taxiway secrets put 's' --username 'app' --replace"),
        (ROLE, '{"username": "app", "password": ""}', Finding.EMPTY, "--replace"),
        (ROLE, '{"username": "bob", "password": "p"}', Finding.OTHER_USER, "Name the secret of 'app' there"),
        (WHOLE, "", Finding.EMPTY, "taxiway secrets put 's' --text --replace"),
        (DEPLOY, "ssh-ed25519 AAAA", Finding.NOT_A_KEY, "taxiway deploy-key create --secret 's' --replace"),
    ],
)
def test_each_fault_has_its_way_out(use: SecretUse, text: str | None, finding: Finding, fix: str) -> None:
    [state] = survey_secrets([use], FakeSecrets({} if text is None else {"s": text}))
    [problem] = state.problems
    assert problem.finding is finding
    assert fix in problem.fix
    assert "canary" not in problem.message


@pytest.mark.parametrize(
    ("stored", "finding"),
    [
        (StoredSecret(name="s", arn="arn:s", deletes_at=datetime(2026, 1, 2, tzinfo=UTC)), Finding.DELETED),
        (StoredSecret(name="s", arn="arn:s"), Finding.NO_VALUE),
    ],
)
def test_a_secret_that_is_there_and_has_no_value_is_not_read(stored: StoredSecret, finding: Finding) -> None:
    [state] = survey_secrets([ROLE], FakeSecrets(stored={"s": stored}))
    assert [problem.finding for problem in state.problems] == [finding]


def test_uses_of_the_same_secret_are_told_together_and_a_fault_once() -> None:
    [state] = survey_secrets([ROLE, VALUE, ROLE], FakeSecrets({"s": '{"username": "app", "password": "p"}'}))
    assert (len(state.uses), state.keys, state.problems) == (3, ("username", "password"), ())
    [state] = survey_secrets([ROLE, ROLE], FakeSecrets())
    assert len(state.problems) == 1


def test_a_secret_that_may_not_be_read_is_told_and_the_others_are_checked() -> None:
    other = SecretUse(secret_id="t", purpose=Purpose.REFERENCE, origin="x")
    first, second = survey_secrets([ROLE, other], FakeSecrets({"s": "{}", "t": "x"}, denied=frozenset({"s"})))
    assert [problem.finding for problem in first.problems] == [Finding.UNREADABLE]
    assert second.is_ready
