"""Carries whole sessions from one place to another: a ledger, a journal, a snapshot."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tap.ledger.journal import Journal
from tap.ledger.queue import Op, State, Waiting
from tap.ledger.rows import CameraRow, DirectorEventRow, Row, SessionRow, StillRow
from tap.ledger.snapshot import Tables
from tap.ledger.store import LedgerReader, LedgerStore, all_events, all_stills

BATCH = 100


@dataclass(frozen=True, slots=True)
class Carried:
    """How many rows went over, and how many were there already."""

    sessions: int = 0
    written: int = 0
    known: int = 0


def tables_of(ledger: LedgerReader, sessions: Sequence[SessionRow]) -> Tables:
    """All rows of some sessions. Raises `BookError`."""
    tables = Tables()
    for session in sessions:
        tables.sessions.append(session.document())
        tables.cameras += _plain(ledger.cameras(session.key))
        tables.events += _plain(all_events(ledger, session.key))
        tables.stills += _plain(all_stills(ledger, session.key))
    return tables


def tables_of_journal(journal: Journal) -> Tables:
    """The rows as they follow from a session's journal, whether they were sent or not."""
    tables = Tables()
    rows = [row for row in journal.queue.rows() if row.state is not State.PARKED]
    session = session_after(rows)
    if session is not None:
        tables.sessions.append(session)
    cameras = {row.key: row.body for row in rows if row.op is Op.CAMERA}
    tables.cameras += cameras.values()
    tables.events += [row.body for row in rows if row.op is Op.EVENT]
    tables.stills += [row.body for row in rows if row.op is Op.STILL]
    return tables


def session_after(rows: Iterable[Waiting]) -> dict[str, Any] | None:
    """The session's row after all of these were sent, in order; None where none is about it."""
    row: dict[str, Any] | None = None
    started_at_ms: float | None = None
    for waiting in rows:
        if waiting.op is Op.SESSION:
            started_at_ms = waiting.body["startedAtMs"] if row is None else started_at_ms
            resumed = row is None or waiting.body.get("runs") != row.get("runs")
            kept = {} if resumed or row is None else row
            row = {**kept, **waiting.body, "startedAtMs": started_at_ms}
        elif waiting.op is Op.COMPLETION and row is not None:
            row = {**row, **waiting.body, "status": "completed"}
    return row


def carry(source: LedgerReader, sessions: Sequence[SessionRow], target: LedgerStore) -> Carried:
    """Write whole sessions into another ledger; what it has already stays. Raises `BookError`."""
    written = known = 0
    for session in sessions:
        live = session.model_copy(
            update={"status": "live", "ended_at_ms": None, "final_state": None}
        )
        created = target.start_session(live).created
        written, known = written + created, known + (not created)
        sends: list[tuple[Sequence[Row], Callable[[Any], tuple[int, int]]]] = [
            (source.cameras(session.key), target.upsert_cameras),
            (list(all_events(source, session.key)), target.append_events),
            (list(all_stills(source, session.key)), target.add_stills),
        ]
        for rows, send in sends:
            for start in range(0, len(rows), BATCH):
                new, old = send(rows[start : start + BATCH])
                written, known = written + new, known + old
        if session.status == "completed" and session.final_state is not None:
            ended_ms = session.ended_at_ms or session.started_at_ms
            target.complete_session(session.key, ended_ms, session.final_state)
    return Carried(len(sessions), written, known)


def _plain(rows: Iterable[SessionRow | CameraRow | DirectorEventRow | StillRow]) -> list[Any]:
    return [row.document() for row in rows]
