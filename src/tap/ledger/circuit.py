"""How the way to the ledger stands, and what a failure without a reason means. Pure rules.

A plain failure (`SUSPECT`) may be a bad moment of the ledger or a row that it fails on every
time. As long as nothing gets through nobody can tell; but once the ledger has failed on the same
rows several times while it does answer otherwise, the row is narrowed down and set aside. Where
row after row fails so, it is the ledger after all.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from tap.ledger.faults import BookError, Code

FAILS_BEFORE_DOUBT = 6
"""Failures on one batch before its rows are doubted; some seconds, with the usual waits."""
FAILS_IN_DOUBT = 2
"""As above for the smaller batches that follow."""
MOST_SUSPECTS = 3
"""Rows set aside one after the other, with nothing getting through between."""


class Way(StrEnum):
    """Whether rows get through."""

    OPEN = "open"
    CLOSED = "closed"
    """Not now: tried again and again."""
    PAUSED = "paused"
    """tap is not let in: somebody has to see to the token. Tried again now and then."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """The way's state, since when (Unix ms), and a sentence on why; None while it is open."""

    way: Way = Way.OPEN
    since_ms: float | None = None
    reason: str | None = None

    def opened(self, at_ms: float) -> "Circuit":
        """Rows got through."""
        return self if self.way is Way.OPEN else Circuit(Way.OPEN, at_ms)

    def failed(self, error: Exception, at_ms: float) -> "Circuit":
        """Rows did not get through; `since_ms` stays while the state does."""
        denied = isinstance(error, BookError) and error.code is Code.DENIED
        way = Way.PAUSED if denied else Way.CLOSED
        reason = str(error) or type(error).__name__
        if way is self.way:
            return replace(self, reason=reason)
        return Circuit(way, at_ms, reason)


class Doubt:
    """Counts failures without a reason, and says when a row is to blame."""

    def __init__(self) -> None:
        self._fails = 0
        self._narrowing = False
        self._set_aside = 0

    def failed(self) -> bool:
        """A batch failed without a reason; whether its rows are to be doubted by now."""
        self._fails += 1
        most = FAILS_IN_DOUBT if self._narrowing else FAILS_BEFORE_DOUBT
        return self._fails >= most and self._set_aside < MOST_SUSPECTS

    def narrowed(self, *, alone: bool) -> None:
        """The doubted batch was split, or its one row was set aside."""
        self._fails = 0
        self._narrowing = not alone
        self._set_aside += alone

    def passed(self, *, whole: bool) -> None:
        """A batch got through; `whole` if it was as large as batches may be."""
        self._fails = self._set_aside = 0
        self._narrowing = self._narrowing and not whole
