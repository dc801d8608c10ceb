"""``python -m conformance [CASE…]``: run the cases, print how each went, end with 1 if any differs."""

import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import taxiway
from conformance.oracle import Oracle
from sandbox.directory import temporary_directory
from sandbox.postgres import PostgresServer
from taxiway.model.info import MigrationInfo

CASES: Final = Path(__file__).parent / "cases"
_OWNER, _PASSWORD = "conformance", "conformance"

type Outcome = dict[str, Any]


class Bench:
    """Two databases, and one folder of scripts that both tools look at."""

    def __init__(self, server: PostgresServer, oracle: Oracle, folder: Path, number: int) -> None:
        self.server, self.oracle, self.folder = server, oracle, folder
        self.databases = {"flyway": f"flyway_{number}", "taxiway": f"taxiway_{number}"}
        for name in self.databases.values():
            server.create_database(name, _OWNER)

    def play(self, steps: Sequence[Mapping[str, Any]]) -> list[str]:
        """Take every step with both; what differs, in words."""
        differences = []
        for number, step in enumerate(steps, start=1):
            self._lay_out(step)
            for key, theirs, ours in self._compare(step):
                differences.append(
                    f"step {number} ({step['command']}), {key}:\n      Flyway  {theirs}\n      Taxiway {ours}"
                )
        return differences

    def _lay_out(self, step: Mapping[str, Any]) -> None:
        for name, text in step.get("files", {}).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        for name in step.get("remove", []):
            (self.folder / name).unlink()
        for name in self.databases.values() if "sql" in step else ():
            with self.server.connect(_OWNER, _PASSWORD, name) as connection:
                connection.execute(step["sql"])

    def _compare(self, step: Mapping[str, Any]) -> list[tuple[str, object, object]]:
        theirs, ours = self._flyway(step), self._taxiway(step)
        return [(key, theirs[key], ours[key]) for key in theirs if theirs[key] != ours[key]]

    def _flyway(self, step: Mapping[str, Any]) -> Outcome:
        name = self.databases["flyway"]
        url = f"jdbc:postgresql://{self.server.host}:{self.server.port}/{name}"
        settings = {
            "flyway.url": f"{url}?sslmode=verify-full&sslrootcert={self.server.authority}",
            "flyway.user": _OWNER,
            "flyway.password": _PASSWORD,
            "flyway.locations": f"filesystem:{self.folder}",
            "flyway.validateMigrationNaming": "true",
            **{f"flyway.{key}": str(value) for key, value in step.get("options", {}).items()},
        }
        kind, *fields = self.oracle.ask(step["command"], settings)
        outcome = {"kind": kind, "answer": fields if kind != "error" else None}
        return outcome | self._database(name)

    def _taxiway(self, step: Mapping[str, Any]) -> Outcome:
        name = self.databases["taxiway"]
        placeholders, options = {}, {}
        for key, value in step.get("options", {}).items():
            if key.startswith("placeholders."):
                placeholders[key.removeprefix("placeholders.")] = value
            else:
                options["".join(f"_{c.lower()}" if c.isupper() else c for c in key)] = value
        arguments = {
            "url": self.server.url(_OWNER, name),
            "password": _PASSWORD,
            "locations": [f"filesystem:{self.folder}"],
            "placeholders": placeholders,
            **options,
        }
        try:
            outcome = _asked(step["command"], arguments)
        except taxiway.TaxiwayError:
            outcome = {"kind": "error", "answer": None}
        return outcome | self._database(name)

    def _database(self, name: str) -> Outcome:
        """The history without times, and every relation."""
        with self.server.connect(_OWNER, _PASSWORD, name) as connection:
            relations = connection.execute(
                "SELECT nspname, relname, relkind::text FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
                " WHERE nspname !~ '^(pg_|information_schema)' ORDER BY 1, 2"
            ).fetchall()
            tables = [(schema, table) for schema, table, _ in relations if table == "flyway_schema_history"]
            history = [
                row
                for schema, table in tables
                for row in connection.execute(
                    "SELECT installed_rank, version, description, type, script, checksum, installed_by, success"
                    f' FROM "{schema}"."{table}" ORDER BY 1'
                ).fetchall()
            ]
        return {"relations": relations, "history": history}


def _asked(command: str, arguments: dict[str, Any]) -> Outcome:
    if command == "migrate":
        result = taxiway.migrate(**arguments)
        return {"kind": "ok", "answer": [str(result.count), _java_text(result.target_version)]}
    if command == "info":
        infos = taxiway.info(**arguments).migrations
        return {"kind": "ok", "answer": [_info_line(info) for info in infos]}
    problems = taxiway.validate(**arguments).problems
    lines = [
        f"{one.version.text if one.version is not None else ''}|{one.description}|{one.code}" for one in problems
    ]
    return {"kind": "invalid" if problems else "ok", "answer": lines}


def _info_line(info: MigrationInfo) -> str:
    source = info.applied or info.resolved
    checksum = source.checksum if source else None
    return "|".join(
        [_java_text(info.version), info.description, info.type.value, info.state.value, _java_text(checksum)]
    )


def _java_text(value: object) -> str:
    """What Java makes of a value, or of none."""
    return "null" if value is None else str(value)


def main(names: Sequence[str]) -> int:
    """Run the cases of these names, or all."""
    cases = sorted(path for path in CASES.glob("*.toml") if not names or path.stem in names)
    failed = 0
    with temporary_directory() as directory, PostgresServer(directory / "postgres") as server, Oracle() as oracle:
        server.create_user(_OWNER, _PASSWORD)
        for number, path in enumerate(cases):
            case = tomllib.loads(path.read_text())
            with tempfile.TemporaryDirectory() as folder:
                differences = Bench(server, oracle, Path(folder), number).play(case["step"])
            expected = case.get("differs", False)
            agrees = bool(differences) == bool(expected)
            failed += not agrees
            print(f"{'ok  ' if agrees else 'FAIL'} {path.stem}: {case['title']}")
            for difference in differences if not expected or not agrees else ():
                print(f"      {difference}")
    print(f"{len(cases) - failed} of {len(cases)} cases as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
