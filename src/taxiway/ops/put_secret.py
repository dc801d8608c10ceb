"""Putting a value into a secret: what that would do, and doing it.

The plan is made before anybody is asked for the value, so that nobody types a password for nothing.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final

from taxiway import errors
from taxiway.model.stored_secret import (
    PASSWORD_KEY,
    USER_KEY,
    NewSecret,
    Purpose,
    PutAction,
    PutPlan,
    PutWish,
    SecretUse,
    Shape,
    StoredSecret,
)
from taxiway.ops.seams import Secrets
from taxiway.secret import Secret

# CreateSecret, API reference: "ASCII letters, numbers, and the following characters: /_+=.@-". The mark and the
# colon are for secrets of RDS and for ARNs.
_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@:!-]{1,512}")
# PutSecretValue, API reference: at most 65536 bytes.
_MOST_BYTES: Final = 65_536


def check_secret_name(name: str) -> str:
    """A name or an ARN, if it can be one.

    Raises:
        SecretRejected: It cannot. It is not shown: it may be a value by mistake.
    """
    if not _NAME.fullmatch(name):
        raise errors.SecretRejected(
            "What was given as the name of a secret is none: letters, digits and /_+=.@- can stand in it.",
            hint="Give the name only. The value is asked for, or read from standard input.",
        )
    return name


def choose_shape(
    name: str, *, user: str | None, is_text: bool, uses: Iterable[SecretUse]
) -> tuple[Shape, str | None]:
    """How the value is to lie in the secret, and the user beside it: as asked for, else as it is referred to.

    Raises:
        MissingOption: Nobody says it.
        InvalidOption: A declared role has another name than ``user``.
    """
    own = [use for use in uses if use.secret_id == name]
    declared = next((use.user for use in own if use.user), None)
    if declared and user and user != declared:
        raise errors.InvalidOption(
            f"The secret '{name}' is that of role '{declared}' ({own[0].origin}), and not of '{user}'.",
            hint=f"Give --username {declared}, or another secret.",
        )
    if is_text:
        return Shape.TEXT, None
    if user or declared:
        return Shape.USER, user or declared
    if any(use.purpose is Purpose.DEPLOY_KEY for use in own):
        return Shape.TEXT, None
    raise errors.MissingOption(
        f"Nobody says what the secret '{name}' is to look like.",
        hint='Give --username NAME for {"username": …, "password": …}, or --text for a value as it is.',
    )


def plan_put(wish: PutWish, there: StoredSecret | None, uses: Sequence[SecretUse]) -> PutPlan:
    """What the wish comes to, and what it means for whoever reads the secret.

    Raises:
        SecretExists: It has a value that may not be replaced.
        SecretBlocked: It is marked as deleted, or somebody else looks after it.
        InvalidOption: Something is asked for that only a new secret can be given.
    """
    if there is None:
        return PutPlan(wish=wish, action=PutAction.CREATE)
    refuse_unusable(there)
    if wish.kms_key or wish.tags:
        raise errors.InvalidOption(
            f"There is a secret '{wish.name}', and its key and its tags are not changed here.",
            hint="Leave --kms-key and --tag out, or use 'aws secretsmanager update-secret' and 'tag-resource'.",
        )
    if there.current_version is None:
        return PutPlan(wish=wish, action=PutAction.REPLACE)
    if not wish.may_replace:
        raise errors.SecretExists(
            f"There is a secret '{wish.name}' with a value.",
            hint="Give --replace to put another value into it. The one before stays as version AWSPREVIOUS.",
        )
    return PutPlan(wish=wish, action=PutAction.REPLACE, consequences=tuple(_consequences(wish, there, uses)))


def refuse_unusable(there: StoredSecret) -> None:
    """Nothing is put where nobody would read it, or where it would not stay.

    Raises:
        SecretBlocked: The secret is marked as deleted, or a service of AWS manages it.
    """
    if there.deletes_at is not None:
        raise errors.SecretBlocked(
            f"The secret '{there.name}' was marked as deleted on {there.deletes_at:%Y-%m-%d}: AWS keeps its name.",
            hint=f"Take it back: aws secretsmanager restore-secret --secret-id '{there.name}', then run again.",
        )
    if there.owner is not None:
        raise errors.SecretBlocked(
            f"The secret '{there.name}' is managed by {there.owner}, which would not know of another value.",
            hint=f"Let {there.owner} change it: aws secretsmanager rotate-secret --secret-id '{there.name}'",
        )


def _consequences(wish: PutWish, there: StoredSecret, uses: Sequence[SecretUse]) -> Iterable[str]:
    purposes = {use.purpose for use in uses if use.secret_id in {there.name, there.arn}}
    if Purpose.DATABASE_USER in purposes:
        yield (
            "Whoever reads it gets the new password at once, and the server has it after the next run: logins may "
            f"fail until then. 'taxiway secrets rotate {wish.name}' changes both together."
        )
    if Purpose.DEPLOY_KEY in purposes:
        yield "Runs clone with the new key at once: its public half has to be registered before."
    if Purpose.REGISTRY in purposes:
        yield "The next task pulls its image with the new login."
    if there.is_rotated:
        yield "Secrets Manager rotates it by itself, and will replace the new value."


# --- the value


def check_value(value: Secret, shape: Shape) -> Secret:
    """The value, if it is one that can have been meant.

    Raises:
        SecretRejected: It is empty, too long, or would not be what is asked for.
    """
    text = value.reveal()
    if not text.strip():
        raise errors.SecretRejected("The value is empty.", hint="Give one, or let --generate make one.")
    if len(text.encode("utf-8", "surrogatepass")) > _MOST_BYTES:
        raise errors.SecretRejected("The value is longer than 65536 bytes, the most for a secret.", hint=_AGAIN)
    if not _is_text(text):
        raise errors.SecretRejected("The value has a NUL character or is not UTF-8.", hint=_AGAIN)
    if shape is Shape.USER and "\n" in text:
        raise errors.SecretRejected(
            "The password has more than one line.", hint="Give the password only, or --text for a longer value."
        )
    if shape is Shape.USER and isinstance(_parse(text), dict):
        raise errors.SecretRejected(
            "The value is JSON, and not a password.",
            hint="Give the password only, or all of it with --text.",
        )
    return value


_AGAIN: Final = "Run again with another value."


def make_text(wish: PutWish, value: Secret, before: Secret | None) -> Secret:
    """The text that the secret is to have. Further keys of a JSON secret stay as they are in ``before``.

    Raises:
        SecretMalformed: What is there is no JSON object, so that nothing can be kept of it.
    """
    if wish.shape is Shape.TEXT:
        return value
    content = _parse(before.reveal()) if before else {}
    if not isinstance(content, dict):
        raise errors.SecretMalformed(
            f"The secret '{wish.name}' is plain text, and not {wish.shape.value}.",
            hint="Give --text to replace the text, or another name.",
        )
    return Secret(json.dumps({**content, USER_KEY: wish.user, PASSWORD_KEY: value.reveal()}, ensure_ascii=False))


def carry_out(plan: PutPlan, text: Secret, store: Secrets, *, version: str) -> str:
    """Do it; the ARN or the name of the secret. ``version`` makes a repeated call harmless.

    Raises:
        SecretError, AwsError: Nothing was changed.
    """
    wish = plan.wish
    if plan.action is PutAction.CREATE:
        new = NewSecret(
            name=wish.name, text=text, description=_description(wish), kms_key=wish.kms_key, tags=wish.tags
        )
        return store.create(new, version=version)
    store.put(wish.name, text, version=version)
    return wish.name


def _description(wish: PutWish) -> str:
    return f"Database user or login {wish.user}" if wish.shape is Shape.USER else "Put by taxiway secrets put"


def _parse(text: str) -> object:
    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
