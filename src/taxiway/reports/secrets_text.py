"""Secrets and deploy keys as text for people. No value is ever among it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Final

from taxiway.model.deploy_key import KeyAction, KeyPlan, KeyResult
from taxiway.model.stored_secret import PutAction, PutPlan, SecretState, Shape, StoredSecret
from taxiway.reports.table import render_table

_HEADER: Final = ("Secret", "For", "State", "Keys", "Changed", "Rotation")
_UNKNOWN: Final = "?"


def render_put_plan(plan: PutPlan, region: str) -> str:
    """What is going to happen, before it does."""
    wish = plan.wish
    shape = f"{wish.shape.value} of user '{wish.user}'" if wish.shape is Shape.USER else wish.shape.value
    value = "a generated password" if wish.is_generated else "the given value"
    verb = "Create" if plan.action is PutAction.CREATE else "Put another value into"
    lines = [f"{verb} secret '{wish.name}' in {region}: {shape}, {value}"]
    if plan.action is PutAction.CREATE:
        lines.append(f"  KMS key: {wish.kms_key or 'aws/secretsmanager, the default one of the account'}")
        lines += [f"  Tag: {name}={value}" for name, value in wish.tags]
    return "\n".join((*lines, *(f"  {one}" for one in plan.consequences)))


def render_put(plan: PutPlan, place: str) -> str:
    """What has happened."""
    match plan.action:
        case PutAction.CREATE:
            return f"Created secret {place}."
        case PutAction.REPLACE:
            return f"Put another value into secret {place}. The one before is version AWSPREVIOUS."
        case PutAction.KEEP:
            return f"Secret {place} has that value already. Nothing was changed."


def render_states(states: Sequence[SecretState], zone: tzinfo | None) -> str:
    """A table of the secrets that the project refers to."""
    rows = [
        (
            one.secret_id,
            ", ".join(dict.fromkeys(use.user or use.purpose.value for use in one.uses)),
            ", ".join(dict.fromkeys(problem.finding.value for problem in one.problems)) or "ready",
            _keys(one),
            _moment(one.stored.changed_at, zone) if one.stored else "",
            rotation_words(one.stored) if one.stored else "",
        )
        for one in states
    ]
    return render_table(_HEADER, rows, empty="The project refers to no secret")


def render_problems(states: Sequence[SecretState]) -> Iterator[str]:
    """What is wrong, and the exact way out, in two lines each."""
    for one in states:
        for problem in one.problems:
            yield f"{problem.message}\n  Fix: {problem.fix}"


def rotation_words(stored: StoredSecret) -> str:
    """How its value changes, and whether that is under way."""
    if stored.pending_is_ours:
        return "pending: the next run finishes it"
    if stored.pending_version:
        return "pending, by somebody else"
    if stored.owner:
        return f"by {stored.owner}"
    return "by Secrets Manager" if stored.is_rotated else "by hand"


def render_key_plan(plan: KeyPlan, *, kind: str, region: str, repository: str | None, registers: bool) -> str:
    """What is going to happen, before it does."""
    if plan.action is KeyAction.KEEP:
        return f"Keep the deploy key in secret '{plan.secret_id}' in {region}"
    verb = "Create" if plan.action is KeyAction.CREATE else "Put another key into"
    lines = [f"Make a key pair ({kind})"]
    if registers:
        lines.append(f"Register its public half at GitHub, repository {repository}, read-only")
    lines.append(f"{verb} secret '{plan.secret_id}' in {region}: the private half, as plain text")
    return "\n".join((*lines, *(f"  {one}" for one in plan.consequences)))


def render_key(result: KeyResult) -> str:
    """How the making of a key ended: the public half, and what is left to be done with it."""
    lines = [_KEY_ENDS[result.action].format(secret=result.secret_id), *_public_half(result)]
    if result.replaced:
        lines.append(f"Then remove the old key, {result.replaced}, at the Git host.")
    return "\n".join(lines)


def render_shown_key(result: KeyResult) -> str:
    """The key that a secret has, for a command that only shows it."""
    return "\n".join((f"Secret '{result.secret_id}' has a deploy key. The public half is:", *_public_half(result)))


def _public_half(result: KeyResult) -> Iterator[str]:
    yield from ("", result.public, "")
    yield from _next_step(result)


_KEY_ENDS: Final = {
    KeyAction.CREATE: "Created secret '{secret}' with the private half. The public half is:",
    KeyAction.REPLACE: "Secret '{secret}' has another private half. The public half is:",
    KeyAction.KEEP: "Secret '{secret}' has a deploy key already. Nothing was changed in it. The public half is:",
}


def _next_step(result: KeyResult) -> Iterator[str]:
    yield f"Fingerprint: {result.fingerprint}"
    registration = result.registration
    if registration is not None:
        state = "is registered now" if registration.is_new else "was registered already"
        warning = "" if registration.is_read_only else " WITH WRITE ACCESS: remove it there, and register it anew"
        yield f"It {state} at GitHub, repository {result.repository}{warning}."
    elif result.repository:
        yield "Register it, without write access, at the Git host; at GitHub:"
        yield f"  {keys_page(result.repository)}"
    else:
        yield "Register it at the Git host as a deploy key of the repository, without write access."


def keys_page(repository: str) -> str:
    """Where a deploy key is registered by hand."""
    return f"https://github.com/{repository}/settings/keys/new"


def _keys(state: SecretState) -> str:
    if state.stored is None or state.stored.current_version is None:
        return ""
    return ", ".join(state.keys) if state.keys is not None else "plain text" if state.is_ready else _UNKNOWN


def _moment(moment: datetime | None, zone: tzinfo | None) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if moment else ""
