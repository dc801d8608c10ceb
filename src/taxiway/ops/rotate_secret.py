"""Rotating the password of a database user: beginning it, and giving it up. A run finishes it (ADR 0076)."""

import json
from collections.abc import Sequence

from taxiway import errors
from taxiway.model.stored_secret import (
    PENDING,
    ROTATION_PREFIX,
    USER_KEY,
    Purpose,
    Rotation,
    SecretUse,
    StoredSecret,
)
from taxiway.ops.make_password import make_password, make_version
from taxiway.ops.put_secret import refuse_unusable
from taxiway.ops.seams import Secrets
from taxiway.secret import Secret


def plan_rotation(secret_id: str, there: StoredSecret | None, uses: Sequence[SecretUse]) -> Rotation:
    """Whose password it is, and whether a run will be able to finish.

    Raises:
        SecretNotFound: There is no such secret, or it has no value.
        SecretBlocked: It is marked as deleted.
        RotationRefused: Somebody else rotates it, or no run would.
    """
    if there is None:
        raise errors.SecretNotFound(
            f"There is no secret '{secret_id}'.", hint=f"Make it: taxiway secrets put '{secret_id}' --generate"
        )
    _refuse_rotated(there)
    refuse_unusable(there)
    if there.current_version is None:
        raise errors.SecretNotFound(
            f"The secret '{secret_id}' has no value yet.",
            hint=f"Give it one: taxiway secrets put '{secret_id}' --generate",
        )
    use = _find_role(secret_id, there, uses)
    if there.pending_version and not there.pending_is_ours:
        raise errors.RotationRefused(
            f"Somebody else is rotating the secret '{secret_id}': it has a pending version that is not Taxiway's.",
            hint=f"Wait for its end, or look: aws secretsmanager describe-secret --secret-id '{secret_id}'",
        )
    return Rotation(secret_id=secret_id, user=use.user or "", key=use.key or "", pending=there.pending_version)


def _refuse_rotated(there: StoredSecret) -> None:
    if there.owner is None and not there.is_rotated:
        return
    who = f"{there.owner} manages" if there.owner else "Secrets Manager rotates"
    raise errors.RotationRefused(
        f"{who} the secret '{there.name}', and sets the password by itself.",
        hint=f"Have it done now: aws secretsmanager rotate-secret --secret-id '{there.name}'",
    )


def _find_role(secret_id: str, there: StoredSecret, uses: Sequence[SecretUse]) -> SecretUse:
    names = {secret_id, there.name, there.arn}
    for use in uses:
        if use.secret_id in names and use.purpose is Purpose.DATABASE_USER:
            return use
    referring = next((use for use in uses if use.secret_id in names), None)
    used = f" It is referred to by {referring.origin}." if referring else ""
    raise errors.RotationRefused(
        f"No declared role has the secret '{secret_id}', so that no run would set its password.{used}",
        hint=f'Declare the user in taxiway.toml: [roles.NAME] with secret = "{secret_id}". '
        "For a master user, let RDS manage the secret.",
    )


def begin_rotation(rotation: Rotation, store: Secrets) -> str:
    """Store another password as the pending version, which nobody reads but the next run. The version's name.

    Raises:
        SecretMalformed: The secret is not the JSON object of that user.
        SecretError, AwsError: Nothing was changed.
    """
    text = _with_password(rotation, store.read(rotation.secret_id), make_password())
    version = make_version(ROTATION_PREFIX)
    store.put(rotation.secret_id, text, version=version, stage=PENDING)
    return version


def cancel_rotation(rotation: Rotation, store: Secrets) -> None:
    """Give up a rotation that no run has finished: the pending version loses its stage, and AWS removes it.

    Raises:
        RotationRefused: None is under way.
        SecretError, AwsError: Nothing was changed.
    """
    if rotation.pending is None:
        raise errors.RotationRefused(
            f"No rotation of the secret '{rotation.secret_id}' is under way.",
            hint="See 'taxiway secrets list'.",
        )
    store.take_stage(rotation.secret_id, PENDING, rotation.pending)


def _with_password(rotation: Rotation, text: Secret, password: Secret) -> Secret:
    try:
        content = json.loads(text.reveal())
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not isinstance(content.get(rotation.key), str):
        raise errors.SecretMalformed(
            f"The secret '{rotation.secret_id}' has no text under the key '{rotation.key}'.",
            hint=f"Put a value there: taxiway secrets put '{rotation.secret_id}' --replace",
        )
    if content.get(USER_KEY, rotation.user) != rotation.user:
        raise errors.SecretMalformed(
            f"The secret '{rotation.secret_id}' is not that of role '{rotation.user}', but of another user.",
            hint="Correct the secret's name or the role's in taxiway.toml.",
        )
    return Secret(json.dumps({**content, rotation.key: password.reveal()}, ensure_ascii=False))
