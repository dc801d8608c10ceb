"""From an error to the number that the process ends with. Used by the command line and the runner alike."""

from typing import Final

from taxiway import errors

SUCCESS: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NOT_KNOWN: Final = 3
NOT_READY: Final = 4
BUG: Final = 70
INTERRUPTED: Final = 130
TERMINATED: Final = 143

# The most specific class wins; what is not listed is FAILED.
_BY_CLASS: dict[type[errors.TaxiwayError], int] = {
    errors.ConfigError: USAGE,
    errors.SourceError: USAGE,
    errors.SecretError: USAGE,
    errors.AwsError: USAGE,
    errors.AuthenticationFailed: USAGE,
    errors.DatabaseNotFound: USAGE,
    errors.CertificateRejected: USAGE,
    errors.TlsUnavailable: USAGE,
    errors.ReadOnlyServer: USAGE,
    errors.PoolerRefused: USAGE,
    errors.RoleRefused: USAGE,
    errors.GitUnreachable: NOT_READY,
    errors.AwsUnreachable: NOT_READY,
    errors.AwsThrottled: NOT_READY,
    errors.AwsBusy: NOT_READY,
    errors.SnapshotNotFound: USAGE,
    errors.ManifestMissing: USAGE,
    errors.RestoreNotFound: USAGE,
    errors.RestoreBusy: NOT_READY,
    errors.TaskNotFound: USAGE,
    errors.TaskAmbiguous: USAGE,
    errors.TaskWithoutCapacity: NOT_READY,
    errors.TunnelError: USAGE,
    errors.TunnelDatabaseUnreachable: NOT_READY,
    errors.TunnelUnreachable: NOT_READY,
    errors.TunnelTargetNotConnected: NOT_READY,
    errors.TunnelSessionFailed: NOT_READY,
    errors.BastionUnreachable: NOT_READY,
    errors.StackNotReady: NOT_READY,
    errors.DestroyRefused: USAGE,
    errors.DataAtRisk: USAGE,
    errors.NotConfirmed: USAGE,
    errors.RotationStale: NOT_READY,
    errors.SecretsNotReady: NOT_READY,
    errors.EnvironmentNotReady: NOT_READY,
    errors.KeyPairFailed: FAILED,
    errors.KeyNotRegistered: FAILED,
    errors.ConnectionFailed: NOT_READY,
    errors.ConnectionLost: NOT_READY,
    # Running it again may run half-applied work twice, so nothing should do so by itself.
    errors.OutcomeUnknown: FAILED,
    errors.LockNotAcquired: NOT_READY,
}


def exit_code_for(error: BaseException) -> int:
    """The exit code for an error that ended a command; :data:`BUG` for one that is not ours."""
    if not isinstance(error, errors.TaxiwayError):
        return BUG
    return next((_BY_CLASS[cls] for cls in type(error).__mro__ if cls in _BY_CLASS), FAILED)
