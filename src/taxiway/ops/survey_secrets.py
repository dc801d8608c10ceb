"""Every secret that the project refers to: whether it is there, and what each place asks of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taxiway import errors
from taxiway.model.stored_secret import (
    PASSWORD_KEY,
    USER_KEY,
    Finding,
    Purpose,
    SecretProblem,
    SecretState,
    SecretUse,
    StoredSecret,
)
from taxiway.nearest import find_nearest
from taxiway.ops.seams import Secrets
from taxiway.secret import Secret
from taxiway.sources.private_key import normalise_private_key


def survey_secrets(uses: Sequence[SecretUse], store: Secrets) -> list[SecretState]:
    """A state for each secret, in the order in which they are referred to first.

    Raises:
        AwsError: AWS could not be asked, or nobody may know whether there is such a secret.
    """
    by_secret: dict[str, list[SecretUse]] = {}
    for use in uses:
        by_secret.setdefault(use.secret_id, []).append(use)
    return [_survey(secret_id, tuple(own), store) for secret_id, own in by_secret.items()]


def _survey(secret_id: str, uses: tuple[SecretUse, ...], store: Secrets) -> SecretState:
    stored = store.find(secret_id)
    problem = _absence(secret_id, uses, stored)
    if problem is not None:
        return SecretState(secret_id=secret_id, uses=uses, stored=stored, problems=(problem,))
    try:
        text = store.read(secret_id)
    except errors.AwsAccessDenied as error:
        fix = error.hint or "Ask whoever may read it."
        problem = SecretProblem(finding=Finding.UNREADABLE, message=error.message, fix=fix)
        return SecretState(secret_id=secret_id, uses=uses, stored=stored, problems=(problem,))
    content = _parse(text)
    return SecretState(
        secret_id=secret_id,
        uses=uses,
        stored=stored,
        keys=tuple(content) if content is not None else None,
        problems=tuple(dict.fromkeys(_faults(secret_id, uses, text, content))),
    )


def _absence(secret_id: str, uses: Sequence[SecretUse], stored: StoredSecret | None) -> SecretProblem | None:
    if stored is None:
        return SecretProblem(
            finding=Finding.MISSING,
            message=f"There is no secret '{secret_id}' ({_origins(uses)}).",
            fix=_making(secret_id, uses),
        )
    if stored.deletes_at is not None:
        return SecretProblem(
            finding=Finding.DELETED,
            message=f"The secret '{secret_id}' was marked as deleted on {stored.deletes_at:%Y-%m-%d}.",
            fix=f"aws secretsmanager restore-secret --secret-id '{secret_id}'",
        )
    if stored.current_version is None:
        return SecretProblem(
            finding=Finding.NO_VALUE,
            message=f"The secret '{secret_id}' has no value.",
            fix=_making(secret_id, uses),
        )
    return None


def _making(secret_id: str, uses: Sequence[SecretUse], *, replace: bool = False) -> str:
    """The command that makes the secret what it is used as."""
    if secret_id.startswith("arn:") and not replace:
        return f"Correct the ARN in {uses[0].origin}, or name the secret there and make it."
    more = " --replace" if replace else ""
    purposes = {use.purpose for use in uses}
    if Purpose.DEPLOY_KEY in purposes:
        return f"taxiway deploy-key create --secret '{secret_id}'{more}"
    user = next((use.user for use in uses if use.user), None)
    if user:
        generate = "" if replace else " --generate"
        return f"taxiway secrets put '{secret_id}' --username '{user}'{generate}{more}"
    keys = {use.key for use in uses if use.key}
    if keys and keys <= {USER_KEY, PASSWORD_KEY}:
        return f"taxiway secrets put '{secret_id}' --username USER{more}"
    return f"taxiway secrets put '{secret_id}' --text{more}"


def _faults(
    secret_id: str, uses: Sequence[SecretUse], text: Secret, content: Mapping[str, Any] | None
) -> Iterator[SecretProblem]:
    for use in uses:
        if use.purpose is Purpose.DEPLOY_KEY:
            yield from _key_faults(secret_id, use, text)
        elif use.key is None:
            if not text:
                yield _empty(secret_id, use)
        elif content is None:
            yield SecretProblem(
                finding=Finding.NOT_JSON,
                message=f"The secret '{secret_id}' is no JSON object, and has no key '{use.key}' ({use.origin}).",
                fix=_making(secret_id, uses, replace=True) if use.user else f'Make it {{"{use.key}": …}}.',
            )
        else:
            yield from _content_faults(secret_id, use, content)


def _content_faults(secret_id: str, use: SecretUse, content: Mapping[str, Any]) -> Iterator[SecretProblem]:
    key = use.key or ""
    if key not in content:
        near = find_nearest(key, content)
        fix = f"Write '{secret_id}#{near}' in {use.origin}" if near else f"Add the key to the secret: '{key}'"
        yield SecretProblem(
            finding=Finding.NO_KEY,
            message=f"The secret '{secret_id}' has no key '{key}' ({use.origin}); its keys: {_names(content)}.",
            fix=f"{fix}, or: {_making(secret_id, [use], replace=True)}",
        )
    elif content[key] in ("", None):
        yield _empty(secret_id, use)
    if use.user and content.get(USER_KEY, use.user) != use.user:
        yield SecretProblem(
            finding=Finding.OTHER_USER,
            message=f"The secret '{secret_id}' is that of user '{content[USER_KEY]}', and {use.origin} wants "
            f"'{use.user}'.",
            fix=f"Name the secret of '{use.user}' there, or: {_making(secret_id, [use], replace=True)}",
        )


def _key_faults(secret_id: str, use: SecretUse, text: Secret) -> Iterator[SecretProblem]:
    try:
        normalise_private_key(text)
    except errors.SecretMalformed as error:
        yield SecretProblem(
            finding=Finding.NOT_A_KEY,
            message=f"Secret '{secret_id}': {error.message}",
            fix=_making(secret_id, [use], replace=True),
        )


def _empty(secret_id: str, use: SecretUse) -> SecretProblem:
    where = f"The key '{use.key}' of the secret" if use.key else "The secret"
    return SecretProblem(
        finding=Finding.EMPTY,
        message=f"{where} '{secret_id}' is empty ({use.origin}).",
        fix=_making(secret_id, [use], replace=True),
    )


def _names(content: Mapping[str, Any]) -> str:
    return ", ".join(content) or "none"


def _origins(uses: Sequence[SecretUse]) -> str:
    return ", ".join(dict.fromkeys(use.origin for use in uses))


def _parse(text: Secret) -> Mapping[str, Any] | None:
    try:
        content = json.loads(text.reveal())
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
