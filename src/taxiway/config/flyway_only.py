"""Settings of Flyway that are no options here: what becomes of each that a file, variable or argument has.

Terminology:

ignored
    It has no meaning without Java, or for PostgreSQL. A warning tells of it where its absence could be noticed.
unsupported
    It would change what a command does, and cannot be had here: an error.
obsolete
    Flyway itself has it no more (13, or an earlier version).
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Ignored(NamedTuple):
    """``warning`` follows the key; without one nobody could notice. ``off`` are values that change nothing."""

    warning: str = ""
    off: frozenset[str] = frozenset({"", "false"})

    def warns(self, value: object) -> bool:
        """Whether somebody who wrote this value would expect an effect."""
        return bool(self.warning) and value != [] and str(value).lower() not in self.off


class Unsupported(NamedTuple):
    """``hint`` says what to do instead."""

    hint: str


class Obsolete(NamedTuple):
    """``present`` is what to write now; ``None`` when there is nothing."""

    present: str | None


type Foreign = Ignored | Unsupported | Obsolete

_SILENTLY: Final = Ignored()
_JAVA: Final = Ignored("is ignored: Java code does not run here")
_NO_REPORT: Final = Ignored("is ignored: there are no report files; use --output json")
_ENTERPRISE: Final = Ignored("is ignored: there is no such check here")


def _patterns(pattern: str) -> Obsolete:
    return Obsolete(f'ignoreMigrationPatterns with "{pattern}"')


# Of [flyway], of flyway.conf and of the command line
_SETTINGS: Final[Mapping[str, Foreign]] = {
    "driver": _SILENTLY,
    "jarDirs": _JAVA,
    "callbacks": _JAVA,
    "migrationResolvers": _JAVA,
    "resolvers": _JAVA,
    "skipDefaultResolvers": _JAVA,
    "loggers": _SILENTLY,
    "kerberosConfigFile": Ignored("is ignored: set KRB5_CONFIG in the environment"),
    "licenseKey": _SILENTLY,
    "email": _SILENTLY,
    "token": _SILENTLY,
    "offlinePermitPath": _SILENTLY,
    "pipelineId": _SILENTLY,
    "publishResult": Ignored("is ignored: results are sent nowhere"),
    "checkDriftOnMigrate": _ENTERPRISE,
    "communityDBSupportEnabled": _SILENTLY,
    "failOnMissingTarget": _SILENTLY,
    "reportEnabled": _NO_REPORT,
    "reportFilename": _SILENTLY,
    "outputProgress": _SILENTLY,
    "outputType": _SILENTLY,
    "outputLogsInJson": _SILENTLY,
    "outputFile": _SILENTLY,
    "provisionMode": Ignored(
        "is ignored: databases are not provisioned here", frozenset({"", "provision", "skip"})
    ),
    "configurations": _SILENTLY,
    "oracleSqlPlus": _SILENTLY,
    "oracleSqlPlusWarn": _SILENTLY,
    "oracleWalletLocation": _SILENTLY,
    "schemaModelLocation": _SILENTLY,
    "schemaModelSchemas": _SILENTLY,
    "dryRunOutput": Unsupported("Remove it; 'taxiway info' shows what would run."),
    "cleanOnValidationError": Obsolete(None),
    "ignoreMissingMigrations": _patterns("*:missing"),
    "ignoreIgnoredMigrations": _patterns("*:ignored"),
    "ignorePendingMigrations": _patterns("*:pending"),
    "ignoreFutureMigrations": _patterns("*:future"),
    "ignoreFailedFutureMigration": _patterns("*:future"),
    "allowMixedMigrations": Obsolete("mixed"),
    "check.majorTolerance": Obsolete(None),
    "check.minorTolerance": Obsolete(None),
    "check.majorRules": Obsolete(None),
    "check.minorRules": Obsolete(None),
}

# Tables of [flyway] for commands, databases and secret stores that are not ours. Only commands read them.
_NAMESPACES: Final[Mapping[str, Foreign]] = dict.fromkeys(
    (
        *("add", "init", "undo", "migrate", "check", "snapshot", "prepare", "deploy", "diff", "diffText", "model"),
        *("generate", "tags", "backup", "mcp"),
        *("oracle", "sqlserver", "sqlServer", "clickhouse", "db2z", "sqlite", "mongodb"),
        *(
            "vault",
            "dapr",
            "gcsm",
            "akv",
            "googlesecrets",
            "azureKeyVault",
            "azureAdInteractive",
            "secretsManager",
        ),
        "propertyResolvers",
    ),
    _SILENTLY,
) | {
    "plugins": Obsolete(None),
}

# Of [environments.<name>]
_OF_ENVIRONMENT: Final[Mapping[str, Foreign]] = {
    "driver": _SILENTLY,
    "displayName": _SILENTLY,
    "resolvers": _SILENTLY,
    "provisioner": Ignored("is ignored: databases are not provisioned here", frozenset({"", "none"})),
}

# Beside [flyway] and [environments]: of other products of Flyway's makers, and of Flyway's own init command
ROOT_TABLES: Final = frozenset({"flywayDesktop", "redgateCompare", "databaseType", "name", "id", "redgateClone"})

# Flyway's names for variables are not always made from the key.
_VARIABLES: Final[Mapping[str, Foreign]] = {
    "FLYWAY_DRYRUN_OUTPUT": _SETTINGS["dryRunOutput"],
    "FLYWAY_JAR_DIRS": _JAVA,
    "FLYWAY_CALLBACKS": _JAVA,
    "FLYWAY_RESOLVERS": _JAVA,
    "FLYWAY_SKIP_DEFAULT_RESOLVERS": _JAVA,
    "FLYWAY_KERBEROS_CONFIG_FILE": _SETTINGS["kerberosConfigFile"],
    "FLYWAY_ENVIRONMENT": Ignored("is ignored, as Flyway does: the variable is flyway_environment"),
}

# By the place that they stand in, in words: what the reference page shows
BY_PLACE: Final[Mapping[str, Mapping[str, Foreign]]] = {
    "Settings": _SETTINGS,
    "Tables of settings": _NAMESPACES,
    "Keys of an environment": _OF_ENVIRONMENT,
    "Tables beside `[flyway]`": dict.fromkeys(sorted(ROOT_TABLES), _SILENTLY),
    "Environment variables": _VARIABLES,
}


def find_setting(key: str) -> Foreign | None:
    """What becomes of a setting, by its dotted name; the parts of a table are what the table is."""
    return _SETTINGS.get(key) or _NAMESPACES.get(key.partition(".")[0])


def find_of_environment(key: str) -> Foreign | None:
    """What becomes of a key of an environment."""
    return _OF_ENVIRONMENT.get(key.partition(".")[0])


def find_variable(name: str) -> Foreign | None:
    """What becomes of an environment variable."""
    return _VARIABLES.get(name)
