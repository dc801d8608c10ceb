"""The table of options agrees with itself, with Flyway's names and with the settings."""

import pytest

from taxiway.config.layers import defaults_layer
from taxiway.config.merge import merge
from taxiway.config.option import Group, Kind, Option
from taxiway.config.options import BY_KEY, OPTIONS
from taxiway.model.settings import Settings

# Flyway 13: name, tail of the environment variable, default (empty: none, or not the same here)
FLYWAY = """
url URL
user USER
password PASSWORD
schemas SCHEMAS
connectRetries CONNECT_RETRIES 0
connectRetriesInterval CONNECT_RETRIES_INTERVAL 120
initSql INIT_SQL
jdbcProperties JDBC_PROPERTIES_
defaultSchema DEFAULT_SCHEMA
table TABLE flyway_schema_history
tablespace TABLESPACE
locations LOCATIONS
callbackLocations CALLBACK_LOCATIONS
failOnMissingLocations FAIL_ON_MISSING_LOCATIONS
sqlMigrationPrefix SQL_MIGRATION_PREFIX V
baselineMigrationPrefix BASELINE_MIGRATION_PREFIX B
undoSqlMigrationPrefix UNDO_SQL_MIGRATION_PREFIX U
repeatableSqlMigrationPrefix REPEATABLE_SQL_MIGRATION_PREFIX R
sqlMigrationSeparator SQL_MIGRATION_SEPARATOR __
sqlMigrationSuffixes SQL_MIGRATION_SUFFIXES .sql
validateMigrationNaming VALIDATE_MIGRATION_NAMING
encoding ENCODING UTF-8
detectEncoding DETECT_ENCODING false
placeholderReplacement PLACEHOLDER_REPLACEMENT true
placeholders PLACEHOLDERS_
placeholderPrefix PLACEHOLDER_PREFIX ${
placeholderSuffix PLACEHOLDER_SUFFIX }
placeholderSeparator PLACEHOLDER_SEPARATOR :
scriptPlaceholderPrefix SCRIPT_PLACEHOLDER_PREFIX FP__
scriptPlaceholderSuffix SCRIPT_PLACEHOLDER_SUFFIX __
powershellExecutable POWERSHELL_EXECUTABLE
target TARGET latest
outOfOrder OUT_OF_ORDER false
cherryPick CHERRY_PICK
group GROUP false
mixed MIXED false
executeInTransaction EXECUTE_IN_TRANSACTION true
skipExecutingMigrations SKIP_EXECUTING_MIGRATIONS false
batch BATCH false
stream STREAM false
outputQueryResults OUTPUT_QUERY_RESULTS true
installedBy INSTALLED_BY
lockRetryCount LOCK_RETRY_COUNT 50
postgresql.transactional.lock POSTGRESQL_TRANSACTIONAL_LOCK true
createSchemas CREATE_SCHEMAS true
validateOnMigrate VALIDATE_ON_MIGRATE true
ignoreMigrationPatterns IGNORE_MIGRATION_PATTERNS *:future
baselineOnMigrate BASELINE_ON_MIGRATE false
baselineVersion BASELINE_VERSION 1
baselineDescription BASELINE_DESCRIPTION << Flyway Baseline >>
cleanDisabled CLEAN_DISABLED true
skipDefaultCallbacks SKIP_DEFAULT_CALLBACKS false
errorOverrides ERROR_OVERRIDES
configFiles CONFIG_FILES
configFileEncoding CONFIG_FILE_ENCODING UTF-8
"""
ROWS = [line.split(" ", 2) for line in FLYWAY.strip().splitlines()]
OWN = {
    *("host", "hostaddr", "port", "databaseName", "sslmode", "sslrootcert"),
    *("databaseSecret", "auth", "databaseRegion", "iamPort", "wakeTimeout", "pooler"),
    *("scriptMigrations", "silenceTimeout"),
    *("ledger", "ledgerSchema"),
}
WITHOUT_VARIABLE = {
    *("workingDirectory", "infoSinceDate", "infoUntilDate", "infoSinceVersion", "infoUntilVersion"),
    "infoOfState",
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_names_variables_and_defaults_are_those_of_flyway(row: list[str]) -> None:
    key, tail, *default = row
    option = BY_KEY[key]
    assert option.environment_variable == f"FLYWAY_{tail}"
    if default:
        assert option.default in {default[0], (default[0],)}


def test_every_option_is_flyways_or_known_to_be_ours() -> None:
    assert set(BY_KEY) == {row[0] for row in ROWS} | OWN | WITHOUT_VARIABLE | {"environment"}


def test_what_is_ours_is_marked() -> None:
    assert {option.key for option in OPTIONS if option.is_ours} == OWN


def test_what_belongs_to_one_call_has_neither_a_variable_nor_a_place_in_files() -> None:
    without_variable = {option.key for option in OPTIONS if option.environment_variable is None}
    assert without_variable == WITHOUT_VARIABLE
    assert {option.key for option in OPTIONS if option.path is None} == WITHOUT_VARIABLE | {
        "configFiles",
        "configFileEncoding",
    }


def test_the_environment_has_flyways_variable_in_small_letters() -> None:
    assert BY_KEY["environment"].environment_variable == "flyway_environment"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_an_option_that_differs_from_flyway_says_so(option: Option) -> None:
    if option.key in OWN or option.key in {"failOnMissingLocations", "validateMigrationNaming", "locations"}:
        assert option.differs


@pytest.mark.parametrize("name", ["key", "path", "field", "environment_variable", "flag", "identifier"])
def test_no_name_is_used_twice(name: str) -> None:
    names = [value for option in OPTIONS if (value := getattr(option, name))]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("key", "flag"),
    [
        ("outOfOrder", "--out-of-order"),
        ("url", "--url"),
        ("databaseName", "--database-name"),
        ("placeholders", "--placeholder"),
        ("jdbcProperties", "--jdbc-property"),
        ("postgresql.transactional.lock", "--postgresql-transactional-lock"),
        ("scriptMigrations", "--script-migrations"),
        ("schemas", "--schemas"),
        ("password", None),
    ],
)
def test_flags_are_the_key_with_hyphens_and_passwords_have_none(key: str, flag: str | None) -> None:
    assert BY_KEY[key].flag == flag


@pytest.mark.parametrize(
    ("key", "variable"),
    [
        ("host", "DB_HOST"),
        ("port", "DB_PORT"),
        ("databaseName", "DB_NAME"),
        ("sslmode", "DB_SSLMODE"),
        ("sslrootcert", "DB_SSLROOTCERT"),
    ],
)
def test_the_tasks_variables_of_the_tutorial_keep_their_names(key: str, variable: str) -> None:
    assert BY_KEY[key].environment_variable == variable


def test_identifiers_are_python_names() -> None:
    assert BY_KEY["outOfOrder"].identifier == "out_of_order"
    assert BY_KEY["postgresql.transactional.lock"].identifier == "postgresql_transactional_lock"
    assert all(option.identifier.isidentifier() for option in OPTIONS)


def test_the_defaults_of_the_table_are_those_of_the_settings() -> None:
    loaded = merge([])
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}
    assert len(defaults_layer()) == len(loaded.origins)


def test_every_group_and_every_kind_is_in_use() -> None:
    assert {option.group for option in OPTIONS} == set(Group)
    assert {option.kind for option in OPTIONS} == set(Kind)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_the_help_is_one_line_that_ends_as_a_sentence(option: Option) -> None:
    assert "\n" not in option.help
    assert option.help.endswith(".")
