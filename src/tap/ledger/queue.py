"""The rows that wait to go to the ledger: a table of the journal, in the order they were made."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tap.ledger.database import Database

SCHEMA = """
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    op TEXT NOT NULL,
    key TEXT NOT NULL,
    number INTEGER UNIQUE,
    body TEXT NOT NULL,
    made_ms REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT
) STRICT;
CREATE INDEX outbox_by_state ON outbox (state, seq);
"""

_PAGE = 500
_LOOK_AHEAD = 4
"""How many times as many rows as go in a batch are looked at for it."""


class Op(StrEnum):
    """What the ledger is asked to do with a row."""

    SESSION = "session"
    CAMERA = "camera"
    EVENT = "event"
    STILL = "still"
    COMPLETION = "completion"


ALONE = frozenset({Op.SESSION, Op.COMPLETION})
"""Sent one at a time."""


class State(StrEnum):
    """How far a row has come."""

    PENDING = "pending"
    SENT = "sent"
    PARKED = "parked"
    """The ledger refuses it; it waits aside, and blocks nothing."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row to send."""

    op: Op
    key: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row in the outbox. `seq` is its place there."""

    seq: int
    op: Op
    key: str
    body: dict[str, Any]
    state: State
    attempts: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows are in which state, and since when (Unix ms) the oldest has been waiting."""

    pending: int = 0
    sent: int = 0
    parked: int = 0
    oldest_ms: float | None = None


class Queue:
    """First in, first out; a row leaves it only as sent or parked, and even then is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: dict[State, int] | None = None  # touched only while alone

    def put(self, row: Outgoing, at_ms: float) -> None:
        """Add a row. A director event gets the next number of its session as its `seq`."""
        body, number = row.body, None
        with self._database.transaction():
            if row.op is Op.EVENT:
                [(last,)] = self._database.execute("SELECT coalesce(max(number), 0) FROM outbox")
                number = last + 1
                body = {**body, "seq": number}
            self._counts = None
            self._database.execute(
                "INSERT INTO outbox (op, key, number, body, made_ms) VALUES (?, ?, ?, ?, ?)",
                (row.op.value, row.key, number, json.dumps(body, allow_nan=False), at_ms),
            )

    def head(self, limit: int, max_bytes: int) -> list[Waiting]:
        """The oldest pending rows that can go in one batch: of one op, at most `max_bytes` of
        JSON text together. A longer row goes alone.

        Rows of another op in between are left for the next batch: each table has its own order.
        Nothing is taken from behind a row that goes alone.
        """
        found = self._database.execute(
            "SELECT seq, op, key, body, state, attempts, reason FROM outbox"
            " WHERE state = 'pending' ORDER BY seq LIMIT ?",
            (limit * _LOOK_AHEAD,),
        )
        batch: list[Waiting] = []
        size = 0
        for values in found:
            op = Op(values[1])
            if batch and (op in ALONE or batch[0].op in ALONE or len(batch) == limit):
                break
            if batch and op is not batch[0].op:
                continue
            size += len(values[3])
            if batch and size > max_bytes:
                break
            batch.append(_waiting(values))
        return batch

    def rows(self, state: State | None = None, after: int = 0) -> Iterator[Waiting]:
        """All rows (of one state) behind place `after`, in order."""
        only = state.value if state else None
        while True:
            page = self._database.execute(
                "SELECT seq, op, key, body, state, attempts, reason FROM outbox"
                " WHERE seq > ?1 AND (?2 IS NULL OR state = ?2) ORDER BY seq LIMIT ?3",
                (after, only, _PAGE),
            )
            for row in page:
                yield _waiting(row)
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def mark_sent(self, batch: Sequence[Waiting]) -> None:
        """The ledger has these rows."""
        self._mark(
            "UPDATE outbox SET state = 'sent', attempts = attempts + 1, reason = NULL"
            " WHERE seq = ?",
            [(row.seq,) for row in batch],
        )

    def mark_failed(self, batch: Sequence[Waiting], reason: str) -> None:
        """These rows did not get through this time."""
        self._mark(
            "UPDATE outbox SET attempts = attempts + 1, reason = ? WHERE seq = ?",
            [(reason, row.seq) for row in batch],
        )

    def park(self, row: Waiting, reason: str) -> None:
        """The ledger will not have this row: set it aside."""
        self._mark(
            "UPDATE outbox SET state = 'parked', attempts = attempts + 1, reason = ? WHERE seq = ?",
            [(reason, row.seq)],
        )

    def unpark(self) -> None:
        """Give the parked rows another chance."""
        self._mark("UPDATE outbox SET state = 'pending' WHERE state = ?", [("parked",)])

    def tally(self) -> Tally:
        """The counts now."""
        with self._database.alone():
            counts = self._counts
            if counts is None:
                found = self._database.execute("SELECT state, count(*) FROM outbox GROUP BY state")
                counts = self._counts = {State(name): number for name, number in found}
            oldest = self._database.execute(
                "SELECT made_ms FROM outbox WHERE state = 'pending' ORDER BY seq LIMIT 1"
            )
        return Tally(
            pending=counts.get(State.PENDING, 0),
            sent=counts.get(State.SENT, 0),
            parked=counts.get(State.PARKED, 0),
            oldest_ms=oldest[0][0] if oldest else None,
        )

    def _mark(self, sql: str, values: Sequence[tuple[Any, ...]]) -> None:
        with self._database.alone():
            self._counts = None
            self._database.execute_many(sql, values)


def _waiting(values: tuple[Any, ...]) -> Waiting:
    seq, op, key, body, state, attempts, reason = values
    return Waiting(seq, Op(op), key, json.loads(body), State(state), attempts, reason)
