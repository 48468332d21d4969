"""The rows of a session that wait in its journal: how they stand, and sent by hand."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tap.clock import Clock
from tap.config import Config
from tap.errors import InputError
from tap.ledger import Journal, read_journal
from tap.ledger.circuit import Way
from tap.ledger.outbox import Outbox, OutboxStatus
from tap.ledger.queue import State
from tap.ledger.stills import Carried
from tap.report.folder import JOURNAL_FILE
from tap.witness.ledgers import open_ledger, still_uploader

MOST_PARKED = 100
"""Parked rows that are told of one by one."""
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Parked:
    """A row that the ledger refused, and why."""

    key: str
    reason: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """Counts of rows; `oldest_age_ms` is how long the oldest has been waiting; `reason` why."""

    session: str
    pending: int
    sent: int
    parked: int
    oldest_age_ms: float | None
    attempts: int
    reason: str | None
    way: Way
    refused: tuple[Parked, ...] = ()
    stills: Carried | None = None
    """How the bytes of stills fared, where that was tried."""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "session": self.session,
            "pending": self.pending,
            "sent": self.sent,
            "parked": self.parked,
            "oldestAgeMs": self.oldest_age_ms,
            "attempts": self.attempts,
            "way": self.way.value,
            "reason": self.reason,
            "refused": [
                {"key": row.key, "reason": row.reason, "attempts": row.attempts}
                for row in self.refused
            ],
            "stills": asdict(self.stills) if self.stills is not None else None,
        }


def journal_path(folder: Path, session: str) -> Path:
    """The session's journal. Raises `InputError` where there is none."""
    path = folder / JOURNAL_FILE
    if not path.is_file():
        raise InputError(
            f"{path}: expected the journal of the session {session!r}, found none; give the id of "
            "a session that tap has witnessed here"
        )
    return path


def backlog(folder: Path, session: str, clock: Clock) -> Backlog:
    """How a session's rows stand, whether a tap is running or not. Raises `LedgerError`."""
    with read_journal(journal_path(folder, session)) as journal:
        return _backlog(journal, session, clock)


def push(
    config: Config,
    folder: Path,
    *,
    clock: Clock,
    patience_s: float,
    progress: Callable[[float], None] = lambda part: None,
) -> Backlog:
    """Send what waits, for at most `patience_s`; returns how it stands then.

    Raises `LedgerError` where another tap has the journal, `InputError` where there is none.
    """
    session = config.session.external_id
    journal = Journal(journal_path(folder, session))
    with closing(journal), closing(open_ledger(config)) as store:
        outbox = Outbox(journal.queue, store, clock=clock)
        at_first = max(1, journal.queue.tally().pending)
        outbox.start()
        until = time.monotonic() + patience_s
        status = outbox.status()
        try:
            while status.pending and time.monotonic() < until:
                clock.sleep(_LOOK_S)
                status = outbox.status()
                progress(1 - status.pending / at_first)
        finally:
            outbox.stop()
        stills = still_uploader(config, store, journal_path(folder, session))
        carried = stills.round(max(1.0, until - time.monotonic())) if stills is not None else None
        return replace(_backlog(journal, session, clock, outbox.status()), stills=carried)


def _backlog(
    journal: Journal, session: str, clock: Clock, status: OutboxStatus | None = None
) -> Backlog:
    tally = journal.queue.tally()
    [*first] = journal.queue.head(1, 1)
    reason = first[0].reason if first else None
    way = status.way if status is not None else (Way.CLOSED if reason else Way.OPEN)
    refused: list[Parked] = []
    for row in journal.queue.rows(State.PARKED):
        refused.append(Parked(row.key, row.reason or "", row.attempts))
        if len(refused) == MOST_PARKED:
            break
    age = None if tally.oldest_ms is None else max(0.0, clock.now_ms() - tally.oldest_ms)
    return Backlog(
        session=session,
        pending=tally.pending,
        sent=tally.sent,
        parked=tally.parked,
        oldest_age_ms=age,
        attempts=first[0].attempts if first else 0,
        reason=reason,
        way=way,
        refused=tuple(refused),
    )
