"""The reference pages have everything that there is to look up, and are those that the code would write now."""

import inspect
import re
from pathlib import Path
from typing import Final

import click
import pytest

from taxiway import errors, exit_codes
from taxiway.cli.group import COMMANDS, taxiway
from taxiway.cli.names import ELSEWHERE
from taxiway.cli.settings import SETTINGS
from taxiway.config.flyway_only import BY_PLACE
from taxiway.config.infra import KEYS as INFRA_KEYS
from taxiway.config.option import Kind, Option
from taxiway.config.options import OPTIONS
from taxiway.config.roles import ROLE_KEYS
from taxiway.config.table import Key
from taxiway.config.toml import FLYWAY, parse_toml
from taxiway.model.callback import CallbackEvent
from taxiway.runner.job import VARIABLES, Variable
from tests.support.markdown import PAGES, ROOT, read_page
from tools import infra_lint, reference

ERRORS: Final = [
    member
    for member in vars(errors).values()
    if inspect.isclass(member) and issubclass(member, errors.TaxiwayError)
]
CONFIGURATION: Final = "docs/reference/configuration.md"
# A value of each kind, in TOML
_SOME: Final = {
    Kind.STRING: '"1"',
    Kind.SECRET: '"1"',
    Kind.BOOLEAN: "true",
    Kind.INTEGER: "1",
    Kind.LIST: '["1"]',
    Kind.MAP: '{ a = "1" }',
}
EXIT_CODES: Final = [value for value in vars(exit_codes).values() if type(value) is int]


def test_the_pages_in_the_repository_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(["--check"], ROOT) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("interrupted", exit_codes.INTERRUPTED),
        ("terminated", exit_codes.TERMINATED),
        ("bug", exit_codes.BUG),
    ],
)
def test_what_ends_a_command_without_an_error_is_there_with_its_exit_code(code: str, number: int) -> None:
    assert f"| `{code}` | {number} |" in read_page("docs/reference/errors.md")


@pytest.mark.parametrize("page", reference.PAGES)
def test_a_written_page_says_so_in_its_first_line(page: str) -> None:
    assert read_page(page).startswith("<!-- Written by tools/reference.py")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_with_every_flag_of_its_own(name: str) -> None:
    section = section_of("docs/reference/cli.md", f"taxiway {name}")
    command = taxiway.get_command(click.Context(taxiway), name)
    assert command
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name not in SETTINGS and not parameter.hidden:
            for flag in (*parameter.opts, *parameter.secondary_opts):
                assert f"{flag} " in section or f"{flag}\n" in section or f"{flag}, " in section


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_every_setting_is_there_with_every_place(option: Option) -> None:
    section = section_of("docs/reference/configuration.md", option.key, level="###")
    assert f"`-{option.key}" in section
    for place in (option.path, option.environment_variable, option.flag):
        assert place is None or f"`{place}" in section


@pytest.mark.parametrize(
    "option", [one for one in OPTIONS if one.path and one.table != "ledger"], ids=lambda option: option.key
)
def test_flyways_files_in_toml_accept_a_setting_where_the_page_says_so(option: Option) -> None:
    [line] = re.findall(
        "^- Flyway's files: (.+)$", section_of(CONFIGURATION, option.key, level="###"), re.MULTILINE
    )
    places = re.findall(r"`([^`]+)` in TOML", line)
    section = "environments.default" if option.in_environment else "flyway"
    written = parse_toml(f"{section}.{option.key} = {_SOME[option.kind]}", dialect=FLYWAY)
    assert bool(places) is bool(written.given)
    for place in places:
        key = place.replace("<name>", "prod").replace(".<NAME>", "")
        assert parse_toml(f"{key} = {_SOME[option.kind]}", dialect=FLYWAY).given


@pytest.mark.parametrize(("place", "key"), [(place, key) for place, keys in BY_PLACE.items() for key in keys])
def test_every_setting_of_flyway_that_is_no_option_is_there(place: str, key: str) -> None:
    section = section_of(CONFIGURATION, "Settings of Flyway that are no options")
    assert f"| `{key}` | {place} | is " in section


@pytest.mark.parametrize("key", INFRA_KEYS, ids=lambda key: key.name)
def test_every_key_of_the_infrastructure_is_there(key: Key) -> None:
    assert f"| `{key.name}` | {key.kind.value} | " in section_of(CONFIGURATION, "Infrastructure")


@pytest.mark.parametrize("finding", infra_lint.EXCEPTIONS)
def test_every_exception_from_a_linter_of_templates_is_told(finding: str) -> None:
    of_the_stack = section_of("docs/how-to/build-the-infrastructure.md", "What the linters say")
    of_the_modules = section_of("docs/how-to/build-with-terraform.md", "What was checked")
    assert f"`{finding}`" in of_the_stack + of_the_modules


@pytest.mark.parametrize("key", ROLE_KEYS)
def test_every_key_of_a_role_is_there(key: str) -> None:
    assert f"| `{key}` | " in section_of(CONFIGURATION, "Database users")


@pytest.mark.parametrize("option", [one for one in OPTIONS if not one.resolved], ids=lambda option: option.key)
def test_every_setting_without_references_is_named(option: Option) -> None:
    assert f"`{option.key}`" in section_of(CONFIGURATION, "References").partition("not resolved in")[2]


@pytest.mark.parametrize("event", CallbackEvent, ids=lambda event: event.value)
def test_every_callback_event_is_there(event: CallbackEvent) -> None:
    assert f"- `{event.value}`\n" in section_of("docs/reference/cli.md", "Callbacks")


@pytest.mark.parametrize("word", ELSEWHERE)
def test_every_command_of_flyway_that_is_not_here_is_told(word: str) -> None:
    assert f"| `{word}` | not here. " in section_of("docs/reference/cli.md", "Flyway's command line")


@pytest.mark.parametrize("code", EXIT_CODES)
def test_every_exit_code_is_there(code: int) -> None:
    assert f"| {code} | " in section_of("docs/reference/cli.md", "Exit codes")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_is_there_with_its_exit_code(error: type[errors.TaxiwayError]) -> None:
    [row] = [line for line in read_page("docs/reference/errors.md").splitlines() if f"| `{error.code}` | " in line]
    assert f"{error.__name__} | {exit_codes.exit_code_for(error.__new__(error))} | " in row


def test_no_two_errors_have_the_same_code() -> None:
    assert len({error.code for error in ERRORS}) == len(ERRORS)


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_variable_of_the_job_is_there(variable: Variable) -> None:
    assert f"| `{variable.name}` | " in section_of("docs/reference/environment.md", "The job of the container")


@pytest.mark.parametrize(
    "option", [option for option in OPTIONS if option.environment_variable], ids=lambda option: option.key
)
def test_every_variable_of_an_option_is_there(option: Option) -> None:
    name = f"{option.environment_variable}{'<NAME>' if option.kind is Kind.MAP else ''}"
    assert f"| `{name}` | `{option.key}` | " in section_of("docs/reference/environment.md", "Options")


@pytest.mark.parametrize("path", sorted((ROOT / "src" / "taxiway").glob("[a-z]*")), ids=lambda path: path.name)
def test_every_part_of_the_package_is_in_the_architecture(path: Path) -> None:
    if path.name not in {"py.typed", "version.py"}:
        assert f"| `{path.name}{'/' if path.is_dir() else ''}` | " in read_page("ARCHITECTURE.md")


@pytest.mark.parametrize(
    "option", [option for option in OPTIONS if "Flyway's default" in option.differs], ids=lambda option: option.key
)
def test_every_default_that_is_not_that_of_flyway_is_among_the_differences(option: Option) -> None:
    assert f"`{option.key}" in section_of("docs/reference/compatibility.md", "What is different")


def test_every_verb_of_make_is_told() -> None:
    verbs = re.findall(r"^([a-z-]+):.* ## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert [verb for verb in verbs if f"`make {verb}`" not in read_page("CONTRIBUTING.md")] == ["help"]


def section_of(page: str, heading: str, level: str = "##") -> str:
    """The text below a heading, up to the next one of its level."""
    assert page in PAGES
    return read_page(page).partition(f"\n{level} {heading}\n")[2].partition(f"\n{level} ")[0]
