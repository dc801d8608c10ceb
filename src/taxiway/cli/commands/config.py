"""``taxiway config``: what every setting is, and where that comes from."""

import re
from pathlib import Path
from typing import Final

import click

from taxiway.cli.commands.options import SettingsCommand, setting_options
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_json, print_result
from taxiway.cli.settings import load_settings
from taxiway.config.effective import EffectiveOption
from taxiway.config.merge import Loaded
from taxiway.config.option import Kind
from taxiway.config.options import OPTIONS
from taxiway.nearest import find_nearest
from taxiway.reports.table import render_table

_MAPS: Final = {option.key.lower(): option.key for option in OPTIONS if option.kind is Kind.MAP}
# Whatever else it is called
_SPELLINGS: Final = {
    spelling.lower(): option.key
    for option in OPTIONS
    for spelling in (option.key, option.path, option.environment_variable, option.identifier)
    if spelling
}


@click.command(cls=SettingsCommand)
@setting_options
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.pass_obj
def config(invocation: Invocation, /, config_file: Path | None, names: tuple[str, ...], **options: object) -> None:
    """Show every setting in force, and where it comes from; with NAMEs, only those. No database is needed.

    A NAME is a setting, such as outOfOrder, or a table of them, such as placeholders. Secrets are masked.
    """
    loaded = load_settings(invocation, options, config_file)
    shown = _named(loaded.effective, names)
    if invocation.json:
        print_json(_as_json(loaded, shown))
    else:
        # Masked before the columns are measured: stars have another width than what they hide.
        rows = [tuple(map(invocation.redactor, (one.key, one.value, one.origin))) for one in shown]
        print_result(render_table(("Setting", "Value", "Origin"), rows, empty="None is set"))


def _named(effective: tuple[EffectiveOption, ...], names: tuple[str, ...]) -> list[EffectiveOption]:
    """Those of the names, all without names.

    Raises:
        UsageError: There is no such setting.
    """
    wanted = [name.lower() for name in names]
    known = {one.key.lower() for one in effective} | {one.key.partition(".")[0].lower() for one in effective}
    for name in names:
        if name.lower() not in known | set(_MAPS):
            raise click.UsageError(f"There is no setting '{name}'.{_suggestion(name, effective)}")
    return [one for one in effective if not names or _is_named(one.key.lower(), wanted)]


def _suggestion(name: str, effective: tuple[EffectiveOption, ...]) -> str:
    """The key of what was written as a file, a variable or a program calls it, or of what is nearest."""
    own = _own_name(name)
    keys = {one.key.lower(): one.key for one in effective}
    if key := keys.get(own.lower()) or _SPELLINGS.get(own.lower()):
        return f" Did you mean '{key}'?"
    if table := _MAPS.get(own.partition(".")[0].lower()):
        return f" 'taxiway config {table}' shows those that are set."
    near = find_nearest(own, keys.values())
    return f" Did you mean '{near}'?" if near else ""


def _own_name(name: str) -> str:
    """Without the environment that it belongs to, and without Flyway's prefix."""
    return re.sub(r"^(?:environments\.[^.]+\.)?(?:flyway\.)?", "", name, flags=re.IGNORECASE)


def _is_named(key: str, wanted: list[str]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in wanted)


def _as_json(loaded: Loaded, shown: list[EffectiveOption]) -> dict[str, object]:
    return {
        "operation": "config",
        "settings": [
            {"key": one.key, "value": one.value, "origin": one.origin, "isSecret": one.is_secret} for one in shown
        ],
        "files": [str(file) for file in loaded.files],
        "warnings": list(loaded.warnings),
    }
