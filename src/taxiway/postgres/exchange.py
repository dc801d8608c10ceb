"""What we have to say to the server ourselves, beside the statements of scripts.

It is said as the connect-time role and in our encoding, because a script may have changed both. What changes
something is one transaction that refuses to be without the lock. Errors of libpq become ours, and say what we were
doing.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from taxiway import errors
from taxiway.postgres.errors import error_of_ours, permission_error, translate_error
from taxiway.postgres.libpq.result import ConnectionBroken, Result, ServerError
from taxiway.postgres.lock import holder_in_words, select_holder
from taxiway.postgres.own_statements import OwnStatements
from taxiway.postgres.sql import Sql, fill, join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from taxiway.engine.ports import HistoryTable, SessionFacts
    from taxiway.postgres.libpq.connection import Connection

type Row = tuple[str | None, ...]

_ENCODING: Final = "UTF8"


class Exchange:
    """Asks the server of one connection."""

    def __init__(self, connection: Connection, facts: SessionFacts) -> None:
        self.connection = connection
        self.facts = facts
        self.ours = OwnStatements(facts)

    def ask[T](self, ask: Callable[[], T], *, doing: str | None = None, of_a_script: bool = False) -> T:
        """What the server answers, with libpq's errors turned into ours.

        ``doing`` names what we were doing, if no script made us do it.
        """
        try:
            return ask()
        except (ServerError, ConnectionBroken) as error:
            ours = self.error_of(error, doing=doing, of_a_script=of_a_script) if doing else translate_error(error)
        # Raised here and not above, where the server's own words would go along as the context.
        raise ours

    def error_of(
        self, error: ServerError | ConnectionBroken, *, doing: str, of_a_script: bool = False
    ) -> errors.TaxiwayError:
        """Our error for one of libpq's, which says what we were doing.

        ``of_a_script`` says that it was part of a migration: the error stays one of those that the engine knows
        how to make a failed migration of.
        """
        kind = permission_error if of_a_script else error_of_ours
        return kind(translate_error(error), doing=doing, user=self.facts.user)

    def rows(self, query: Sql, *, doing: str) -> list[Row]:
        """The rows of a query that minds neither role nor encoding."""
        return self.ask(lambda: last_rows(self.connection.execute(query.encode())), doing=doing)

    def read(self, query: Sql, *, doing: str) -> list[Row]:
        """Ask as the connect-time role: a callback may have changed it."""
        statements = join([self.ours.reset_role(), query])
        return self.ask(lambda: self.in_utf8(statements), doing=doing)

    def change(self, table: HistoryTable, statements: Sql, *, doing: str) -> None:
        """Change something as the connect-time role, and only with the lock: a callback may have given it back.

        In one transaction and one round trip.

        Raises:
            LockNotAcquired: Somebody else has the lock; nothing was changed.
            DatabaseError: The server refused; nothing was changed.
        """
        with self.minding_the_lock(table):
            self.ask_or_roll_back(join([self._guarded(table, statements), Sql("COMMIT")]), doing=doing)

    def begin_change(self, table: HistoryTable, statements: Sql, *, doing: str) -> None:
        """As :meth:`change`; the transaction stays open."""
        with self.minding_the_lock(table):
            self.ask_or_roll_back(self._guarded(table, statements), doing=doing)

    def _guarded(self, table: HistoryTable, statements: Sql) -> Sql:
        return fill(
            "BEGIN; {role} SELECT {lock}; {statements}",
            role=self.ours.reset_role(),
            lock=self.ours.unless_locked(table),
            statements=statements,
        )

    def ask_or_roll_back(self, statements: Sql, *, doing: str) -> list[Row]:
        """Ask with statements that begin a transaction, which does not stay open if one of them fails."""
        try:
            return self.ask(lambda: self.in_utf8(statements), doing=doing)
        except BaseException:
            self.rollback()
            raise

    def rollback(self) -> None:
        """Roll back an open transaction; does nothing without one or on a broken connection."""
        if not self.connection.is_usable or not self.connection.is_in_transaction:
            return
        with contextlib.suppress(ServerError, ConnectionBroken):
            self.connection.execute(b"ROLLBACK")

    @contextlib.contextmanager
    def minding_the_lock(self, table: HistoryTable) -> Iterator[None]:
        """For statements that refuse to be carried out without the lock: makes LockNotAcquired of the refusal."""
        try:
            yield
        except errors.DatabaseError as error:
            if not self.ours.is_refusal(error):
                raise
        else:
            return
        self.rollback()
        raise errors.LockNotAcquired(str(table), waited_seconds=0, holder=self.lock_holder(table))

    def lock_holder(self, table: HistoryTable) -> str | None:
        """Who holds the lock: process, user, program, address, since when; less if the server hides it from us."""
        rows = self.read(select_holder(table), doing=f"Asking who holds the migration lock of {table}")
        return holder_in_words(*rows[0]) if rows else None

    def speak_utf8(self) -> None:
        """Statements of ours are in our encoding: a script may have set another one."""
        if self.connection.parameter("client_encoding") != _ENCODING:
            self.connection.execute(f"SET client_encoding = '{_ENCODING}'".encode())

    def in_utf8(self, statements: Sql) -> list[Row]:
        """The rows of the last of several statements of ours."""
        return last_rows(self.results(statements))

    def results(self, statements: Sql) -> list[Result]:
        """All results of statements of ours."""
        self.speak_utf8()
        return list(self.connection.execute(statements.encode()))


def last_rows(results: Sequence[Result]) -> list[Row]:
    """The rows of the last result that may have some."""
    last = next((result for result in reversed(results) if result.columns is not None), None)
    return texts(last) if last else []


def texts(result: Result) -> list[Row]:
    """The rows of a result."""
    return [tuple(None if value is None else value.decode() for value in row) for row in result.rows]


def is_true(value: str | None) -> bool:
    """A boolean of the server's."""
    return value == "t"
