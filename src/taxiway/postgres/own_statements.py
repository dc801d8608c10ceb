"""The statements of our own that go along with a script's: who we are, and whether we hold the lock."""

from typing import Final

from taxiway import errors
from taxiway.engine.ports import HistoryTable, SessionFacts
from taxiway.model.identifier import quote_identifier
from taxiway.postgres.lock import lock_number
from taxiway.postgres.sql import Sql, fill, literal

# To keep the lock is to take it once more: that costs the server next to nothing, and succeeds only if nobody else
# has it. It is given back as often, until there is nothing left to give back, which the server warns about.
_TAKE_LOCK: Final = "pg_catalog.pg_try_advisory_lock({number})"
_GIVE_BACK: Final = """
BEGIN; SET LOCAL client_min_messages = error;
WITH RECURSIVE given (back, n) AS (
    SELECT pg_catalog.pg_advisory_unlock({number}), 1
    UNION ALL SELECT pg_catalog.pg_advisory_unlock({number}), n + 1 FROM given WHERE back AND n < {times})
SELECT count(*) FROM given;
COMMIT
"""

# An error that says what we want, without a procedural language that a database may lack: the server repeats the
# text that is no number, whatever the language of its messages is.
_LOCK_LOST: Final = "taxiway: the migration lock is lost"
_NOT_A_NUMBER: Final = "22P02"
_UNLESS_LOCKED: Final = "CASE WHEN {take_lock} THEN '1' ELSE {lock_lost} END::int"
# What was sent ahead was encoded before a function of the script could change the encoding unseen.
_ENCODING_CHANGED: Final = "taxiway: client_encoding was changed"
_UNLESS_CHANGED: Final = (
    "CASE pg_catalog.current_setting('client_encoding') WHEN 'UTF8' THEN '1' ELSE {changed} END::int"
)

WATCH_CLIENT: Final = Sql("""
CASE WHEN pg_catalog.version() LIKE '%linux%'
      AND pg_catalog.current_setting('client_connection_check_interval', true) = '0'
     THEN pg_catalog.set_config('client_connection_check_interval', '5s', false) END
""")
"""A server looks whether its client is still there only when it has something to say: the statement of one that
was killed would run on, and keep its locks. It can be told to look (since PostgreSQL 14, on Linux for sure)."""

# When the script began, for the time that its row says. It is gone when a script before has reset all settings,
# and with it what the session was given when it began. A driver that gives that in its first message, as Flyway's
# does with the time zone, keeps it.
_BEGAN: Final = """
pg_catalog.set_config('taxiway.began', extract(epoch FROM pg_catalog.clock_timestamp())::text, false)
"""
_RESTORED: Final = """
CASE WHEN coalesce(pg_catalog.current_setting('taxiway.began', true), '') = '' THEN {settings} END
"""


class OwnStatements:
    """Makes them for one session, and counts how often they take its lock."""

    def __init__(self, facts: SessionFacts) -> None:
        self._facts = facts
        self._times_locked = 0

    def ready_for_script(self, table: HistoryTable, *, keep_lock: bool) -> Sql:
        """One statement that undoes what scripts before may have set. It is not run at all without the lock."""
        return fill(
            "SELECT {who}, {restored}, pg_catalog.set_config('standard_conforming_strings', {standard}, false),"
            " pg_catalog.set_config('client_encoding', 'UTF8', false),"
            " pg_catalog.set_config('search_path', {path}, false), {lock}, {began}",
            who=self._ourselves(),
            restored=self._restored(),
            # The script was split with what the session began with.
            standard=literal("on" if self._facts.standard_strings else "off"),
            path=literal(self._search_path(table.schema)),
            lock=self.unless_locked(table) if keep_lock else literal(value=True),
            began=Sql(_BEGAN),
        )

    def ready_for_row(self, table: HistoryTable, *, only_with_lock: bool, sent_ahead: bool = False) -> Sql:
        """One statement that makes the session ours for the history row. It fails without the lock, if wanted.

        It fails also if the script was ``sent_ahead`` in an encoding that is not the session's any more.
        """
        return fill(
            "SELECT {who}, {encoding}, pg_catalog.set_config('TimeZone', {zone}, true), {lock}",
            who=self._ourselves(),
            # installed_on is a time without zone: that of the client, whatever a script has made of the session's.
            zone=literal(self._facts.time_zone),
            encoding=fill(_UNLESS_CHANGED, changed=literal(_ENCODING_CHANGED)) if sent_ahead else Sql("NULL"),
            lock=self.unless_locked(table) if only_with_lock else literal(value=True),
        )

    def _ourselves(self) -> Sql:
        """The expressions that make us who we were when we connected: a migration may have changed either."""
        return fill(
            "pg_catalog.set_config('session_authorization', NULL, false),"
            " pg_catalog.set_config('role', {user}, false)",
            user=literal(self._facts.user),
        )

    def _restored(self) -> Sql:
        """The expression that makes the session's settings again what a script has reset."""
        zone = fill("pg_catalog.set_config('TimeZone', {zone}, false)", zone=literal(self._facts.time_zone))
        return fill(_RESTORED, settings=fill("{zone} || coalesce({watch}, '')", zone=zone, watch=WATCH_CLIENT))

    def reset_role(self) -> Sql:
        """A statement that makes us who we were when we connected."""
        return fill("SELECT {who};", who=self._ourselves())

    def set_zone(self) -> Sql:
        """A statement that sets our time zone, until the end of the transaction."""
        return fill("SELECT pg_catalog.set_config('TimeZone', {zone}, true);", zone=literal(self._facts.time_zone))

    def take_lock(self, table: HistoryTable) -> Sql:
        """An expression that takes the lock if it is free, and says whether it did."""
        self._times_locked += 1
        return fill(_TAKE_LOCK, number=literal(lock_number(table)))

    def unless_locked(self, table: HistoryTable) -> Sql:
        """An expression that fails if somebody else has the lock."""
        return fill(_UNLESS_LOCKED, take_lock=self.take_lock(table), lock_lost=literal(_LOCK_LOST))

    def _search_path(self, schema: str) -> str:
        """Flyway 13: the schema in front of the original path, unless it stands there already."""
        original = self._facts.search_path
        if original == schema or original.startswith(f"{schema},"):
            return original
        quoted = quote_identifier(schema)
        return f"{quoted},{original}" if original else quoted

    def give_back(self, table: HistoryTable) -> Sql:
        """Statements that give the lock back as often as it was taken."""
        return fill(_GIVE_BACK, number=literal(lock_number(table)), times=literal(self._times_locked))

    def has_given_back(self) -> None:
        """Count anew: the lock was given back."""
        self._times_locked = 0

    @staticmethod
    def is_refusal(error: errors.DatabaseError) -> bool:
        """Whether an error is that of :meth:`unless_locked`."""
        return error.sqlstate == _NOT_A_NUMBER and _LOCK_LOST in error.message

    @staticmethod
    def explain(error: errors.TaxiwayError) -> errors.TaxiwayError:
        """The same refusal of a row, in words for people if the encoding of the script is the reason."""
        if not isinstance(error, errors.DatabaseError) or _ENCODING_CHANGED not in error.message:
            return error
        return errors.StatementFailed(
            "a function that the script calls has changed client_encoding, and what came behind that was not in "
            "it; put SET client_encoding into the script itself"
        )
