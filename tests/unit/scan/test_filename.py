"""Which file names are migrations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.model.callback import CallbackEvent
from taxiway.model.migration import MigrationKind
from taxiway.model.rules import Naming
from taxiway.model.version import MigrationVersion
from taxiway.scan.filename import (
    CallbackName,
    InvalidName,
    MigrationName,
    ProgramName,
    parse_filename,
    parse_program_name,
)

DEFAULT = Naming()


@pytest.mark.parametrize(
    ("name", "version", "description"),
    [
        ("V1__First_table.sql", "1", "First table"),
        ("V6.sql", "6", ""),
        ("V7__.sql", "7", ""),
        ("V8_1__x_y__z.SQL", "8.1", "x y  z"),
        ("V011.0__z.sql", "011.0", "z"),
        ("V17___tri.sql", "17", " tri"),
        ("V15__ sp ace .sql", "15", " sp ace "),
        ("V-1__neg.sql", "-1", "neg"),
        (
            "V20240101123456789012345678901234567890__big.sql",
            "20240101123456789012345678901234567890",
            "big",
        ),
        ("V2__latest.sql", "2", "latest"),
    ],
)
def test_versioned_names(name: str, version: str, description: str) -> None:
    parsed = parse_filename(name, DEFAULT)
    assert isinstance(parsed, MigrationName)
    assert (parsed.kind, str(parsed.version), parsed.description) == (
        MigrationKind.VERSIONED,
        version,
        description,
    )


@pytest.mark.parametrize(
    ("name", "description"),
    [("R__.sql", ""), ("R__a_b.sql", "a b"), ("R__a b.sql", "a b"), ("R__InsertSample_p.sql", "InsertSample p")],
)
def test_repeatable_names(name: str, description: str) -> None:
    assert parse_filename(name, DEFAULT) == MigrationName(MigrationKind.REPEATABLE, None, description)


@pytest.mark.parametrize(("prefix", "kind"), [("B", MigrationKind.BASELINE), ("U", MigrationKind.UNDO)])
def test_baseline_and_undo_names_have_a_version(prefix: str, kind: MigrationKind) -> None:
    parsed = parse_filename(f"{prefix}1_2__a.sql", DEFAULT)
    assert parsed == MigrationName(kind, MigrationVersion("1.2"), "a")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("v9__low.sql", "it starts with none of the prefixes V, R, B, U; did you mean 'V9__low.sql'?"),
        (".V5__hid.sql", "it starts with none of the prefixes V, R, B, U"),
        ("readme.sql", "it starts with none of the prefixes V, R, B, U"),
        ("V10-x.sql", "'10-x' is not a version"),
        ("V12.a__x.sql", "'12.a' is not a version"),
        ("V13..1__x.sql", "'13..1' is not a version"),
        ("V14 __sp.sql", "'14 ' is not a version"),
        ("V16_.sql", "'16_' is not a version"),
        ("V18.sql.sql", "'18.sql' is not a version"),
        ("V__nov.sql", "the version is missing"),
        ("R1__bad.sql", "a repeatable migration has no version, and this one has '1'"),
        ("Rfoo.sql", "a repeatable migration has no version, and this one has 'foo'"),
        ("beforeMigrateX.sql", "a callback is named 'beforeMigrate'"),
        ("beforeMigrate_x.sql", "a callback is named 'beforeMigrate'"),
        ("V.sql", "nothing follows the prefix 'V'"),
        ("R.sql", "nothing follows the prefix 'R'"),
        ("Vlatest__x.sql", "'latest' is a word for the target"),
        ("VCurrent__x.sql", "'Current' is a word for the target"),
        ("Bnext__x.sql", "'next' is a word for the target"),
        ("V9223372036854775807__x.sql", "is a word for the target"),
    ],
)
def test_invalid_names_come_with_the_reason(name: str, reason: str) -> None:
    parsed = parse_filename(name, DEFAULT)
    assert isinstance(parsed, InvalidName)
    assert reason in parsed.reason


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("V1_create.sql", "V1__create.sql"),
        ("V1.2_create_it.SQL", "V1.2__create_it.SQL"),
        ("V10-x.sql", "V10__x.sql"),
        ("v1__x.sql", "V1__x.sql"),
        ("v1_2_x.sql", "V1_2__x.sql"),
        ("R_views.sql", "R__views.sql"),
        ("r__views.sql", "R__views.sql"),
        ("b3__x.sql", "B3__x.sql"),
        ("afterMigrat.sql", "afterMigrate.sql"),
        ("AfterMigrate__x.sql", "afterMigrate__x.sql"),
    ],
)
def test_a_probable_typo_comes_with_the_name_that_was_meant(name: str, meant: str) -> None:
    parsed = parse_filename(name, DEFAULT)
    assert isinstance(parsed, InvalidName)
    assert parsed.reason.endswith(f"; did you mean '{meant}'?")
    assert isinstance(parse_filename(meant, DEFAULT), MigrationName | CallbackName)


@pytest.mark.parametrize("name", ["readme.sql", "V__nov.sql", "R1__bad.sql", "version_1.sql", "V13..1__x.sql"])
def test_no_name_is_suggested_when_none_is_near(name: str) -> None:
    parsed = parse_filename(name, DEFAULT)
    assert isinstance(parsed, InvalidName)
    assert "did you mean" not in parsed.reason


@pytest.mark.parametrize("name", ["V1__a.txt", "README.md", "V2__noext", "V1__a.sql.conf", "sql", ""])
def test_files_without_an_sql_suffix_are_none_of_our_business(name: str) -> None:
    assert parse_filename(name, DEFAULT) is None


@pytest.mark.parametrize("event", CallbackEvent)
def test_files_named_after_an_event_are_callbacks(event: CallbackEvent) -> None:
    assert parse_filename(f"{event.value}.sql", DEFAULT) == CallbackName(event, "")
    assert parse_filename(f"{event.value}__so_it_is.sql", DEFAULT) == CallbackName(event, "so it is")


def versioned(version: str, description: str) -> MigrationName:
    return MigrationName(MigrationKind.VERSIONED, MigrationVersion(version), description)


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("V1__a.py", ProgramName(versioned("1", "a"), ".py")),
        ("V1__a_b.SH", ProgramName(versioned("1", "a b"), ".sh")),
        ("V1__a.bash", ProgramName(versioned("1", "a"), ".bash")),
        ("V1__a.ps1", ProgramName(versioned("1", "a"), ".ps1")),
        ("V1__a.cmd", ProgramName(versioned("1", "a"), ".cmd")),
        ("V1__a.Bat", ProgramName(versioned("1", "a"), ".bat")),
        ("V1__a.b.sh", ProgramName(versioned("1", "a.b"), ".sh")),
        ("V2__noext", ProgramName(versioned("2", "noext"), "")),
        ("V1_2__noext", ProgramName(versioned("1.2", "noext"), "")),
        ("V2", ProgramName(versioned("2", ""), "")),
        ("R__a.sh", ProgramName(MigrationName(MigrationKind.REPEATABLE, None, "a"), ".sh")),
        ("R__a", ProgramName(MigrationName(MigrationKind.REPEATABLE, None, "a"), "")),
        ("B3__a.py", ProgramName(MigrationName(MigrationKind.BASELINE, MigrationVersion("3"), "a"), ".py")),
        ("afterMigrate.sh", ProgramName(CallbackName(CallbackEvent.AFTER_MIGRATE, ""), ".sh")),
        ("beforeConnect__a_b", ProgramName(CallbackName(CallbackEvent.BEFORE_CONNECT, "a b"), "")),
    ],
)
def test_names_of_programs(name: str, parsed: ProgramName) -> None:
    assert parse_program_name(name, DEFAULT) == parsed


@pytest.mark.parametrize(
    "name",
    [
        "README",
        "Vagrantfile",
        "Rakefile",
        "Brewfile",
        "Makefile",
        "V",
        "R",
        "deploy.sh",
        "V1__notes.txt",
        "V1.2__noext",
        "V1.2",
        "V1_a.sh",
        "v1__a.sh",
        "R1__a.sh",
        "U1__a.sh",
        "U1__a",
        "afterMigrateX.sh",
        "afterMigrate__x.txt",
        "Vlatest__a.sh",
        ".sh",
        "",
    ],
)
def test_files_that_are_no_programs(name: str) -> None:
    assert parse_program_name(name, DEFAULT) is None


def test_prefix_separator_and_suffixes_can_be_chosen() -> None:
    naming = Naming(versioned_prefix="Mig-", separator="~", suffixes=(".pgsql", ".ddl"))
    parsed = parse_filename("Mig-1~a_b.DDL", naming)
    assert parsed == MigrationName(MigrationKind.VERSIONED, MigrationVersion("1"), "a b")
    assert parse_filename("Mig-1~a_b.sql", naming) is None


def test_the_longest_prefix_wins() -> None:
    naming = Naming(repeatable_prefix="VR")
    assert parse_filename("VR__a.sql", naming) == MigrationName(MigrationKind.REPEATABLE, None, "a")


def test_a_prefix_may_be_empty() -> None:
    naming = Naming(versioned_prefix="")
    parsed = parse_filename("20240101__a.sql", naming)
    assert parsed == MigrationName(MigrationKind.VERSIONED, MigrationVersion("20240101"), "a")


def test_the_first_suffix_that_fits_is_cut_off() -> None:
    parsed = parse_filename("V1__a.up.sql", Naming(suffixes=(".up.sql", ".sql")))
    assert parsed == MigrationName(MigrationKind.VERSIONED, MigrationVersion("1"), "a")


NAMES = st.one_of(
    st.text(),
    st.text("VRBUvr0123_._- ab\u0130ß\n").map(lambda body: f"{body}.sql"),
    st.sampled_from(CallbackEvent).flatmap(
        lambda event: st.text("_ab").map(lambda rest: f"{event.value}{rest}.Sql")
    ),
)


@given(NAMES)
def test_any_name_is_a_migration_a_callback_invalid_or_ignored(name: str) -> None:
    parsed = parse_filename(name, DEFAULT)
    match parsed:
        case MigrationName(kind, version, description):
            assert (version is None) is (kind is MigrationKind.REPEATABLE)
            assert "_" not in description
        case InvalidName(reason):
            assert reason
        case None:
            assert not name.lower().endswith(".sql")
