"""``make demo``: the main job end to end, on a throw-away world of real parts, told as a person would see it.

Every step is checked; the exit code is 1 as soon as one of them is not as it is told here.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sandbox.directory import REPOSITORY_ROOT
from sandbox.postgres import unpacked_programs
from sandbox.process import StartFailed
from sandbox.world import USER_SECRETS, World
from taxiway import exit_codes
from taxiway.aws.secrets import SecretsManager
from taxiway.errors import TaxiwayError
from taxiway.runner.signals import Terminated, Termination

STATE_FILE: Final = REPOSITORY_ROOT / ".demo.json"
ENVIRONMENT_FILE: Final = REPOSITORY_ROOT / ".demo.env"

_WIDTH: Final = 100

_IN_PUBLIC: Final = "(SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)"

# Roles, relations with columns and comments, constraints, functions, rows.
_FINGERPRINT: Final = (
    "SELECT rolname, rolcanlogin FROM pg_roles ORDER BY 1",
    f"""SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
        WHERE attrelid IN {_IN_PUBLIC} ORDER BY 1, 2""",
    f"SELECT objoid, objsubid, description FROM pg_description WHERE objoid IN {_IN_PUBLIC} ORDER BY 1, 2",
    """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace ORDER BY 1""",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    "SELECT * FROM flyway_schema_history ORDER BY 1",
    "SELECT * FROM sample ORDER BY 1",
    "SELECT * FROM product ORDER BY 1",
)


class StepFailed(Exception):
    """What was seen is not what this demo tells."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of the container's command ended."""

    exit_code: int
    output: str

    def must_end_with(self, exit_code: int) -> None:
        """Check the exit code."""
        if self.exit_code != exit_code:
            raise StepFailed(f"exit code {self.exit_code}, expected {exit_code}")

    def must_show(self, *pieces: str) -> None:
        """Check that the output has each piece of text."""
        for piece in pieces:
            if piece not in self.output:
                raise StepFailed(f"the output does not show {piece!r}")

    def must_show_row(self, *cells: str) -> None:
        """Check that one line of the output has all these cells."""
        if not any(all(f" {cell} " in line for cell in cells) for line in self.output.splitlines()):
            raise StepFailed(f"no line of the output has {' | '.join(cells)}")


class Demo:
    """The four runs of the story."""

    def __init__(self, world: World) -> None:
        self.world = world

    def play(self) -> None:
        """All steps in order.

        Raises:
            StepFailed: One of them did not go as told.
        """
        self._first_run()
        self._second_run()
        self._develop()
        self._broken()
        self._look_as_read_only()

    def _first_run(self) -> None:
        step(1, "taxiway run", "The default branch, on an empty database: info, migrate, info.")
        outcome = self._taxiway_run()
        outcome.must_end_with(0)
        outcome.must_show("Schema version: << Empty Schema >>", "Successfully applied 4 migrations")
        outcome.must_show_row("1.0.1", "Pending")
        outcome.must_show_row("1.0.1", "Success")
        self._must_have_tables("flyway_schema_history", "sample")

    def _second_run(self) -> None:
        step(2, "taxiway run", "Once more: there is nothing to do, and that is a success.")
        outcome = self._taxiway_run()
        outcome.must_end_with(0)
        outcome.must_show('Schema "public" is up to date. No migration necessary.')

    def _develop(self) -> None:
        step(3, "taxiway run develop", "Another branch: one new migration is pending, applied, a success.")
        outcome = self._taxiway_run("develop")
        outcome.must_end_with(0)
        outcome.must_show("Successfully applied 1 migration")
        outcome.must_show_row("1.1.0", "Pending")
        outcome.must_show_row("1.1.0", "Success")
        self._must_have_tables("flyway_schema_history", "product", "sample")

    def _broken(self) -> None:
        step(4, "taxiway run broken", "A migration with a mistake: refused with its place, and rolled back whole.")
        before = self._fingerprint()
        outcome = self._taxiway_run("broken")
        outcome.must_end_with(1)
        outcome.must_show(
            "sql/V1.2.0__AddProductPrice.sql:11:26:",
            'column "wieght_lbs" does not exist (SQLSTATE 42703)',
            "11 |    SET price_usd = round(wieght_lbs * 2.40, 2)",
            "The migration was rolled back",
        )
        if self._fingerprint() != before:
            raise StepFailed("the failed migration has left something behind")
        say("The database is exactly as it was: same tables, functions and roles, same rows, same history.")

    def _look_as_read_only(self) -> None:
        step(5, "log in as read_only", "With the password that only the secret and the database know.")
        with self.world.connect("read_only") as connection:
            rows = connection.execute(
                "SELECT installed_rank, version, description, success FROM flyway_schema_history"
                " ORDER BY installed_rank"
            ).fetchall()
        for rank, version, description, success in rows:
            say(f"{rank:>3}  {version or '':<8} {description:<32} {'success' if success else 'FAILED'}")
        if len(rows) != 5:
            raise StepFailed(f"{len(rows)} rows in the schema history, expected 5")

    def _taxiway_run(self, *arguments: str) -> Outcome:
        """Run the container's command as a process, with the task's environment and a clean one otherwise."""
        started = time.monotonic()
        command = [sys.executable, "-m", "taxiway", "run", *arguments]
        environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.world.directory),
            "TMPDIR": str(self.world.directory),
            **self.world.task_environment(),
        }
        lines = []
        with _process(command, environment) as process:
            for line in process.stdout or ():
                lines.append(line)
                print(f"  | {line}", end="", flush=True)
            exit_code = process.wait()
        say(f"exit code {exit_code} after {time.monotonic() - started:.1f} s")
        output = "".join(lines)
        leaked = [secret for secret in self.world.secrets if secret in output]
        if leaked:
            raise StepFailed(f"the output shows {len(leaked)} secret value(s)")
        return Outcome(exit_code, output)

    def _must_have_tables(self, *expected: str) -> None:
        with self.world.connect() as connection:
            rows = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
            ).fetchall()
        tables = tuple(name for (name,) in rows)
        if tables != expected:
            raise StepFailed(f"tables {tables}, expected {expected}")
        say(f"tables now: {', '.join(tables)}")

    def _fingerprint(self) -> list[tuple[object, ...]]:
        """Everything that a failed migration must not change."""
        with self.world.connect() as connection:
            return [row for query in _FINGERPRINT for row in connection.execute(query).fetchall()]


@contextmanager
def _process(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process whose output is read. It is ended if the block is left early."""
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise


def step(number: int, command: str, text: str) -> None:
    """Announce a step."""
    print(f"\n{'=' * _WIDTH}\n{number}. $ {command}\n{textwrap.indent(text, '   ')}\n{'=' * _WIDTH}", flush=True)


def say(text: str) -> None:
    """A line of the narrator."""
    print(f"  > {text}", flush=True)


def how_to_connect() -> str:
    """What to type to look at a world that was left running."""
    return f"""
The world is left running. Look around:

  make demo-psql                       psql as sqladmin, with the password from Secrets Manager
  make demo-psql DBUSER=read_only      the same as another user: read_only, sample_application
  bash                                 a shell of its own, so that yours keeps its AWS settings, and in it:
  . ./{ENVIRONMENT_FILE.name}                        the variables of the task
  .venv/bin/taxiway run develop        run the job yourself
  aws secretsmanager get-secret-value --secret-id postgresql@auroradb@master@sqladmin
                                       read a secret, if you have the AWS CLI

  make demo-stop                       end it all"""


def _keep(world: World) -> None:
    world.keep(STATE_FILE)
    # The AWS CLI, version 1, knows the region under this name only.
    variables = {**world.task_environment(), "AWS_DEFAULT_REGION": world.aws.region}
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    ENVIRONMENT_FILE.touch(mode=0o600)
    ENVIRONMENT_FILE.write_text("".join(lines))


def _psql(user: str) -> int:
    """Run psql in a world that was left running. The password is in its environment only."""
    if not STATE_FILE.exists():
        print("No world is running. Start one: make demo KEEP=1", file=sys.stderr)
        return 1
    environment = json.loads(STATE_FILE.read_text())["environment"]
    if user not in USER_SECRETS:
        print(f"There is no user '{user}': {', '.join(USER_SECRETS)}", file=sys.stderr)
        return 2
    os.environ.update(environment)
    secrets = SecretsManager(environment["REGION"], on_secret=lambda _: None)
    try:
        password = secrets.value(USER_SECRETS[user], "password")
    except TaxiwayError as error:
        print(
            f"The world does not answer any more ({error.code}). Remove what is left: make demo-stop",
            file=sys.stderr,
        )
        return 1
    connection = {
        "PGHOST": environment["DB_HOST"],
        "PGPORT": environment["DB_PORT"],
        "PGDATABASE": environment["DB_NAME"],
        "PGUSER": user,
        "PGPASSWORD": password.reveal(),
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": environment["DB_SSLROOTCERT"],
    }
    psql = unpacked_programs() / "psql"
    return subprocess.run([psql], env={**os.environ, **connection}, check=False).returncode


@contextmanager
def _world() -> Iterator[World]:
    """A world that is taken down whatever happens, being interrupted while it is taken down included."""
    world = World()
    try:
        say("Building a throw-away world: PostgreSQL with TLS, a Git host over SSH, an AWS endpoint ...")
        with world:
            yield world
    except KeyboardInterrupt:
        world.stop()
        raise


def _play(*, keep: bool) -> None:
    started = time.monotonic()
    with _world() as world:
        say(f"PostgreSQL {world.postgres.version} on port {world.postgres.port} (TLS, SCRAM)")
        say(f"Git over SSH: {world.git.url('sample-project')} (read-only deploy key, pinned host key)")
        say(f"AWS endpoint: {world.aws.url} (Secrets Manager)")
        say(f"Ready after {time.monotonic() - started:.1f} s.")
        Demo(world).play()
        if keep:
            _keep(world)
            print(how_to_connect())
    print(
        "\nEverything went as told. Try next:\n"
        "  make demo KEEP=1                     leave such a world running and look around\n"
        "  make test                            the tests\n"
        "  examples/sample-project              what was run, to copy from\n"
        "  docs/tutorial/first-migration.md     the same on a database of yours"
    )


def _stop() -> int:
    if not STATE_FILE.exists():
        print("No world was left running.")
        return 0
    World.stop_kept(STATE_FILE)
    ENVIRONMENT_FILE.unlink(missing_ok=True)
    print("Stopped.")
    return 0


def main(arguments: Sequence[str]) -> int:
    """Play the demo, or end a world that was left running."""
    parser = argparse.ArgumentParser(prog="make demo")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--keep", action="store_true", help="leave the world running")
    action.add_argument("--stop", action="store_true", help="end a world that was left running")
    action.add_argument("--psql", metavar="USER", help="open psql in a world that was left running")
    options = parser.parse_args(arguments)
    if options.stop:
        return _stop()
    if options.psql:
        return _psql(options.psql)
    if options.keep and STATE_FILE.exists():
        print("A world is still running. End it first: make demo-stop", file=sys.stderr)
        return 1
    with Termination().listening():
        return _guarded(lambda: _play(keep=options.keep))


def _guarded(play: Callable[[], None]) -> int:
    try:
        play()
    except StepFailed as error:
        print(f"\nFAILED: {error}", file=sys.stderr)
        return 1
    except StartFailed as error:
        print(f"\nThe world could not be built: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read this has left; what is still in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Terminated:
        print("\nTerminated; the world was taken down.", file=sys.stderr)
        return exit_codes.TERMINATED
    except KeyboardInterrupt:
        print("\nInterrupted; the world was taken down.", file=sys.stderr)
        return exit_codes.INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
