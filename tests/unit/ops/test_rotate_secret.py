"""Which passwords can be rotated, and what a rotation writes."""

import json

import pytest

from taxiway import errors
from taxiway.model.stored_secret import PENDING, ROTATION_PREFIX, Purpose, SecretUse, StoredSecret
from taxiway.ops.rotate_secret import begin_rotation, cancel_rotation, plan_rotation
from tests.support.fake_secrets import FakeSecrets

CURRENT = {"v1": frozenset({"AWSCURRENT"})}
THERE = StoredSecret(name="s", arn="arn:s", stages=CURRENT)
ROLE = SecretUse(secret_id="s", purpose=Purpose.DATABASE_USER, origin="roles.app.secret", key="pw", user="app")


def pending(version: str) -> StoredSecret:
    return StoredSecret(name="s", arn="arn:s", stages={**CURRENT, version: frozenset({"AWSPENDING"})})


def test_a_rotation_writes_another_password_as_the_pending_version_and_keeps_the_rest() -> None:
    store = FakeSecrets({"s": '{"username": "app", "pw": "old", "host": "h"}'})
    version = begin_rotation(plan_rotation("s", THERE, [ROLE]), store)
    [(name, text, put, stage)] = store.puts
    content = json.loads(text)
    assert (name, put, stage) == ("s", version, PENDING)
    assert (content["username"], content["host"], len(content["pw"])) == ("app", "h", 32)
    assert version.startswith(ROTATION_PREFIX)
    assert 32 <= len(version) <= 64


@pytest.mark.parametrize(
    ("there", "error"),
    [
        (None, errors.SecretNotFound),
        (StoredSecret(name="s", arn="arn:s"), errors.SecretNotFound),
        (StoredSecret(name="s", arn="arn:s", owner="rds", stages=CURRENT), errors.RotationRefused),
        (StoredSecret(name="s", arn="arn:s", is_rotated=True, stages=CURRENT), errors.RotationRefused),
        (pending("by-a-function"), errors.RotationRefused),
    ],
)
def test_what_somebody_else_rotates_is_refused(
    there: StoredSecret | None, error: type[errors.TaxiwayError]
) -> None:
    with pytest.raises(error) as caught:
        plan_rotation("s", there, [ROLE])
    assert caught.value.hint


def test_a_user_that_no_run_would_set_is_refused_and_said_where_it_is_used() -> None:
    use = SecretUse(secret_id="s", purpose=Purpose.REFERENCE, origin="taxiway.toml: database.password", key="pw")
    with pytest.raises(errors.RotationRefused, match="referred to by taxiway"):
        plan_rotation("s", THERE, [use])


def test_a_secret_may_be_named_by_its_arn_in_the_file_and_by_its_name_here() -> None:
    use = SecretUse(secret_id="arn:s", purpose=Purpose.DATABASE_USER, origin="x", key="pw", user="app")
    assert plan_rotation("s", THERE, [use]).user == "app"


def test_one_that_is_under_way_is_known_and_can_be_given_up() -> None:
    version = f"{ROTATION_PREFIX}1"
    rotation = plan_rotation("s", pending(version), [ROLE])
    assert rotation.pending == version
    store = FakeSecrets()
    cancel_rotation(rotation, store)
    assert store.taken == [("s", PENDING, version)]
    with pytest.raises(errors.RotationRefused):
        cancel_rotation(plan_rotation("s", THERE, [ROLE]), store)


def test_a_version_that_has_become_current_is_no_rotation_any_more() -> None:
    """AWS leaves the stage where it is."""
    there = StoredSecret(name="s", arn="arn:s", stages={"v2": frozenset({"AWSCURRENT", "AWSPENDING"})})
    assert plan_rotation("s", there, [ROLE]).pending is None


@pytest.mark.parametrize("text", ["plain canary", "{}", '{"pw": 1}', '{"username": "bob", "pw": "canary"}'])
def test_a_secret_of_another_form_is_left_alone(text: str) -> None:
    store = FakeSecrets({"s": text})
    with pytest.raises(errors.SecretMalformed) as caught:
        begin_rotation(plan_rotation("s", THERE, [ROLE]), store)
    assert "canary" not in str(caught.value)
    assert store.puts == []
