"""What putting a value comes to, and which values nobody can have meant."""

import json
from datetime import UTC, datetime

import pytest

from taxiway import errors
from taxiway.model.stored_secret import Purpose, PutAction, PutWish, SecretUse, Shape, StoredSecret
from taxiway.ops.put_secret import check_secret_name, check_value, choose_shape, make_text, plan_put
from taxiway.secret import Secret

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:users/app-AbCdEf"
THERE = StoredSecret(name="users/app", arn=ARN, stages={"v1": frozenset({"AWSCURRENT"})})
ROLE = SecretUse(
    secret_id="users/app",
    purpose=Purpose.DATABASE_USER,
    origin="taxiway.toml: roles.app.secret",
    key="password",
    user="app",
)
WISH = PutWish(name="users/app", shape=Shape.USER, user="app")
REPLACING = PutWish(name="users/app", shape=Shape.USER, user="app", may_replace=True)


def test_the_shape_is_that_of_the_role_unless_it_is_asked_for() -> None:
    assert choose_shape("users/app", user=None, is_text=False, uses=[ROLE]) == (Shape.USER, "app")
    assert choose_shape("users/app", user="app", is_text=False, uses=[ROLE]) == (Shape.USER, "app")
    assert choose_shape("users/app", user=None, is_text=True, uses=[ROLE]) == (Shape.TEXT, None)
    assert choose_shape("other", user="bot", is_text=False, uses=[ROLE]) == (Shape.USER, "bot")
    with pytest.raises(errors.MissingOption):
        choose_shape("other", user=None, is_text=False, uses=[ROLE])
    with pytest.raises(errors.InvalidOption, match="that of role 'app'"):
        choose_shape("users/app", user="other", is_text=False, uses=[ROLE])


def test_a_deploy_key_is_plain_text() -> None:
    use = SecretUse(secret_id="key", purpose=Purpose.DEPLOY_KEY, origin="deploy_key_secret")
    assert choose_shape("key", user=None, is_text=False, uses=[use]) == (Shape.TEXT, None)


def test_a_secret_that_is_not_there_is_made_and_one_without_a_value_gets_its_first() -> None:
    assert plan_put(WISH, None, [ROLE]).action is PutAction.CREATE
    empty = StoredSecret(name="users/app", arn=ARN)
    assert plan_put(WISH, empty, [ROLE]).action is PutAction.REPLACE


def test_a_value_is_replaced_only_when_asked_for_and_says_what_waits() -> None:
    with pytest.raises(errors.SecretExists):
        plan_put(WISH, THERE, [ROLE])
    plan = plan_put(REPLACING, THERE, [ROLE])
    assert plan.action is PutAction.REPLACE
    [consequence] = plan.consequences
    assert "taxiway secrets rotate users/app" in consequence


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (
            StoredSecret(name="s", arn=ARN, deletes_at=datetime(2026, 1, 2, tzinfo=UTC)),
            "restore-secret --secret-id 's'",
        ),
        (StoredSecret(name="s", arn=ARN, owner="rds"), "rotate-secret --secret-id 's'"),
    ],
)
def test_what_would_not_stay_is_not_written(there: StoredSecret, words: str) -> None:
    with pytest.raises(errors.SecretBlocked) as caught:
        plan_put(REPLACING, there, [])
    assert caught.value.hint is not None
    assert words in caught.value.hint


def test_key_and_tags_are_for_new_secrets() -> None:
    for wish in (
        PutWish(name="s", shape=Shape.TEXT, kms_key="k", may_replace=True),
        PutWish(name="s", shape=Shape.TEXT, tags=(("a", "b"),), may_replace=True),
    ):
        with pytest.raises(errors.InvalidOption):
            plan_put(wish, THERE, [])


@pytest.mark.parametrize(
    "value", ["", " ", "\n", "a\0b", "two\nlines", '{"password": "x"}', "\ud800", "x" * 65_537]
)
def test_a_password_that_cannot_be_one_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(errors.SecretRejected) as caught:
        check_value(Secret(value), Shape.USER)
    assert not value.strip() or value not in str(caught.value)


@pytest.mark.parametrize("value", ["p", "12345678", "[]", "null", "with space", "ü", "x" * 65_536])
def test_everything_else_is_a_password(value: str) -> None:
    assert check_value(Secret(value), Shape.USER).reveal() == value


def test_a_text_may_have_lines_and_be_json() -> None:
    check_value(Secret('{"a":\n1}'), Shape.TEXT)


def test_further_keys_stay_and_the_user_is_corrected() -> None:
    before = Secret('{"username": "old", "password": "p", "host": "h", "port": 5432}')
    made = json.loads(make_text(WISH, Secret("new"), before).reveal())
    assert made == {"username": "app", "password": "new", "host": "h", "port": 5432}


def test_a_text_is_not_made_json_behind_anybodys_back() -> None:
    with pytest.raises(errors.SecretMalformed) as caught:
        make_text(WISH, Secret("new"), Secret("-----BEGIN"))
    assert "-----BEGIN" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "pa$$", "a#b", "x" * 513, "ü", "-----BEGIN\nx"])
def test_what_cannot_be_a_name_is_not_shown(name: str) -> None:
    with pytest.raises(errors.SecretRejected) as caught:
        check_secret_name(name)
    assert len(name) < 2 or name not in str(caught.value)


@pytest.mark.parametrize("name", ["postgresql@auroradb@master@sqladmin", "rds!cluster-1", ARN, "a/b_c+d=e.f"])
def test_names_of_secrets_are_names(name: str) -> None:
    assert check_secret_name(name) == name
