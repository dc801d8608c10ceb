"""Whether a secret shows up where it does not belong: in the server's views, its log, the history, our output."""

import json
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Final

from faults.case import Case, Migration, transactional
from faults.command import Ended, Run
from faults.place import Place, log_of, open_place, open_server
from faults.trial import Part, Trial

_KILLED: Final = -signal.SIGKILL
_LOOKED: Final = "V2__look_around.sql"
# Everything that a session can see of itself and of others.
_LOOK_AROUND: Final = """\
CREATE TABLE seen (what text);
INSERT INTO seen SELECT row_to_json(a)::text FROM pg_stat_activity a;
INSERT INTO seen SELECT row_to_json(s)::text FROM pg_settings s;
INSERT INTO seen SELECT row_to_json(p)::text FROM pg_prepared_statements p;
INSERT INTO seen SELECT row_to_json(c)::text FROM pg_cursors c;
"""
_SETTINGS: Final = {"log_connections": "on", "log_disconnections": "on", "log_line_prefix": "%a %u %d %r "}
_SECRETS_PROJECT: Final = """\
[flyway.placeholders]
first = "${env:FIRST_SECRET}"
second = "${env:SECOND_SECRET}"
"""


def _using(script: str, placeholder: str) -> Migration:
    """A migration that has a secret in a statement, as one that makes a user has."""
    return transactional(
        script, f"CREATE TABLE {placeholder} (value text);\nSELECT length('${{{placeholder}}}');\n"
    )


def _case(last: Migration) -> Case:
    return Case(
        name="secrets",
        migrations=(
            _using("V1__first.sql", "first"),
            transactional(_LOOKED, _LOOK_AROUND),
            _using("V3__second.sql", "second"),
            last,
        ),
    )


SUCCEEDING: Final = _case(transactional("V4__last.sql"))
FAILING: Final = _case(transactional("V4__last.sql", "SELECT 1 / 0;\n"))


def play_all(directory: Path) -> Iterator[Trial]:
    """A run that succeeds, one that fails, and one that is killed; on a server of their own."""
    with open_server(_SETTINGS) as server, open_place(server, "secretive") as place:
        for name, case, exit_code in (
            ("a run that succeeds", SUCCEEDING, 0),
            ("a run that fails", FAILING, 1),
            ("a run that is killed", SUCCEEDING, _KILLED),
        ):
            yield _play(name, case, place, directory / name.replace(" ", "-"), exit_code)


def _play(name: str, case: Case, place: Place, directory: Path, exit_code: int) -> Trial:
    case.lay_out(directory / "sql")
    (directory / "taxiway.toml").write_text(_SECRETS_PROJECT)
    secrets = {what: token_hex(16) for what in ("FIRST_SECRET", "SECOND_SECRET", "FLYWAY_PASSWORD")}
    place.reset()
    command = ["migrate", f"-url={place.url()}", "-locations=filesystem:sql", "-X", "-outputType=text"]
    run = Run(command, directory, secrets)
    if exit_code == _KILLED:
        _wait_for_session(place, run)
        run.process.kill()
    ended = run.wait()
    place.is_left_alone()
    problems = list(_find_leaks(secrets, _places(place, ended)))
    if ended.exit_code != exit_code:
        problems.append(f"exit {ended.exit_code}: {ended.stdout[-500:]}{ended.stderr[-500:]}")
    return Trial(part=Part.SECRETS, group=name, what=name, outcome=ended.in_short, then="-", problems=problems)


def _wait_for_session(place: Place, run: Run) -> None:
    while not place.sessions() and run.process.poll() is None:
        pass


def _places(place: Place, ended: Ended) -> Iterator[tuple[str, str]]:
    """Where no secret may be: name and contents."""
    yield "standard output", ended.stdout
    yield "standard error", ended.stderr
    yield "the log of the server", log_of(place.server)
    history = "SELECT coalesce(json_agg(h), '[]') FROM public.flyway_schema_history h"
    if place.look().has_history:
        yield "the history", json.dumps(place.observer.execute(history).fetchall())
    if _LOOKED in place.look().applied:
        seen = place.observer.execute("SELECT what FROM public.seen").fetchall()
        yield "what another migration could see", "\n".join(what for (what,) in seen)


def _find_leaks(secrets: Mapping[str, str], places: Iterator[tuple[str, str]]) -> Iterator[str]:
    for name, contents in places:
        yield from (f"{what} is in {name}" for what, secret in secrets.items() if secret in contents)
