r"""PostgreSQL's regression scripts through our splitter, beside psql: ``python -m conformance.regression FOLDER``.

FOLDER has the ``.sql`` files of ``src/test/regress/sql`` of PostgreSQL's source, which are no part of this
project. Names of files behind it (without ``.sql``) choose some of them. For each script two things must hold:

1. The statements, and between them blanks, comments, semicolons and COPY data only, are the script.
2. Sent one by one to one server, they succeed and fail (SQLSTATE) as they do when psql sends the same script to
   another. What psql has sent is told by the log of its server.

psql's own commands are taken out beforehand, as we refuse them, and its variables have no values. Statements with
a variable, and ``COPY … TO STDOUT``, are named as skipped. So are those behind the end of a connection.

Needs psql 15 or later on PATH: older ones do not send comments.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, PGconn, abc

from sandbox.directory import temporary_directory
from sandbox.postgres import PostgresServer
from taxiway.errors import PsqlCommand, ScriptError, UnterminatedText
from taxiway.model.script import ReplacedText, Statement, StatementKind
from taxiway.sql.lexer import BLANKS, Lexer
from taxiway.sql.statements import split

# The tables that the others use
_FIRST: Final = "test_setup"
_DATABASE: Final = "regression"
_SUCCESS: Final = "00000"
_PSQL_TIMEOUT_SECONDS: Final = 600
_LOG_TIMEOUT_SECONDS: Final = 60

# As pg_regress has it, and a log of what clients send
_SETTINGS: Final = {
    "timezone": "PST8PDT",
    "datestyle": "Postgres, MDY",
    "intervalstyle": "postgres_verbose",
    "max_prepared_transactions": "2",
    "log_destination": "jsonlog",
    "logging_collector": "on",
    "log_filename": "server.log",
    "log_rotation_age": "0",
    "log_rotation_size": "0",
    "log_statement": "all",
}

# A command of psql reaches to the end of its line; those that send what is there stand for a semicolon.
_COMMAND: Final = re.compile(r"\\(\w+\+?|\S?)([^\n]*)")
_SENDING: Final = frozenset({"g", "gx", "gset", "gdesc", "gexec", "crosstabview", "watch", "bind"})
_PLAIN: Final = frozenset({";", ":"})
_COPY_IN: Final = re.compile(r"(.*\bfrom\s+p?stdin\b[^\n]*)", re.IGNORECASE)

_SETS_VARIABLE: Final = re.compile(r"\\(?:set|getenv)\s+(\w+)")
_GETS_VARIABLES: Final = re.compile(r"([^;]*)\\gset")
_ALIAS: Final = re.compile(r'\bas\s+"?(\w+)', re.IGNORECASE)
_PREDEFINED: Final = "[A-Z][A-Z_]{3,}"


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement as a server got it, and what came of it.

    The text is that from the first token on, without the semicolon, and without empty lines: psql sends none.
    """

    text: str
    sqlstate: str
    took_data: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Neutral:
    """A script without commands of psql.

    ``variables`` matches their use. Where rows would have been sent to us, ``COPY`` is no more the first word.
    """

    text: str
    variables: re.Pattern[str]
    commands: int


@dataclass(slots=True)
class Tally:
    """What came of one script or of all."""

    equal: int = 0
    successful: int = 0
    commands: int = 0
    skipped: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def __str__(self) -> str:
        return (
            f"{self.equal} statements equal ({self.successful} successful), {len(self.skipped)} skipped, "
            f"{len(self.different)} different, {self.commands} psql commands taken out"
        )


# --- the script ---


def neutralise(script: str) -> Neutral:
    """Take out what only psql understands."""
    names = {match[1] for match in _SETS_VARIABLE.finditer(script)}
    for statement in _GETS_VARIABLES.finditer(script):
        names |= {match[1] for match in _ALIAS.finditer(statement[1])}
    alternatives = "|".join([*sorted(map(re.escape, names)), _PREDEFINED])
    text, commands = script, 0
    while (error := _refusal(text)) is not None:
        text = _without(text, error)
        commands += 1
    return Neutral(text, re.compile(rf":(?:\{{\?|['\"]?(?:{alternatives})\b)"), commands)


def _statements(text: str) -> Iterator[Statement]:
    return split(ReplacedText(text, text), path="script", server_version_num=170000)


def _refusal(text: str) -> ScriptError | None:
    try:
        for _ in _statements(text):
            pass
    except UnterminatedText:
        raise
    except ScriptError as error:
        return error
    return None


def _without(text: str, error: ScriptError) -> str:
    """The script without the command, or with a first word that makes the COPY an error for both sides."""
    assert error.line is not None
    assert error.column is not None
    offset = [0, *(match.end() for match in re.finditer("\n", text))][error.line - 1] + error.column - 1
    if not isinstance(error, PsqlCommand):
        return f"{text[:offset]}SKIPPED {text[offset:]}"
    command = _COMMAND.match(text, offset)
    assert command
    name, arguments = command.groups()
    if name in _PLAIN:
        return text[:offset] + text[offset + 1 :]
    if name == "copy" and (copy := _COPY_IN.match(arguments)):
        return f"{text[:offset]}COPY {copy[1]};{text[command.end() :]}"
    return f"{text[:offset]}{';' if name in _SENDING else ''}{text[command.end() :]}"


def data_spans(text: str, statements: Sequence[Statement]) -> dict[int, tuple[int, int]]:
    """Where the data of each COPY begin and end, by the statement's index; the line that ends them is beyond."""
    spans: dict[int, tuple[int, int]] = {}
    following = 0
    for index, statement in enumerate(statements):
        if statement.kind is StatementKind.COPY_FROM_STDIN:
            line_end = text.find("\n", statement.offset + len(statement.text))
            start = max(line_end + 1, following) if line_end >= 0 else len(text)
            end = start + sum(map(len, statement.copy_data))
            spans[index] = start, end
            following = _next_line(text, end)
    return spans


def find_loss(text: str, statements: Sequence[Statement]) -> str | None:
    """The first piece of a script that is in no statement and should be, or that is in two."""
    spans = [(s.offset, s.offset + len(s.text), s.text) for s in statements]
    spans += [
        (start, _next_line(text, end), text[start:end] + text[end : _next_line(text, end)])
        for start, end in data_spans(text, statements).values()
    ]
    position = 0
    for start, end, piece in sorted(spans):
        if start < position or text[start:end] != piece:
            return f"doubled or changed: {piece[:80]!r}"
        if rest := _code(text[position:start]):
            return f"lost: {rest[:80]!r}"
        position = end
    return f"lost: {rest[:80]!r}" if (rest := _code(text[position:])) else None


def _code(text: str) -> str:
    """The text from its first character on that is not a blank, a semicolon or in a comment."""
    depth = position = 0
    while position < len(text):
        two = text[position : position + 2]
        if two == "/*" or (depth and two == "*/"):
            depth += 1 if two == "/*" else -1
            position += 2
        elif not depth and two == "--":
            position = _next_line(text, position)
        elif depth or two[0] in BLANKS + ";":
            position += 1
        else:
            return text[position:]
    return ""


def _next_line(text: str, position: int) -> int:
    return text.find("\n", position) + 1 or len(text)


# --- our side ---


def run_statements(conninfo: str, statements: Sequence[Statement]) -> list[Sent]:
    """Send them one by one. A connection that the server has closed ends it early, as it ends psql."""
    connection = PGconn.connect(conninfo.encode())
    sent = []
    try:
        for statement in statements:
            sent.append(_send(connection, statement))
            if connection.status != ConnStatus.OK:
                break
    finally:
        connection.finish()
    return sent


def _send(connection: abc.PGconn, statement: Statement) -> Sent:
    result = connection.exec_(statement.text.encode())
    takes_data = result.status == ExecStatus.COPY_IN
    if takes_data:
        connection.put_copy_data("".join(statement.copy_data).encode())
        connection.put_copy_end()
        while following := connection.get_result():
            result = following
    state = result.error_field(DiagnosticField.SQLSTATE)
    text = statement.text[statement.first_token - statement.offset :]
    return Sent(_without_empty_lines(text), state.decode() if state else _SUCCESS, takes_data)


def _without_empty_lines(text: str) -> str:
    return re.sub(r"\n+", "\n", text)


# --- psql's side ---


def run_psql(server: PostgresServer, script: Path) -> list[Sent]:
    """What psql has sent of a script, as the server's log tells."""
    log = server.directory / "data" / "log" / "server.json"
    start = log.stat().st_size
    environment = {
        "PATH": os.environ["PATH"],
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": "postgres",
        "PGPASSWORD": server.superuser_password,
        "PGDATABASE": _DATABASE,
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(server.authority),
        "PGCLIENTENCODING": "UTF8",
    }
    command = ["psql", "--no-psqlrc", "--quiet", f"--file={script}"]
    subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=_PSQL_TIMEOUT_SECONDS,
    )
    mark = f"end of {script.name} at {start}"
    with server.admin() as connection:
        connection.execute(f"DO $$ BEGIN RAISE LOG '{mark}'; END $$".encode())
    return _sent_statements(_log_entries(log, start, mark))


def _log_entries(log: Path, start: int, mark: str) -> list[Mapping[str, str]]:
    """The log from an offset up to a mark: it is written by a process of its own, a moment later."""
    give_up = time.monotonic() + _LOG_TIMEOUT_SECONDS
    while time.monotonic() < give_up:
        with log.open("rb") as file:
            file.seek(start)
            text = file.read()
        if mark.encode() in text and text.endswith(b"\n"):
            return [json.loads(line) for line in text.decode().splitlines()]
        time.sleep(0.02)
    raise SystemExit(f"{log}: the log ends before '{mark}'.")


def _sent_statements(entries: Sequence[Mapping[str, str]]) -> list[Sent]:
    """A statement that can be parsed has an entry before it is run; one that fails has an entry with its text."""
    sent: list[Sent] = []
    for entry in entries:
        if entry.get("dbname") != _DATABASE or entry.get("backend_type") != "client backend":
            continue
        if entry["error_severity"] == "LOG" and entry["message"].startswith("statement: "):
            sent.append(Sent(_bare(entry["message"].removeprefix("statement: ")), _SUCCESS))
        elif entry["error_severity"] in {"ERROR", "FATAL"} and "statement" in entry:
            text = _bare(entry["statement"])
            if sent and sent[-1] == Sent(text, _SUCCESS):
                sent.pop()
            sent.append(Sent(text, entry["state_code"]))
    return [one for one in sent if one.text]


def _bare(text: str) -> str:
    """What psql has sent, as :class:`Sent` has it."""
    text = _without_empty_lines(text)
    try:
        first = next(Lexer(ReplacedText(text, text), path="").tokens(0), None)
    except UnterminatedText:
        return text.strip(BLANKS)
    return text[first.start :].rstrip(BLANKS).removesuffix(";").rstrip(BLANKS) if first else ""


def without_data_of_refused(text: str, statements: Sequence[Statement], ours: Sequence[Sent]) -> str:
    """The script for psql, which would read the data of a COPY that the server refuses as statements."""
    # From the end, so that the offsets of those before stay what they are.
    for index, (start, end) in reversed(data_spans(text, statements).items()):
        if index < len(ours) and not ours[index].took_data:
            text = text[:start] + text[_next_line(text, end) :]
    return text


# --- comparison ---


def compare(file: str, neutral: Neutral, ours: Sequence[Sent], theirs: Sequence[Sent]) -> Tally:
    """Count what is equal, in order; the rest is a difference, or skipped."""
    tally = Tally(commands=neutral.commands)
    matcher = SequenceMatcher(None, [one.text for one in ours], [one.text for one in theirs], autojunk=False)
    for tag, our_start, our_end, their_start, their_end in matcher.get_opcodes():
        our_part, their_part = ours[our_start:our_end], theirs[their_start:their_end]
        if tag == "equal":
            for our, their in zip(our_part, their_part, strict=True):
                _count(tally, file, neutral, [our], [their])
        else:
            _count(tally, file, neutral, our_part, their_part)
    return tally


def _count(tally: Tally, file: str, neutral: Neutral, ours: Sequence[Sent], theirs: Sequence[Sent]) -> None:
    texts = [one.text for one in (*ours, *theirs)]
    if any(text.startswith("SKIPPED ") or neutral.variables.search(text) for text in texts):
        tally.skipped += [f"{file}: {one.text.partition('\n')[0]}" for one in ours]
    elif ours == theirs:
        tally.equal += len(ours)
        tally.successful += sum(one.sqlstate == _SUCCESS for one in ours)
    else:
        tally.different.append(f"{file}:\n    ours   {_shown(ours)}\n    psql   {_shown(theirs)}")


def _shown(part: Sequence[Sent]) -> str:
    return "\n           ".join(f"{one.sqlstate} {one.text[:300]!r}" for one in part) or "nothing"


class Bench:
    """Two servers, one for each side."""

    def __init__(self, ours: PostgresServer, theirs: PostgresServer, folder: Path) -> None:
        self._ours, self._theirs, self._folder = ours, theirs, folder
        for server in (ours, theirs):
            with server.admin() as connection:
                connection.execute(f"CREATE DATABASE {_DATABASE} TEMPLATE template0".encode())

    def play(self, file: Path) -> Tally:
        """Run one script on both sides."""
        try:
            script = file.read_bytes().decode()
        except UnicodeDecodeError:
            return Tally(skipped=[f"{file.stem}: the whole script: it is not UTF-8"])
        neutral = neutralise(script)
        statements = list(_statements(neutral.text))
        conninfo = self._ours.conninfo("postgres", self._ours.superuser_password, _DATABASE)
        ours = run_statements(conninfo, statements)
        copy = self._folder / file.name
        text = without_data_of_refused(neutral.text, statements, ours)
        copy.write_bytes(text.encode())
        tally = compare(file.stem, neutral, ours, run_psql(self._theirs, copy))
        if loss := find_loss(neutral.text, statements):
            tally.different.append(f"{file.stem}: {loss}")
        if len(ours) < len(statements):
            tally.skipped.append(f"{file.stem}: {len(statements) - len(ours)} behind the end of the connection")
        return tally


def main(arguments: Sequence[str]) -> int:
    """Run the scripts, print how each went, end with 1 if any differs."""
    if not arguments or not shutil.which("psql"):
        raise SystemExit("usage: python -m conformance.regression FOLDER [NAME…]; psql has to be on PATH.")
    folder, *names = arguments
    files = [file for file in Path(folder).glob("*.sql") if not names or file.stem in {_FIRST, *names}]
    if not files:
        raise SystemExit(f"{folder}: there is no script.")
    files.sort(key=lambda file: (file.stem != _FIRST, file.stem))
    total = Tally()
    with ExitStack() as stack:
        directory = stack.enter_context(temporary_directory())
        ours = stack.enter_context(PostgresServer(directory / "ours", settings=_SETTINGS))
        theirs = stack.enter_context(PostgresServer(directory / "theirs", settings=_SETTINGS))
        bench = Bench(ours, theirs, directory)
        for file in files:
            tally = bench.play(file)
            print(f"{file.stem}: {tally}", *tally.different, sep="\n  ", flush=True)
            total += tally
    print("skipped:", *total.skipped, sep="\n  ")
    print(f"{len(files)} files: {total}")
    return 1 if total.different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
