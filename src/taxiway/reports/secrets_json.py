"""Secrets and deploy keys as JSON: shapes of our own. No value is ever among it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from taxiway.model.deploy_key import KeyPlan, KeyResult
from taxiway.model.stored_secret import PutPlan, Rotation, SecretState, SecretUse
from taxiway.reports.secrets_text import keys_page, rotation_words

type Json = dict[str, Any]


def put_json(plan: PutPlan, *, is_done: bool, version: str | None = None) -> Json:
    """A value that was put, or would be. ``version`` is the new one."""
    return {
        "operation": "secrets put",
        "secret": plan.wish.name,
        "action": plan.action.value,
        "shape": plan.wish.shape.name.lower(),
        "username": plan.wish.user,
        "kmsKey": plan.wish.kms_key,
        "tags": dict(plan.wish.tags),
        "consequences": [*plan.consequences],
        "version": version,
        "done": is_done,
    }


def states_json(operation: str, states: Sequence[SecretState]) -> Json:
    """Every secret with its uses and its problems."""
    return {
        "operation": operation,
        "ready": all(one.is_ready for one in states),
        "secrets": [_state(one) for one in states],
    }


def rotation_json(rotation: Rotation, *, action: str, is_done: bool, version: str | None = None) -> Json:
    """A rotation that was begun or given up, or would be."""
    return {
        "operation": "secrets rotate",
        "secret": rotation.secret_id,
        "role": rotation.user,
        "action": action,
        "pendingVersion": version or rotation.pending,
        "done": is_done,
    }


def key_plan_json(plan: KeyPlan) -> Json:
    """What would be done."""
    return {
        "operation": "deploy-key create",
        "secret": plan.secret_id,
        "action": plan.action.value,
        "publicKey": plan.present,
        "consequences": [*plan.consequences],
        "done": False,
    }


def key_json(operation: str, result: KeyResult, *, is_done: bool) -> Json:
    """The public half, and where it is registered."""
    registration = result.registration
    return {
        "operation": operation,
        "secret": result.secret_id,
        "action": result.action.value,
        "publicKey": result.public,
        "fingerprint": result.fingerprint,
        "replacedFingerprint": result.replaced,
        "repository": result.repository,
        "registerAt": keys_page(result.repository) if result.repository and registration is None else None,
        "registration": {
            "id": registration.id,
            "readOnly": registration.is_read_only,
            "new": registration.is_new,
        }
        if registration
        else None,
        "done": is_done,
    }


def _state(state: SecretState) -> Json:
    stored = state.stored
    return {
        "secret": state.secret_id,
        "arn": stored.arn if stored else None,
        "exists": stored is not None,
        "ready": state.is_ready,
        "keys": [*state.keys] if state.keys is not None else None,
        "changedAt": _time(stored.changed_at) if stored else None,
        "rotatedAt": _time(stored.rotated_at) if stored else None,
        "rotation": rotation_words(stored) if stored else None,
        "pendingVersion": stored.pending_version if stored else None,
        "kmsKey": stored.kms_key if stored else None,
        "uses": [_use(use) for use in state.uses],
        "problems": [
            {"code": one.finding.value, "message": one.message, "fix": one.fix} for one in state.problems
        ],
    }


def _use(use: SecretUse) -> Json:
    return {"origin": use.origin, "purpose": use.purpose.value, "key": use.key, "username": use.user}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
