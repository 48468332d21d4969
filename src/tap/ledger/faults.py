"""What can go wrong between a fact and its row, sorted by what is to be done about it."""

from enum import StrEnum

from tap.errors import LedgerError


class Code(StrEnum):
    """Why the journal or a ledger said no."""

    KEY_REUSED = "KEY_REUSED"
    """The key is taken by a row of other content."""
    BAD_VALUE = "BAD_VALUE"
    """The row holds something that a ledger can't hold."""
    NO_SESSION = "NO_SESSION"
    """The row belongs to a session that the ledger doesn't have."""

    UNREACHABLE = "UNREACHABLE"
    DENIED = "DENIED"
    """The ledger doesn't know tap's token."""
    SUSPECT = "SUSPECT"
    """The ledger failed on it without a reason: a bad moment, or a row that it can't take."""
    UNSUPPORTED = "UNSUPPORTED"
    """The ledger has no such operation."""
    LOCKED = "LOCKED"
    NO_ROOM = "NO_ROOM"
    READ_ONLY = "READ_ONLY"
    FAILED = "FAILED"

    MISSING = "MISSING"
    NOT_A_LEDGER = "NOT_A_LEDGER"
    DAMAGED = "DAMAGED"
    NEWER = "NEWER"
    IN_USE = "IN_USE"
    CLOSED = "CLOSED"


REFUSALS = frozenset({Code.KEY_REUSED, Code.BAD_VALUE, Code.NO_SESSION})
"""Codes about the row itself: the same row gets the same answer however often it is sent."""


class BookError(LedgerError):
    """A `LedgerError` that a program can tell apart: `code`, and the row's `key` where known."""

    def __init__(self, code: Code, text: str, key: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.key = key

    @property
    def refused(self) -> bool:
        """Whether the row is at fault, and not the way to the ledger."""
        return self.code in REFUSALS
