"""What a ledger does, wherever it keeps its rows.

Every write may be sent again, in part or as a whole, without doing anything twice: rows carry
their own keys. One call is one transaction.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from tap.ledger.queue import Op
from tap.ledger.rows import CameraRow, DirectorEventRow, FinalState, SessionRow, StillRow

PAGE = 500


class Started(NamedTuple):
    """Whether the session is new, and how often tap has joined it by now."""

    created: bool
    resumed: bool
    runs: int


class Applied(NamedTuple):
    """How many cameras were written; older revisions than the known ones are not."""

    applied: int
    stale: int


class Written(NamedTuple):
    """How many rows were new, and how many were there already."""

    inserted: int
    duplicates: int


class RowFault(NamedTuple):
    """A row that no page shows as it is: one that can't be read, or one that nobody owns."""

    table: str
    key: str
    text: str
    orphan: bool = False
    double: bool = False


class LedgerReader(Protocol):
    """What of a ledger can be read, wherever it lies. All methods raise `BookError`."""

    def session(self, external_id: str) -> SessionRow | None:
        """One session."""
        ...

    def sessions(self) -> tuple[SessionRow, ...]:
        """All sessions, the latest start first."""
        ...

    def cameras(self, session_key: str) -> tuple[CameraRow, ...]:
        """The cameras of a session, by id."""
        ...

    def events(
        self, session_key: str, after_seq: int = 0, limit: int = PAGE
    ) -> tuple[DirectorEventRow, ...]:
        """A page of director events behind `after_seq`, by `seq`; empty behind the last.

        A page never ends between two rows of one `seq`, so it may be longer than `limit`.
        """
        ...

    def stills(
        self, session_key: str, after_key: str = "", limit: int = PAGE
    ) -> tuple[StillRow, ...]:
        """A page of stills behind `after_key`, by key; empty behind the last."""
        ...

    def kept(self, op: Op, document: dict[str, Any]) -> dict[str, Any] | None:
        """A sent row as this ledger keeps it; None where it keeps no such rows."""
        ...

    def faults(self, session_key: str) -> list[RowFault]:
        """Rows about this session that its pages don't show: what the ledger can tell of them."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class LedgerStore(LedgerReader, Protocol):
    """A ledger. All methods raise `BookError`; `code` tells whether the row or the way is bad.

    A key that is taken by a row of other content: `KEY_REUSED`. A row of a session that isn't
    there: `NO_SESSION`. Any refusal leaves the ledger as it was.
    """

    def start_session(self, row: SessionRow) -> Started:
        """Create the session, or resume it if `row.runs` is higher than what is known.

        Resuming makes it live again. Title, notes and mode replace what is known where given;
        `startedAtMs` stays. A row with fewer runs than known changes nothing.
        """
        ...

    def upsert_cameras(self, rows: Sequence[CameraRow]) -> Applied:
        """Write cameras; for each the highest `rev` counts."""
        ...

    def append_events(self, rows: Sequence[DirectorEventRow]) -> Written:
        """Add director events."""
        ...

    def add_stills(self, rows: Sequence[StillRow]) -> Written:
        """Add stills."""
        ...

    def complete_session(self, key: str, ended_at_ms: float, final_state: FinalState) -> bool:
        """Complete the session; False if it was, in just this way. In another: `KEY_REUSED`."""
        ...

    def answers(self) -> bool:
        """Whether it answers at all at this moment; raises nothing."""
        ...


def all_events(store: LedgerReader, session_key: str) -> Iterator[DirectorEventRow]:
    """Every director event of a session, by `seq`, read page by page."""
    after = -(2**53)  # from before 0, so that wrong numbers are seen too
    while page := store.events(session_key, after):
        yield from page
        after = page[-1].seq


def all_stills(store: LedgerReader, session_key: str) -> Iterator[StillRow]:
    """Every still of a session, by key, read page by page."""
    after = ""
    while page := store.stills(session_key, after):
        yield from page
        after = page[-1].key
