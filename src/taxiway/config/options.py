"""The one table of options: what the command line, the environment, ``taxiway.toml`` and the reference page know.

Adding an option is adding a row here, and its field in :mod:`taxiway.model.settings`. Names and defaults are
those of Flyway 13, unless ``differs`` says otherwise.
"""

from typing import Final

from taxiway.config import parse
from taxiway.config.option import Group, Kind, Option
from taxiway.model.location import Location
from taxiway.model.rules import IgnorePattern, Target

OPTIONS: Final[tuple[Option, ...]] = (
    # --- the database
    Option(
        key="url",
        table="database",
        field="database.url",
        group=Group.DATABASE,
        parse=parse.url,
        may_be_secret=True,
        help="`postgresql://host:port/name?sslmode=verify-full`, or a libpq connection string.",
        differs="Flyway wants a JDBC URL.",
    ),
    Option(
        key="host",
        table="database",
        variable="DB_HOST",
        field="database.parameters.host",
        group=Group.DATABASE,
        help="Name or address of the server. Several, separated by commas, are tried in order.",
        differs="Flyway has it in the URL only.",
    ),
    Option(
        key="port",
        table="database",
        variable="DB_PORT",
        kind=Kind.INTEGER,
        field="database.parameters.port",
        group=Group.DATABASE,
        parse=parse.port,
        help="TCP port of the server; 5432 when it is set nowhere.",
        differs="Flyway has it in the URL only.",
    ),
    Option(
        key="databaseName",
        table="database",
        name="name",
        variable="DB_NAME",
        field="database.parameters.dbname",
        group=Group.DATABASE,
        help="Name of the database; that of the user when it is set nowhere.",
        differs="Flyway has it in the URL only.",
    ),
    Option(
        key="user",
        table="database",
        field="database.user",
        group=Group.DATABASE,
        help="The database user that connects and runs the migrations.",
        differs="It wins over a user in the URL; with Flyway the URL wins.",
    ),
    Option(
        key="password",
        table="database",
        kind=Kind.SECRET,
        field="database.password",
        group=Group.DATABASE,
        may_be_secret=True,
        help="The user's password. In `taxiway.toml` it must be a reference.",
        differs="It wins over a password in the URL; with Flyway the URL wins. There is no flag.",
    ),
    Option(
        key="sslmode",
        table="database",
        variable="DB_SSLMODE",
        field="database.parameters.sslmode",
        group=Group.DATABASE,
        parse=parse.one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
        help="How much TLS is wanted: `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`.",
        differs="Flyway has it in the URL and in `jdbcProperties`.",
    ),
    Option(
        key="sslrootcert",
        table="database",
        variable="DB_SSLROOTCERT",
        field="database.parameters.sslrootcert",
        group=Group.DATABASE,
        help="File with the certificates that the server's is checked against, or `system`. "
        "When it is set nowhere, `taxiway run` has those of RDS and Aurora.",
        differs="Flyway has it in the URL and in `jdbcProperties`.",
    ),
    Option(
        key="connectRetries",
        table="database",
        kind=Kind.INTEGER,
        default="0",
        field="database.connect_retries",
        group=Group.DATABASE,
        parse=parse.whole_number(0),
        help="Further attempts to connect after a failed one, after waits of 1, 2, 4… seconds.",
    ),
    Option(
        key="connectRetriesInterval",
        table="database",
        kind=Kind.INTEGER,
        default="120",
        field="database.connect_retries_interval_seconds",
        group=Group.DATABASE,
        parse=parse.whole_number(0),
        help="The longest wait between two attempts, in seconds.",
    ),
    # --- where the scripts are and how they are named
    Option(
        key="locations",
        kind=Kind.LIST,
        default=("filesystem:sql",),
        field="migrations.locations",
        group=Group.LOCATIONS,
        parse=Location.parse,
        help="Folders with scripts, searched with all their subfolders.",
        differs="Flyway's default is `db/migration` on the Java class path. Only `filesystem:` exists here.",
    ),
    Option(
        key="failOnMissingLocations",
        kind=Kind.BOOLEAN,
        default="true",
        field="migrations.fail_on_missing_locations",
        group=Group.LOCATIONS,
        help="A location that does not exist is an error.",
        differs="Flyway's default is `false`.",
    ),
    Option(
        key="validateMigrationNaming",
        kind=Kind.BOOLEAN,
        default="true",
        field="migrations.validate_migration_naming",
        group=Group.LOCATIONS,
        help="An SQL file whose name is not that of a migration is an error; otherwise it is ignored.",
        differs="Flyway's default is `false`.",
    ),
    Option(
        key="sqlMigrationPrefix",
        default="V",
        field="migrations.naming.versioned_prefix",
        group=Group.LOCATIONS,
        may_be_empty=True,
        help="What names of versioned migrations begin with.",
    ),
    Option(
        key="repeatableSqlMigrationPrefix",
        default="R",
        field="migrations.naming.repeatable_prefix",
        group=Group.LOCATIONS,
        may_be_empty=True,
        help="What names of repeatable migrations begin with.",
    ),
    Option(
        key="sqlMigrationSeparator",
        default="__",
        field="migrations.naming.separator",
        group=Group.LOCATIONS,
        help="What stands between version and description in a file name.",
    ),
    Option(
        key="sqlMigrationSuffixes",
        kind=Kind.LIST,
        default=(".sql",),
        field="migrations.naming.suffixes",
        group=Group.LOCATIONS,
        help="What names of migrations end with.",
    ),
    Option(
        key="encoding",
        default="UTF-8",
        field="migrations.encoding",
        group=Group.LOCATIONS,
        parse=parse.encoding,
        help="Character encoding of the scripts.",
    ),
    # --- placeholders
    Option(
        key="placeholderReplacement",
        kind=Kind.BOOLEAN,
        default="true",
        field="migrations.placeholders.enabled",
        group=Group.PLACEHOLDERS,
        help="Replace placeholders in scripts.",
    ),
    Option(
        key="placeholders",
        kind=Kind.MAP,
        field="migrations.placeholders.values",
        group=Group.PLACEHOLDERS,
        may_be_empty=True,
        may_be_secret=True,
        help="Names and the texts that replace them. Upper and lower case of a name are the same.",
        differs="A value is never shown when it comes from a secret, or when the name speaks of one "
        "(password, secret, token, credential, private key, API key).",
    ),
    Option(
        key="placeholderPrefix",
        default="${",
        field="migrations.placeholders.prefix",
        group=Group.PLACEHOLDERS,
        resolved=False,
        help="What a placeholder begins with in a script.",
    ),
    Option(
        key="placeholderSuffix",
        default="}",
        field="migrations.placeholders.suffix",
        group=Group.PLACEHOLDERS,
        resolved=False,
        help="What a placeholder ends with in a script.",
    ),
    Option(
        key="placeholderSeparator",
        default=":",
        field="migrations.placeholders.separator",
        group=Group.PLACEHOLDERS,
        resolved=False,
        help="What stands behind `flyway` in the names of built-in placeholders, such as `flyway:user`.",
    ),
    # --- what runs, and what is an error
    Option(
        key="target",
        default="latest",
        field="migrations.policy.target",
        group=Group.RULES,
        parse=Target.parse,
        help="Where migrate stops: a version, `latest`, `current` or `next`. "
        "A version that does not exist is an error, unless a `?` follows it.",
    ),
    Option(
        key="outOfOrder",
        kind=Kind.BOOLEAN,
        default="false",
        field="migrations.policy.out_of_order",
        group=Group.RULES,
        help="Run versioned migrations that are lower than the highest applied one, instead of ignoring them.",
    ),
    Option(
        key="mixed",
        kind=Kind.BOOLEAN,
        default="false",
        field="migrations.mixed",
        group=Group.RULES,
        help="Let one script have statements that need a transaction and statements that refuse one; "
        "it then runs without a transaction.",
    ),
    Option(
        key="validateOnMigrate",
        kind=Kind.BOOLEAN,
        default="true",
        field="migrations.validate_on_migrate",
        group=Group.RULES,
        help="Validate before migrating.",
    ),
    Option(
        key="ignoreMigrationPatterns",
        kind=Kind.LIST,
        default=("*:future",),
        field="migrations.policy.ignore_patterns",
        group=Group.RULES,
        parse=IgnorePattern.parse,
        may_be_empty=True,
        help="What validate leaves alone, as `type:state`: `*`, `versioned` or `repeatable`, and "
        "`*`, `missing`, `pending`, `ignored` or `future`.",
        differs='`[]` in `taxiway.toml` means no pattern; Flyway needs `[""]`, which works here as well.',
    ),
    # --- schemas and the schema history
    Option(
        key="schemas",
        kind=Kind.LIST,
        default=(),
        field="migrations.schemas",
        group=Group.HISTORY,
        may_be_empty=True,
        help="Schemas that migrations manage. Upper and lower case differ.",
    ),
    Option(
        key="defaultSchema",
        field="migrations.default_schema",
        group=Group.HISTORY,
        help="The schema that migrations start in and that has the schema history; "
        "else the first of `schemas`, else the connection's own.",
    ),
    Option(
        key="createSchemas",
        kind=Kind.BOOLEAN,
        default="true",
        field="migrations.create_schemas",
        group=Group.HISTORY,
        help="Create those of the schemas that do not exist.",
    ),
    Option(
        key="table",
        default="flyway_schema_history",
        field="migrations.table",
        group=Group.HISTORY,
        help="Name of the schema history table.",
    ),
    Option(
        key="installedBy",
        field="migrations.installed_by",
        group=Group.HISTORY,
        help="Who is recorded in the schema history; the database user when it is not set.",
    ),
    Option(
        key="lockRetryCount",
        kind=Kind.INTEGER,
        default="50",
        field="migrations.lock_retry_count",
        group=Group.HISTORY,
        parse=parse.whole_number(-1),
        help="How often to ask again for the migration lock while another run holds it, once a second; "
        "`-1` never gives up.",
    ),
)

BY_KEY: Final = {option.key: option for option in OPTIONS}
BY_PATH: Final = {option.path: option for option in OPTIONS}
