"""Every error that Taxiway raises for a cause that a caller may want to tell apart.

The tree::

    TaxiwayError
    ├── ConfigError         UnknownOption · InvalidOption · MissingOption · ConfigFileUnreadable
    │                       ObsoleteOption · UnsupportedOption · UnknownEnvironment · CleanDisabled
    │                       UnknownResolver · VariableNotSet · NoTemporaryDirectory
    ├── SourceError         LocationNotFound · NoMigrationsFound · FileAlreadyExists
    │                       GitUnavailable · GitUnreachable
    │                       GitAuthRejected · GitHostKeyRejected · GitRepositoryNotFound
    │                       GitRefNotFound · GitFailed
    ├── ScriptError         InvalidMigrationName · DuplicateMigration · UnreadableScript
    │                       UnterminatedText · UnknownPlaceholder · MixedTransactions
    │                       DuplicateCallback · InvalidScriptConfiguration · PsqlCommand
    │                       ScriptMigrationsDisabled · ProgramUnavailable
    ├── ValidationFailed
    ├── HistoryError        NonEmptySchema · FailedMigrationRecorded · HistoryUnreadable · TargetNotFound
    │                       BaselineRefused · CherryPickNotFound · UndoImpossible
    ├── DatabaseError       ConnectionFailed · AuthenticationFailed · DatabaseNotFound
    │                       CertificateRejected · TlsUnavailable · PermissionDenied · StatementFailed
    │                       LibraryMissing · ReadOnlyServer · PoolerRefused · ConnectionLost ── OutcomeUnknown
    ├── RoleRefused
    ├── ObjectNotFound
    ├── LockNotAcquired
    ├── MigrationFailed
    ├── CallbackFailed
    ├── AwsError            NoCredentials ── CredentialsExpired
    │                       AwsAccessDenied · AwsUnreachable · AwsThrottled · AwsFailed
    │                       AwsBusy · AwsNotFound · AwsAmbiguous
    ├── TaskError           TaskNotStarted ── TaskWithoutCapacity
    │                       TaskStartUnknown · TaskStopped · TaskDisagrees · TaskLogLost
    │                       TaskTimedOut · TaskUnwatched · TaskNotFound · TaskAmbiguous
    ├── TunnelError         TunnelPortInUse · TunnelDatabaseUnreachable · TunnelUnreachable
    │                       TunnelTargetNotConnected · TunnelSessionFailed · TunnelAgentTooOld
    │                       TunnelProgramMissing
    │                       BastionUnreachable · BastionHostKeyRejected · BastionAuthRejected
    │                       BastionForwardRefused · BastionFailed
    ├── InfraError          StackFailed · StackBlocked · StackNotReady · DestroyRefused · DataAtRisk
    ├── SnapshotError       SnapshotNotFound · SnapshotFailed · ManifestTooLarge · ManifestMissing
    │                       RestoreBusy · RestoreUnfinished · RestoreNotFound · RestoreStuck
    │                       SettingsDiffer
    ├── NotConfirmed
    ├── EnvironmentNotReady
    └── SecretError         SecretNotFound · SecretMalformed · SecretExists · SecretBlocked
                            SecretRejected · RotationRefused · RotationStale · SecretsNotReady
                            KeyPairFailed · KeyNotRegistered

``str(error)`` is the message: one line or more, without the hint, never with a secret. The data that the message
was made from are attributes. ``code`` is stable, kebab-case and the same in text, JSON and documentation.
This module imports nothing of Taxiway.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from taxiway.model.migration import MigrationKind
    from taxiway.model.result import MigrateResult, UndoResult, ValidationProblem


class TaxiwayError(Exception):
    """Base of all errors: a cause that the user can act on.

    ``result`` has what a ``migrate`` had applied, or an ``undo`` had undone, when this ended it; ``None`` when it
    had not come that far. ``snapshot`` is the name of the one that was made before what has failed.
    """

    code: ClassVar[str] = "error"
    default_hint: ClassVar[str | None] = None
    result: "MigrateResult | UndoResult | None" = None
    snapshot: str | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.default_hint

    def redact(self, mask: Callable[[str], str]) -> None:
        """Mask the secrets in message and hint: the server may have put the text of a statement into them."""
        self.message = mask(self.message)
        self.args = (self.message,)
        self.hint = mask(self.hint) if self.hint is not None else None


# --- configuration ----------------------------------------------------------------------------------------


class ConfigError(TaxiwayError):
    """The configuration cannot be used as given."""

    code = "configuration"

    def with_others(self, others: Sequence["ConfigError"]) -> Self:
        """This error, with messages and hints of others in the same place: all is corrected at once."""
        together: list[ConfigError] = [self, *others]
        self.message = "\n".join(error.message for error in together)
        self.args = (self.message,)
        self.hint = " ".join(dict.fromkeys(error.hint for error in together if error.hint)) or None
        return self


class UnknownOption(ConfigError):
    """A key that no option has; usually a typo.

    ``unknown`` has all such keys of one place, each with the nearest known one.
    """

    code = "unknown-option"

    def __init__(
        self,
        key: str,
        *,
        origin: str,
        nearest: str | None = None,
        further: Sequence[tuple[str, str | None]] = (),
    ) -> None:
        self.key, self.origin, self.nearest = key, origin, nearest
        self.unknown = ((key, nearest), *further)
        see = "See docs/reference/configuration.md for all keys."
        if not further:
            super().__init__(
                f"{origin}: unknown key '{key}'.", hint=f"Did you mean '{nearest}'?" if nearest else see
            )
            return
        lines = "\n".join(
            f"  {one}" + (f" (did you mean '{near}'?)" if near else "") for one, near in self.unknown
        )
        super().__init__(f"{origin}: {len(self.unknown)} unknown keys:\n{lines}", hint=see)


class InvalidOption(ConfigError):
    """A value that its option does not accept."""

    code = "invalid-option"


class MissingOption(ConfigError):
    """An option without a default was not set anywhere."""

    code = "missing-option"


class ObsoleteOption(ConfigError):
    """Keys that Flyway once had and has no more. ``obsolete`` has each with what replaces it, if anything does."""

    code = "obsolete-option"
    default_hint = "Write what replaces them, or remove them."

    def __init__(self, obsolete: Sequence[tuple[str, str | None]], *, origin: str) -> None:
        self.obsolete, self.origin = tuple(obsolete), origin
        lines = "\n".join(
            f"  {key}: " + (f"write {present}" if present else "nothing replaces it") for key, present in obsolete
        )
        super().__init__(f"{origin}: {len(self.obsolete)} key(s) that Flyway has no more:\n{lines}")


class UnsupportedOption(ConfigError):
    """Something of Flyway's that has a meaning there and cannot be done here."""

    code = "unsupported-option"


class UnknownEnvironment(ConfigError):
    """The environment that was asked for is in no configuration file."""

    code = "unknown-environment"


class CleanDisabled(ConfigError):
    """``clean`` drops everything, so it has to be allowed by name."""

    code = "clean-disabled"
    default_hint = (
        "Set cleanDisabled=false (--no-clean-disabled, FLYWAY_CLEAN_DISABLED=false) if every object of these "
        "schemas may really be dropped."
    )


class ConfigFileUnreadable(ConfigError):
    """A configuration file that cannot be read or parsed."""

    code = "config-file-unreadable"


class UnknownResolver(ConfigError):
    """``${name:…}`` in a configuration value, where no resolver has that name."""

    code = "unknown-resolver"


class VariableNotSet(ConfigError):
    """``${env:NAME}``, where the environment has no such variable."""

    code = "variable-not-set"


class NoTemporaryDirectory(ConfigError):
    """There is no directory that temporary files could be written to."""

    code = "no-temporary-directory"


# --- where scripts come from ------------------------------------------------------------------------------


class SourceError(TaxiwayError):
    """The migration scripts could not be had."""

    code = "source"


class LocationNotFound(SourceError):
    """A location that does not exist or is not a readable directory."""

    code = "location-not-found"


class NoMigrationsFound(SourceError):
    """The locations exist and hold not one migration."""

    code = "no-migrations-found"


class FileAlreadyExists(SourceError):
    """A file that was to be created is there already."""

    code = "file-already-exists"


class GitUnavailable(SourceError):
    """The git or ssh program is not installed."""

    code = "git-unavailable"


class GitUnreachable(SourceError):
    """The Git host did not answer: name, network or port."""

    code = "git-unreachable"


class GitAuthRejected(SourceError):
    """The Git host answered and refused our key."""

    code = "git-auth-rejected"


class GitHostKeyRejected(SourceError):
    """The host that answered is not the one whose key we know."""

    code = "git-host-key-rejected"


class GitRepositoryNotFound(SourceError):
    """The host has no such repository, or does not show it to this key."""

    code = "git-repository-not-found"


class GitRefNotFound(SourceError):
    """The repository has no such branch."""

    code = "git-ref-not-found"


class GitFailed(SourceError):
    """git failed in a way that we do not know."""

    code = "git-failed"


# --- scripts ----------------------------------------------------------------------------------------------


class ScriptError(TaxiwayError):
    """A migration script that cannot be used; ``path``, ``line`` and ``column`` say where (1-based)."""

    code = "script"

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.path, self.line, self.column = path, line, column
        place = ":".join(str(part) for part in (path, line, column) if part is not None)
        super().__init__(f"{place}: {message}" if place else message, hint=hint)


class InvalidMigrationName(ScriptError):
    """Files whose names are not those of migrations; ``problems`` has each path with the reason."""

    code = "invalid-migration-name"

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {path}: {reason}" for path, reason in self.problems)
        super().__init__(
            f"{len(self.problems)} file name(s) cannot be understood:\n{lines}",
            hint="Rename the files (V1.2__Description.sql, R__Description.sql), "
            "or set validateMigrationNaming=false to skip them as Flyway does.",
        )


class DuplicateMigration(ScriptError):
    """Two files of one ``kind`` claim the same version, or two repeatable ones the same description."""

    code = "duplicate-migration"

    def __init__(
        self, message: str, *, kind: "MigrationKind", path: str | None = None, hint: str | None = None
    ) -> None:
        self.kind = kind
        super().__init__(message, path=path, hint=hint)


class UnreadableScript(ScriptError):
    """A file that cannot be read, or whose bytes are not text in its encoding."""

    code = "unreadable-script"


class UnterminatedText(ScriptError):
    """A quotation, comment or block that is opened and never closed."""

    code = "unterminated-text"


class UnknownPlaceholder(ScriptError):
    """``${name}`` in a script, where no placeholder has that name."""

    code = "unknown-placeholder"


class MixedTransactions(ScriptError):
    """Statements that need a transaction and statements that refuse one, in the same script."""

    code = "mixed-transactions"


class DuplicateCallback(ScriptError):
    """Two SQL files for the same event with the same description."""

    code = "duplicate-callback"


class InvalidScriptConfiguration(ScriptError):
    """The ``.conf`` file beside a script has a key or a value that it cannot have."""

    code = "invalid-script-configuration"


class PsqlCommand(ScriptError):
    r"""A command of psql, such as ``\set``, which the server does not know."""

    code = "psql-command"


class ScriptMigrationsDisabled(ScriptError):
    """A migration or callback is a program, and programs may not run unless that is asked for.

    ``programs`` has their paths.
    """

    code = "script-migrations-disabled"
    default_hint = (
        "Set scriptMigrations=true (--script-migrations, FLYWAY_SCRIPT_MIGRATIONS=true) if they may run here, as "
        "they always may in Flyway, or move them out of the locations."
    )

    def __init__(self, programs: Sequence[str]) -> None:
        self.programs = tuple(programs)
        lines = "\n".join(f"  {path}" for path in self.programs)
        super().__init__(f"{len(self.programs)} file(s) are programs, and programs may not run:\n{lines}")


class ProgramUnavailable(ScriptError):
    """What runs a script is not installed, or the script may not be executed."""

    code = "program-unavailable"


# --- validation and history -------------------------------------------------------------------------------


class ValidationFailed(TaxiwayError):
    """Resolved and applied migrations do not agree; ``problems`` has every disagreement."""

    code = "validation-failed"

    default_hint = "Mend what each line says, then run again; nothing was changed."

    def __init__(self, problems: Sequence["ValidationProblem"], *, hint: str | None = None) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem.message}" for problem in self.problems)
        super().__init__(f"Validation failed, {len(self.problems)} problem(s):\n{lines}", hint=hint)


class HistoryError(TaxiwayError):
    """The schema history does not allow what was asked."""

    code = "history"


class NonEmptySchema(HistoryError):
    """The schema has objects and no history table: it was not made by migrations."""

    code = "non-empty-schema"


class FailedMigrationRecorded(HistoryError):
    """The history has a row that says its migration failed."""

    code = "failed-migration-recorded"


class HistoryUnreadable(HistoryError):
    """The history table has rows that cannot be understood."""

    code = "history-unreadable"


class BaselineRefused(HistoryError):
    """The schema history is there already and does not begin with that baseline."""

    code = "baseline-refused"


class CherryPickNotFound(HistoryError):
    """``cherryPick`` names a migration that does not exist."""

    code = "cherry-pick-not-found"


class UndoImpossible(HistoryError):
    """Something stands in the way back to the target. Nothing was undone."""

    code = "undo-impossible"


class ObjectNotFound(TaxiwayError):
    """Somebody has asked about an object of the database that is not there, and of which nothing is on record."""

    code = "object-not-found"


class TargetNotFound(HistoryError):
    """The target version is neither resolved nor applied."""

    code = "target-not-found"


# --- database ---------------------------------------------------------------------------------------------


class DatabaseError(TaxiwayError):
    """The database refused, or could not be reached. ``sqlstate`` as the server gave it, if it did."""

    code = "database"

    def __init__(self, message: str, *, sqlstate: str | None = None, hint: str | None = None) -> None:
        self.sqlstate = sqlstate
        super().__init__(message, hint=hint)


class LibraryMissing(DatabaseError):
    """libpq, the client library of PostgreSQL, is not to be found, or too old."""

    code = "library-missing"

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="Install it: 'pip install psycopg-binary' brings one.")


class ConnectionFailed(DatabaseError):
    """Nobody answered at that address, or the answer was not PostgreSQL's."""

    code = "connection-failed"


class AuthenticationFailed(DatabaseError):
    """The server refused the user, the password or the way of connecting."""

    code = "authentication-failed"


class DatabaseNotFound(DatabaseError):
    """The server has no database of that name."""

    code = "database-not-found"


class CertificateRejected(DatabaseError):
    """The server could not prove who it is."""

    code = "certificate-rejected"


class TlsUnavailable(DatabaseError):
    """TLS was asked for, and the server does not speak it."""

    code = "tls-unavailable"


class ReadOnlyServer(DatabaseError):
    """The server, or the session with it, may only read, and the command writes. Nothing was changed."""

    code = "read-only-server"


class PoolerRefused(DatabaseError):
    """A pooler answers in the place of the server, and ``pooler`` says that none may."""

    code = "pooler-refused"


class ConnectionLost(DatabaseError):
    """The connection broke while it was in use. What was under way is rolled back: running again is safe."""

    code = "connection-lost"


class OutcomeUnknown(ConnectionLost):
    """The connection broke where nothing rolls back: the migration, or a part of it, may have been applied."""

    code = "outcome-unknown"
    default_hint = (
        "Look at the database first ('taxiway info' shows the history), mend what is half-done, run again."
    )


class PermissionDenied(DatabaseError):
    """The database user may not do that."""

    code = "permission-denied"


class StatementFailed(DatabaseError):
    """A statement was refused by the server. Positions are in the text that was sent.

    ``position`` is the 1-based character offset that the server gave, ``detail`` and ``server_hint`` its
    further words, ``context`` its call stack (a function body's line, for example).
    """

    code = "statement-failed"

    def __init__(
        self,
        message: str,
        *,
        sqlstate: str | None = None,
        position: int | None = None,
        detail: str | None = None,
        server_hint: str | None = None,
        context: str | None = None,
    ) -> None:
        self.position, self.detail, self.server_hint, self.context = position, detail, server_hint, context
        super().__init__(message, sqlstate=sqlstate)


class RoleRefused(TaxiwayError):
    """A declared role that must not be managed, or cannot be. Nothing was changed."""

    code = "role-refused"

    def __init__(self, role: str, *, origin: str, reason: str) -> None:
        self.role, self.origin, self.reason = role, origin, reason
        super().__init__(
            f"{origin}: role '{role}' cannot be managed: {reason}.",
            hint="Correct the declaration or remove it; 'taxiway roles plan' then shows what would be done.",
        )


class LockNotAcquired(TaxiwayError):
    """Somebody else held the migration lock for longer than we were told to wait."""

    code = "lock-not-acquired"

    def __init__(self, table: str, *, waited_seconds: float, holder: str | None = None) -> None:
        self.table, self.waited_seconds, self.holder = table, waited_seconds, holder
        who = f" It is held by {holder}." if holder else ""
        super().__init__(
            f"Another run holds the migration lock of {table}; gave up after {waited_seconds:.0f} s.{who}",
            hint="Wait for the other run to end and try again, or raise lockRetryCount.",
        )


class MigrationFailed(TaxiwayError):
    """A statement of a migration was refused by the server.

    Carries the position in the *script* as it lies in its location (1-based; placeholders traced back), not in the
    text that was sent, and ``result``: what was applied before and stays. ``rolled_back`` tells whether
    the failed migration left nothing behind.
    """

    code = "migration-failed"
    result: "MigrateResult | UndoResult"

    def __init__(
        self,
        message: str,
        *,
        kind: "MigrationKind",
        script: str,
        path: str,
        line: int | None,
        column: int | None,
        excerpt: str,
        sqlstate: str | None,
        rolled_back: bool,
        result: "MigrateResult | UndoResult",
        details: Mapping[str, str] | None = None,
        hint: str | None = None,
    ) -> None:
        self.kind, self.script, self.path = kind, script, path
        self.line, self.column = line, column
        self.excerpt, self.sqlstate, self.rolled_back = excerpt, sqlstate, rolled_back
        self.result = result
        self.details = dict(details or {})
        super().__init__(message, hint=hint)


class CallbackFailed(TaxiwayError):
    """A callback was refused by the server, or a callback that is a program ended with a failure.

    ``event`` is its file name's beginning; positions are those of :class:`MigrationFailed`.
    """

    code = "callback-failed"

    def __init__(
        self,
        message: str,
        *,
        event: str,
        script: str,
        path: str,
        line: int | None = None,
        column: int | None = None,
        excerpt: str = "",
        sqlstate: str | None = None,
        details: Mapping[str, str] | None = None,
        hint: str | None = None,
    ) -> None:
        self.event, self.script, self.path = event, script, path
        self.line, self.column, self.excerpt, self.sqlstate = line, column, excerpt, sqlstate
        self.details = dict(details or {})
        super().__init__(message, hint=hint)


# --- AWS --------------------------------------------------------------------------------------------------


class AwsError(TaxiwayError):
    """AWS refused or could not be asked."""

    code = "aws"


class NoCredentials(AwsError):
    """No AWS credentials were found."""

    code = "aws-no-credentials"


class CredentialsExpired(NoCredentials):
    """There are AWS credentials, and they are no longer valid."""

    code = "aws-credentials-expired"


class AwsAccessDenied(AwsError):
    """The identity we have may not do that; ``action`` and ``resource`` say what."""

    code = "aws-access-denied"

    def __init__(self, message: str, *, action: str, resource: str, hint: str | None = None) -> None:
        self.action, self.resource = action, resource
        super().__init__(message, hint=hint)


class AwsUnreachable(AwsError):
    """The AWS endpoint did not answer."""

    code = "aws-unreachable"


class AwsThrottled(AwsError):
    """AWS asked us to slow down, more often than we retry."""

    code = "aws-throttled"


class AwsFailed(AwsError):
    """AWS answered with an error that we do not know."""

    code = "aws-failed"


class AwsBusy(AwsError):
    """What is asked for cannot be done in the state that it is in now; it can be in another one."""

    code = "aws-busy"


class AwsNotFound(AwsError):
    """AWS has nothing of that name in this account and region. ``kind`` says what was looked for."""

    code = "aws-not-found"

    def __init__(self, message: str, *, kind: str, name: str, hint: str | None = None) -> None:
        self.kind, self.name = kind, name
        super().__init__(message, hint=hint)


class AwsAmbiguous(AwsError):
    """A name that several things in AWS have; ``candidates`` has their ids."""

    code = "aws-ambiguous"

    def __init__(self, message: str, *, candidates: Sequence[str], hint: str | None = None) -> None:
        self.candidates = tuple(candidates)
        super().__init__(message, hint=hint)


# --- tasks ------------------------------------------------------------------------------------------------


class TaskError(TaxiwayError):
    """A task did not do what it was started for, or nobody can tell. ``task`` is its id, if it has one."""

    code = "task"

    def __init__(self, message: str, *, task: str | None = None, hint: str | None = None) -> None:
        self.task = task
        super().__init__(message, hint=hint)


class TaskNotStarted(TaskError):
    """The task ended before its container ran, or was not accepted at all: nothing was migrated."""

    code = "task-not-started"


class TaskStartUnknown(TaskError):
    """AWS was asked to start a task and did not answer, so that it may run or not."""

    code = "task-start-unknown"


class TaskWithoutCapacity(TaskNotStarted):
    """There was no room for the task in Fargate or in the subnets. Trying again may help."""

    code = "task-without-capacity"


class TaskStopped(TaskError):
    """The task was ended by something other than itself before it could tell a result."""

    code = "task-stopped"


class TaskDisagrees(TaskError):
    """Log, exit code and stop reason of a task do not agree, so that none of them is believed."""

    code = "task-disagrees"


class TaskLogLost(TaskError):
    """The log of a task never appeared or was deleted, so that its result is not known."""

    code = "task-log-lost"


class TaskTimedOut(TaskError):
    """A task took longer than it was given (``--timeout``)."""

    code = "task-timed-out"


class TaskUnwatched(TaskError):
    """A task could not be watched to its end, because AWS refused or did not answer. It is not stopped by that."""

    code = "task-unwatched"


class TaskNotFound(TaskError):
    """Neither ECS nor the log group knows such a task."""

    code = "task-not-found"


class TaskAmbiguous(TaskError):
    """Several tasks could be meant; ``candidates`` has their ids."""

    code = "task-ambiguous"

    def __init__(self, message: str, *, candidates: Sequence[str], hint: str | None = None) -> None:
        self.candidates = tuple(candidates)
        super().__init__(message, hint=hint)


# --- tunnels ----------------------------------------------------------------------------------------------


class TunnelError(TaxiwayError):
    """There is no tunnel to the database, or there is none any more."""

    code = "tunnel"


class TunnelPortInUse(TunnelError):
    """Another program listens on the local port that was asked for."""

    code = "tunnel-port-in-use"


class TunnelDatabaseUnreachable(TunnelError):
    """The tunnel is there, and no database answers at its other end."""

    code = "tunnel-database-unreachable"


class TunnelUnreachable(TunnelError):
    """The data channel of Systems Manager did not answer, or was lost and did not come back."""

    code = "tunnel-unreachable"


class TunnelTargetNotConnected(TunnelError):
    """The instance that should carry the tunnel is not connected to Systems Manager."""

    code = "tunnel-target-not-connected"


class TunnelSessionFailed(TunnelError):
    """Systems Manager, or the agent on the instance, ended the session or did not begin it."""

    code = "tunnel-session-failed"


class TunnelAgentTooOld(TunnelError):
    """The agent on the instance cannot carry several connections at once."""

    code = "tunnel-agent-too-old"


class TunnelProgramMissing(TunnelError):
    """A program is not installed: ``ssh``, or the one that was to be run through the tunnel."""

    code = "tunnel-program-missing"


class BastionUnreachable(TunnelError):
    """The bastion did not answer: name, network or port."""

    code = "bastion-unreachable"


class BastionHostKeyRejected(TunnelError):
    """The host that answered is not the bastion whose key is known."""

    code = "bastion-host-key-rejected"


class BastionAuthRejected(TunnelError):
    """The bastion answered and refused our key."""

    code = "bastion-auth-rejected"


class BastionForwardRefused(TunnelError):
    """The bastion let us in and does not forward to the database."""

    code = "bastion-forward-refused"


class BastionFailed(TunnelError):
    """ssh failed in a way that we do not know."""

    code = "bastion-failed"


# --- infrastructure ---------------------------------------------------------------------------------------


class InfraError(TaxiwayError):
    """The infrastructure could not be brought into the state that was asked for. ``stack`` is its name."""

    code = "infra"

    def __init__(self, message: str, *, stack: str, hint: str | None = None) -> None:
        self.stack = stack
        super().__init__(message, hint=hint)


class StackFailed(InfraError):
    """CloudFormation could not do what it was asked for."""

    code = "stack-failed"


class StackBlocked(InfraError):
    """The stack is in a state in which nothing can be done to it before somebody has decided what."""

    code = "stack-blocked"


class StackNotReady(InfraError):
    """What is wanted of the stack is not there: its creation has failed or goes on, or it is being deleted."""

    code = "stack-not-ready"


class DestroyRefused(InfraError):
    """Something in the stack is protected against deletion."""

    code = "destroy-refused"


class DataAtRisk(InfraError):
    """A deployment would replace or remove a database."""

    code = "data-at-risk"


# --- what an operator agrees to ---------------------------------------------------------------------------


class NotConfirmed(TaxiwayError):
    """Somebody has to agree first: there is nobody to be asked, or the answer was no."""

    code = "not-confirmed"


# --- snapshots --------------------------------------------------------------------------------------------


class SnapshotError(TaxiwayError):
    """A snapshot, or a restore of one, did not come to its end."""

    code = "snapshot"


class SnapshotNotFound(SnapshotError):
    """The database has no snapshot of that name that is complete."""

    code = "snapshot-not-found"


class SnapshotFailed(SnapshotError):
    """RDS could not make the snapshot, or does not show it."""

    code = "snapshot-failed"


class ManifestTooLarge(SnapshotError):
    """The settings of the database do not fit into the tags of a snapshot."""

    code = "manifest-too-large"


class ManifestMissing(SnapshotError):
    """The settings are wanted from a snapshot that has none."""

    code = "manifest-missing"


class RestoreBusy(SnapshotError):
    """Somebody else is at work on the same restore at this moment."""

    code = "restore-busy"


class RestoreUnfinished(SnapshotError):
    """There is a restore that has to be brought to an end first."""

    code = "restore-unfinished"


class RestoreNotFound(SnapshotError):
    """There is no restore that could be confirmed or reverted."""

    code = "restore-not-found"


class RestoreStuck(SnapshotError):
    """RDS shows something that does not end by waiting."""

    code = "restore-stuck"


class SettingsDiffer(SnapshotError):
    """What was restored does not have every setting; it was not given the live name."""

    code = "settings-differ"


# --- secrets ----------------------------------------------------------------------------------------------


class SecretError(TaxiwayError):
    """A secret could not be had."""

    code = "secret"


class SecretNotFound(SecretError):
    """No secret of that name or ARN."""

    code = "secret-not-found"


class SecretMalformed(SecretError):
    """The secret exists and is not what was expected: no such key, not JSON, not text."""

    code = "secret-malformed"


class SecretExists(SecretError):
    """There is a secret of that name, and nobody has said that its value may be replaced. Nothing was changed."""

    code = "secret-exists"


class SecretBlocked(SecretError):
    """The secret is there and cannot be used: it is marked as deleted, or a service of AWS manages it."""

    code = "secret-blocked"


class SecretRejected(SecretError):
    """A value that nobody should store: empty, mistyped, or visible to everybody. Nothing was changed."""

    code = "secret-rejected"


class RotationRefused(SecretError):
    """The password of that secret cannot be rotated by Taxiway. Nothing was changed."""

    code = "rotation-refused"


class RotationStale(SecretError):
    """Another rotation has begun, or this one was given up, while a run was about to finish it."""

    code = "rotation-stale"

    def __init__(self, secret_id: str) -> None:
        self.secret_id = secret_id
        super().__init__(
            f"The rotation of secret '{secret_id}' is another one by now; the password was left as it is.",
            hint="Run again: the next run finishes what is pending then.",
        )


class SecretsNotReady(SecretError):
    """Secrets that the project refers to are not as they have to be; ``problems`` has a sentence for each."""

    code = "secrets-not-ready"

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            f"{len(self.problems)} problem(s) with secrets.",
            hint="Do what each line says, then run 'taxiway secrets check' again.",
        )


class KeyPairFailed(SecretError):
    """The program ssh-keygen is missing, or could not do what it was asked for."""

    code = "key-pair-failed"


class KeyNotRegistered(SecretError):
    """The Git host did not take the public half of a deploy key, or could not be asked."""

    code = "key-not-registered"


# --- the whole way of a task ------------------------------------------------------------------------------


class EnvironmentNotReady(TaxiwayError):
    """A run would fail: ``findings`` is how many things are wrong, ``gaps`` how many could not be checked."""

    code = "environment-not-ready"

    def __init__(self, findings: int, gaps: int) -> None:
        self.findings, self.gaps = findings, gaps
        super().__init__(
            f"The environment is not ready: {findings} finding(s), {gaps} not checked.",
            hint="Do what each line says, then run 'taxiway doctor' again.",
        )
