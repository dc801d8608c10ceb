"""What ``errorOverrides`` makes of the server's messages.

Terminology:

message
    An error, or a notice that the server sends while a statement runs.
action
    What a message is turned into: something not worth a word (``D``), a remark (``I``), a warning (``W``) or an
    error (``E``). A ``-`` behind it hides the SQLSTATE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from taxiway import errors
from taxiway.model.event import NoticeReceived, Warned, with_sqlstate
from taxiway.model.rules import ErrorAction, ErrorOverride

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_STATE: Final = "00000"

type Remark = NoticeReceived | Warned


class Overrides:
    """The rules of one project; the first that matches a message wins. Knows which notices they make errors of."""

    def __init__(self, overrides: Sequence[ErrorOverride] = ()) -> None:
        self._overrides = tuple(overrides)
        self._failure: errors.StatementFailed | None = None

    def __bool__(self) -> bool:
        return bool(self._overrides)

    @property
    def may_forgive(self) -> bool:
        """Some error may be turned into less: a statement that fails is not always the end of its script."""
        return any(one.action is not ErrorAction.ERROR for one in self._overrides)

    def forget(self) -> None:
        """A statement begins: what the server said before is not about it."""
        self._failure = None

    @property
    def failure(self) -> errors.StatementFailed | None:
        """The first notice of the statement that has to count as an error."""
        return self._failure

    def of_notice(self, notice: NoticeReceived) -> Remark | None:
        """What to tell of a notice; ``None`` for nothing, also when it has become an error."""
        override = self._find(notice.sqlstate)
        if override is None:
            return notice
        if override.action is ErrorAction.ERROR:
            state = None if override.hidden else notice.sqlstate
            self._failure = self._failure or errors.StatementFailed(notice.message, sqlstate=state)
            return None
        return _told(notice.message, notice.sqlstate, override)

    def of_error(self, error: errors.StatementFailed) -> ErrorAction:
        """What an error counts as. If it stays an error, its SQLSTATE is taken away where that is wanted."""
        override = self._find(error.sqlstate or "")
        if override is None:
            return ErrorAction.ERROR
        if override.action is ErrorAction.ERROR and override.hidden:
            error.sqlstate = None
        return override.action

    def of_forgiven(self, error: errors.StatementFailed) -> Remark | None:
        """What to tell of an error that does not count as one."""
        override = self._find(error.sqlstate or "")
        return _told(error.message, error.sqlstate or "", override) if override else None

    def _find(self, sqlstate: str) -> ErrorOverride | None:
        return next((one for one in self._overrides if one.matches(sqlstate)), None)


def _told(message: str, sqlstate: str, override: ErrorOverride) -> Remark | None:
    text = message if override.hidden else with_sqlstate(message, sqlstate)
    if override.action is ErrorAction.WARNING:
        return Warned(message=f"DB: {text}")
    if override.action is ErrorAction.INFO:
        return NoticeReceived(severity="INFO", message=text, sqlstate=_NO_STATE)
    return None
