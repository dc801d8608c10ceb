"""From an error that a look has ended with to what it says of the environment."""

from typing import Final

from taxiway import errors
from taxiway.model.doctor import Area, Finding, Gap
from taxiway.model.stored_secret import Finding as SecretFinding
from taxiway.model.stored_secret import SecretState

# It says nothing of the environment of the task.
_NOT_KNOWN: Final = (errors.AwsThrottled, errors.AwsBusy, errors.GitUnreachable, errors.GitUnavailable)
_FIXES: Final = {
    "authentication-failed": "Put the right password into the secret (taxiway secrets put --replace), or set the "
    "server's to it.",
    "database-not-found": "Create the database, or correct its name in the project.",
}


def judge_error(area: Area, what: str, error: errors.TaxiwayError) -> Finding | Gap:
    """A gap for what may not be looked at, and for AWS being busy; a finding for everything else."""
    if isinstance(error, errors.AwsAccessDenied):
        fix = error.hint or f"Allow {error.action}."
        return Gap(area=area, what=what, because=f"{error.action} is not allowed", fix=fix, action=error.action)
    if isinstance(error, _NOT_KNOWN):
        return Gap(area=area, what=what, because=error.message, fix=error.hint or "Call it again.")
    fix = error.hint or _FIXES.get(error.code, f"See '{error.code}' in the reference of errors.")
    return Finding(area=area, code=error.code, message=error.message, fix=fix)


def judge_secret(state: SecretState) -> list[Finding | Gap]:
    """What the survey of a secret says. One that only we may not read is a gap: the task reads it as another."""
    judged: list[Finding | Gap] = []
    for one in state.problems:
        if one.finding is SecretFinding.UNREADABLE:
            judged.append(
                Gap(
                    area=Area.SECRETS,
                    what=f"the content of secret '{state.secret_id}'",
                    because="secretsmanager:GetSecretValue is not allowed",
                    fix=one.fix,
                    action="secretsmanager:GetSecretValue",
                )
            )
        else:
            judged.append(
                Finding(
                    area=Area.SECRETS,
                    code=f"secret-{one.finding.value}",
                    message=one.message,
                    fix=one.fix,
                )
            )
    return judged
