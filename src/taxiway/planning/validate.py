"""Do scripts and history agree? Every disagreement, in the order of the migrations.

Checks, their order and their codes are those of Flyway 13 (``MigrationInfoImpl.validate``); the words are ours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from taxiway.model.info import MigrationInfo, MigrationState
from taxiway.model.migration import AppliedMigration, MigrationKind, MigrationType, ResolvedMigration
from taxiway.model.result import ValidationProblem
from taxiway.model.rules import IgnorePattern, Policy
from taxiway.model.version import MigrationVersion
from taxiway.planning.cherry_pick import is_picked
from taxiway.planning.unfinished import MEND_UNFINISHED, UNFINISHED, is_unfinished

# What Flyway stores where a database cannot hold an empty text.
_NO_DESCRIPTION: Final = "<< no description >>"

_NEVER_CHECKED: Final = frozenset({MigrationState.UNDONE, MigrationState.ABOVE_TARGET, MigrationState.DELETED})
_MISSING: Final = frozenset({MigrationState.MISSING_SUCCESS, MigrationState.MISSING_FAILED})
_FUTURE: Final = frozenset({MigrationState.FUTURE_SUCCESS, MigrationState.FUTURE_FAILED})
_RUN_ON_THEIR_OWN_TERMS: Final = frozenset({MigrationKind.BASELINE, MigrationKind.UNDO})
_CHANGED_REPEATABLE: Final = frozenset({MigrationState.OUTDATED, MigrationState.SUPERSEDED})


def validate(
    infos: Sequence[MigrationInfo], policy: Policy, *, pending_ignored: bool
) -> tuple[ValidationProblem, ...]:
    """Every disagreement between scripts and history that the policy does not ignore, at most one each.

    ``pending_ignored`` is what ``migrate`` sets: migrations that it is about to run are no problem.
    """
    if pending_ignored:
        patterns = (*policy.ignore_patterns, IgnorePattern(None, MigrationState.PENDING))
        policy = policy._replace(ignore_patterns=patterns)
    context = _context(infos, policy)
    problems = (_problem(info, context) for info in infos)
    return tuple(problem for problem in problems if problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """The policy's answers, asked once."""

    policy: Policy
    applied_baseline: MigrationVersion | None
    missing_ignored: bool
    future_ignored: bool
    ignored_ignored: bool
    pending_ignored: bool


type _Finding = tuple[str, str]
type _Check = Callable[[MigrationInfo, _Context], _Finding | None]


def _context(infos: Sequence[MigrationInfo], policy: Policy) -> _Context:
    baselines = (info.applied.version for info in infos if info.applied and info.applied.type.is_baseline)
    return _Context(
        policy=policy,
        applied_baseline=max((version for version in baselines if version), default=None),
        missing_ignored=policy.ignores(MigrationState.MISSING_SUCCESS),
        future_ignored=policy.ignores(MigrationState.FUTURE_SUCCESS),
        ignored_ignored=policy.ignores(MigrationState.IGNORED),
        pending_ignored=policy.ignores(MigrationState.PENDING),
    )


def _problem(info: MigrationInfo, context: _Context) -> ValidationProblem | None:
    if info.state in _NEVER_CHECKED:
        return None
    if context.policy.ignores(info.state, repeatable=info.version is None):
        return None
    picked = is_picked(context.policy, info.version, info.description)
    findings = (check(info, context) for check in (_CHECKS if picked else _CHECKS_OF_ALL))
    finding = next((finding for finding in findings if finding), None)
    return _as_problem(info, *finding) if finding else None


def _as_problem(info: MigrationInfo, code: str, message: str) -> ValidationProblem:
    path = info.resolved.path if info.resolved else ""
    sentence = f"{path}: {message}" if path else message[:1].upper() + message[1:]
    return ValidationProblem(
        code=code, message=sentence, version=info.version, description=info.description, path=path
    )


def _code(info: MigrationInfo, code: str) -> str:
    return code.replace("*", "REPEATABLE" if info.version is None else "VERSIONED")


# --- checks, in order -------------------------------------------------------------------------------------


def _failed(info: MigrationInfo, context: _Context) -> _Finding | None:
    if not info.state.is_failed or (context.future_ignored and info.state is MigrationState.FUTURE_FAILED):
        return None
    if is_unfinished(info):
        return _code(info, "FAILED_*_MIGRATION"), f"{info.label} {UNFINISHED} {MEND_UNFINISHED}."
    what = "failed" if info.type.is_undo else "failed when it was applied"
    return _code(info, "FAILED_*_MIGRATION"), (
        f"{info.label} {what}, and may have left something behind. "
        "Mend that by hand, then run 'taxiway repair' to remove the row marked failed from the history."
    )


def _not_resolved(info: MigrationInfo, context: _Context) -> _Finding | None:
    applied = info.applied
    if info.resolved or applied is None or applied.type.is_synthetic or applied.type.is_undo:
        return None
    spared = (context.missing_ignored and info.state in _MISSING) or (
        context.future_ignored and info.state in _FUTURE
    )
    if spared or info.state is MigrationState.SUPERSEDED:
        return None
    return _code(info, "APPLIED_*_MIGRATION_NOT_RESOLVED"), (
        f"{info.label} was applied from {applied.script}, and no script stands for it any more. "
        "Restore the script, or mark the migration as deleted with 'taxiway repair'."
    )


def _passed_over(info: MigrationInfo, context: _Context) -> _Finding | None:
    if info.state is not MigrationState.IGNORED or context.ignored_ignored:
        return None
    script = info.resolved
    if script and (script.kind in _RUN_ON_THEIR_OWN_TERMS or not script.configuration.should_execute):
        return None
    return _code(info, "RESOLVED_*_MIGRATION_NOT_APPLIED"), (
        f"{info.label} was never applied, and a higher version has been. Give the script a higher version, set "
        "outOfOrder=true to apply it late, or add *:ignored to ignoreMigrationPatterns to leave it out."
    )


def _not_applied(info: MigrationInfo, context: _Context) -> _Finding | None:
    if info.state is not MigrationState.PENDING or context.pending_ignored:
        return None
    return _code(info, "RESOLVED_*_MIGRATION_NOT_APPLIED"), (
        f"{info.label} is not applied yet. Run migrate, or add *:pending to ignoreMigrationPatterns."
    )


def _outdated(info: MigrationInfo, context: _Context) -> _Finding | None:
    if info.state is not MigrationState.OUTDATED or context.pending_ignored:
        return None
    return "OUTDATED_REPEATABLE_MIGRATION", (
        f"{info.label} has changed since it was last applied. Run migrate to apply it again."
    )


def _disagreement(info: MigrationInfo, context: _Context) -> _Finding | None:
    script, row = info.resolved, info.applied
    if script is None or row is None or row.type is MigrationType.DELETE or row.type.is_undo:
        return None
    if row.version and context.applied_baseline and row.version <= context.applied_baseline:
        return None
    if script.type is not row.type:
        return _mismatch(info, "type", row.type.value, script.type.value)
    if _checksum_matters(info, context) and not script.checksum_matches(row.checksum):
        return _mismatch(info, "checksum", str(row.checksum), str(script.checksum))
    if not _same_description(script, row):
        return _mismatch(info, "description", f"'{row.description}'", f"'{script.description}'")
    return None


def _checksum_matters(info: MigrationInfo, context: _Context) -> bool:
    """The content of a repeatable migration may change; that is what they are for.

    A row of a version without a checksum matches every script (Flyway 13).
    """
    if info.version is not None:
        return info.applied is not None and info.applied.checksum is not None
    return context.pending_ignored and info.state not in _CHANGED_REPEATABLE


def _same_description(script: ResolvedMigration, row: AppliedMigration) -> bool:
    stored = "" if row.description == _NO_DESCRIPTION else row.description
    return stored == script.recorded_description


def _mismatch(info: MigrationInfo, what: str, applied: str, resolved: str) -> _Finding:
    return f"{what.upper()}_MISMATCH", (
        f"{info.label} was applied with the {what} {applied}, and the script now has {resolved}. "
        f"Restore the script as it was applied, or accept the new {what} with 'taxiway repair'."
    )


# What cherryPick leaves out is only asked whether it failed.
_CHECKS_OF_ALL: Final[tuple[_Check, ...]] = (_failed,)
_CHECKS: Final[tuple[_Check, ...]] = (
    *_CHECKS_OF_ALL,
    _not_resolved,
    _passed_over,
    _not_applied,
    _outdated,
    _disagreement,
)
