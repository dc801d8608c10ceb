"""Public Flyway projects, migrated by both tools: ``python -m conformance.corpora corpora.json --mirror FOLDER``.

``corpora.json`` is a list of projects. Of each, these keys count: ``name``, ``repo`` (``owner/name``), ``commit``,
``paths`` (folders of the repository that are needed), ``exclude`` (files that are not), ``runs`` (each with
``locations`` below a folder ``sql``, ``callback_locations``, ``schemas``, ``default_schema``, ``placeholders``,
``options``), ``pre_sql``, ``needs_session_lock`` (Flyway's default lock would wait for ever), and ``upgrade_from``
(with an older ``commit``, which is migrated first). ``{database}`` in a placeholder is the name of the database.

``--mirror`` has the bare clones, as ``OWNER+NAME/repo``. Nothing is fetched, and nothing of a project is kept.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from conformance.bench import Bench, open_bench
from conformance.oracle import find_missing_programs
from conformance.play import Play, find_differences, play_steps
from conformance.scenario import Step
from conformance.tools import Flyway, Taxiway, Tool

# Both tools get a database of the same name, because a placeholder may hold it and a checksum may depend on it.
_DATABASE: Final = "corpus"
_PATIENCE_SECONDS: Final = 120.0
_SESSION_LOCK: Final = {"postgresql.transactional.lock": "false"}


class NotInMirror(Exception):
    """A commit or a file that the clone does not have."""


@dataclass(frozen=True, slots=True)
class Project:
    """One entry of the list, and its clone."""

    entry: Mapping[str, Any]
    clone: Path

    def histories(self) -> Iterator[tuple[str, tuple[Step, ...]]]:
        """What to play: the newest commit on an empty database, and after an older one.

        Projects edit what was applied; so the upgrade goes on with a repair.

        Raises:
            NotInMirror: The clone lacks something.
        """
        newest = self.entry["commit"]
        files = self._files(newest)
        yield newest[:8], (*self._migrate(files), *self._look())
        if upgrade := self.entry.get("upgrade_from"):
            older = self._files(upgrade["commit"])
            gone = tuple(older.keys() - files.keys())
            repair = [Step(command=word, options=one) for one in self._runs() for word in ("repair", "migrate")]
            steps = (*self._migrate(older), *self._migrate(files, gone), *self._look(), *repair, *self._look())
            yield f"{upgrade['commit'][:8]}, then {newest[:8]}", steps

    def _migrate(self, files: Mapping[str, bytes], gone: tuple[str, ...] = ()) -> tuple[Step, ...]:
        first, *others = self._runs()
        laid_out = Step(command="migrate", write=files, remove=gone, options=first)
        return (laid_out, *(Step(command="migrate", options=one) for one in others))

    def _look(self) -> tuple[Step, ...]:
        return tuple(Step(command=word, options=one) for one in self._runs() for word in ("info", "validate"))

    def _runs(self) -> list[dict[str, str]]:
        return [self._options(run) for run in self.entry["runs"]]

    def _options(self, run: Mapping[str, Any]) -> dict[str, str]:
        options = {
            "locations": _places(run["locations"]),
            **({"callbackLocations": _places(run["callback_locations"])} if run["callback_locations"] else {}),
            **({"schemas": ",".join(run["schemas"])} if run["schemas"] else {}),
            **({"defaultSchema": run["default_schema"]} if run["default_schema"] else {}),
            **{f"placeholders.{key}": value for key, value in run["placeholders"].items()},
            **(_SESSION_LOCK if self.entry["needs_session_lock"] else {}),
            **run["options"],
        }
        return {key: value.replace("{database}", _DATABASE) for key, value in options.items()}

    def _files(self, commit: str) -> dict[str, bytes]:
        listing = self._git("ls-tree", "-r", "--name-only", "-z", commit, "--", *self.entry["paths"]).decode()
        names = [name for name in listing.split("\0") if name and not self._is_excluded(name)]
        return {name: self._git("cat-file", "blob", f"{commit}:{name}") for name in names}

    def _is_excluded(self, name: str) -> bool:
        return any(name == one or PurePosixPath(name).match(one) for one in self.entry["exclude"])

    def _git(self, *arguments: str) -> bytes:
        command = ["git", "-C", str(self.clone), *arguments]
        result = subprocess.run(command, check=False, capture_output=True)
        if result.returncode:
            raise NotInMirror(result.stderr.decode(errors="replace").strip() or "no clone")
        return result.stdout


def _places(locations: Sequence[str]) -> str:
    """Locations begin with ``sql/``, the folder that the repository's files are laid out in."""
    return ",".join(f"filesystem:{{scripts}}/{location.removeprefix('sql/')}" for location in locations)


def compare(project: Project, steps: tuple[Step, ...], bench: Bench) -> tuple[Play, list[str]]:
    """What Flyway did, and where Taxiway differs, in words."""
    flyway = Flyway(bench.oracle, patience_seconds=_PATIENCE_SECONDS)
    theirs, ours = (_play(project, steps, tool, bench) for tool in (flyway, Taxiway()))
    return theirs, find_differences(theirs, ours)


def _play(project: Project, steps: tuple[Step, ...], tool: Tool, bench: Bench) -> Play:
    with _without_new_roles(bench), bench.playground.database(_DATABASE) as database:
        for statement in project.entry["pre_sql"]:
            database.run(statement)
        return Play(tuple(play_steps(steps, tool, database)), database.dump())


@contextmanager
def _without_new_roles(bench: Bench) -> Iterator[None]:
    """Drop the roles that scripts have made: they belong to the server, and the other tool makes them too."""
    server = bench.playground.server
    before = server.roles()
    try:
        yield
    finally:
        for role in server.roles() - before:
            server.drop_role(role)


def run(projects: Sequence[Project], bench: Bench) -> int:
    """Play every project; how many histories differ or could not be played."""
    failed = total = 0
    for project in projects:
        try:
            histories = list(project.histories())
        except NotInMirror as error:
            failed, total = failed + 1, total + 1
            print(f"FAIL {project.entry['name']}: not in the mirror: {error}")
            continue
        for title, steps in histories:
            theirs, differences = compare(project, steps, bench)
            total += 1
            failed += bool(differences)
            print(f"{'FAIL' if differences else 'ok  '} {project.entry['name']} {title}: {_summary(theirs)}")
            for difference in differences[:3]:
                print("      " + difference.replace("\n", "\n      "), flush=True)
    print(f"{total - failed} of {total} histories of {len(projects)} projects equal")
    return failed


def _summary(theirs: Play) -> str:
    migrations = [step.answer for step in theirs.steps if step.command == "migrate"]
    outcomes = ", ".join(f"{one.outcome.value} {max(len(one.lines) - 1, 0)} applied" for one in migrations)
    rows = len(theirs.steps[-1].contents.history)
    return f"Flyway {outcomes}; {rows} history rows, {len(theirs.schema)} lines of schema"


def main(arguments: Sequence[str]) -> int:
    """Play the projects of a list, or those of these names."""
    parser = argparse.ArgumentParser(prog="python -m conformance.corpora")
    parser.add_argument("corpora", type=Path, help="the list of projects, JSON")
    parser.add_argument("names", nargs="*", help="only these projects")
    parser.add_argument("--mirror", type=Path, required=True, help="folder of bare clones")
    options = parser.parse_args(arguments)
    if missing := find_missing_programs():
        print(f"SKIPPED: {', '.join(missing)} not found, so NOTHING WAS COMPARED WITH FLYWAY.", file=sys.stderr)
        return 0
    entries = json.loads(options.corpora.read_text())
    projects = [
        Project(entry, options.mirror / entry["repo"].replace("/", "+") / "repo")
        for entry in entries
        if not options.names or entry["name"] in options.names
    ]
    with open_bench() as bench:
        return 1 if run(projects, bench) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
