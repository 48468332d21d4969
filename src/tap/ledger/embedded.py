"""The ledger that needs nothing else: the four tables in one SQLite file.

Names, keys and answers are those of the Convex ledger, so that either can stand for the other.
"""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from tap.clock import Clock, SystemClock
from tap.ledger import values
from tap.ledger.database import Database, Kind
from tap.ledger.faults import BookError, Code
from tap.ledger.queue import Op
from tap.ledger.rows import (
    CAMERAS,
    DIRECTOR_EVENTS,
    SESSIONS,
    STILLS,
    CameraRow,
    DirectorEventRow,
    FinalState,
    Row,
    SessionRow,
    StillRow,
)
from tap.ledger.store import PAGE, Applied, RowFault, Started, Written

_R = TypeVar("_R", bound=Row)

_NUMBERS = {"startedAtMs", "endedAtMs", "atMs", "confidence", "lagMs", "programConfidence"}
_WHOLE = {"runs", "rev", "seq"}
_NESTED = {"finalState", "claim", "seen"}
"""Objects; in SQLite they are JSON text."""


def _columns(model: type[Row]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _table(name: str, model: type[Row]) -> str:
    columns: list[str] = []
    for column in _columns(model):
        kind = "REAL" if column in _NUMBERS else "INTEGER" if column in _WHOLE else "TEXT"
        columns.append(f'"{column}" {kind}{" NOT NULL UNIQUE" if column == "key" else ""}')
    return (
        f'CREATE TABLE "{name}" (_id TEXT PRIMARY KEY, _creationTime REAL NOT NULL, '
        f"{', '.join(columns)}) STRICT"
    )


_MODELS: dict[str, type[Row]] = {
    SESSIONS: SessionRow,
    CAMERAS: CameraRow,
    DIRECTOR_EVENTS: DirectorEventRow,
    STILLS: StillRow,
}

LEDGER = Kind(
    name="a tap ledger",
    application_id=0x7461706C,  # "tapl"
    version=1,
    schema=";\n".join(
        [
            *(_table(name, model) for name, model in _MODELS.items()),
            f'CREATE INDEX sessions_by_external_id ON "{SESSIONS}" ("externalId")',
            f'CREATE INDEX cameras_by_session ON "{CAMERAS}" ("sessionKey", "cameraId")',
            f'CREATE INDEX events_by_seq ON "{DIRECTOR_EVENTS}" ("sessionKey", "seq")',
            f'CREATE INDEX stills_by_session ON "{STILLS}" ("sessionKey", "key")',
        ]
    ),
)


class EmbeddedLedger:
    """A `LedgerStore` in one SQLite file, which several processes may use at once."""

    def __init__(self, path: Path, *, clock: Clock | None = None, read_only: bool = False) -> None:
        self.path = path
        self._clock = clock or SystemClock()
        self._database = Database(path, LEDGER, read_only=read_only)

    # ------------------------------------------------------------------ writing

    def start_session(self, row: SessionRow) -> Started:
        """See `LedgerStore.start_session`."""
        values.check(row.document())
        with self._database.transaction():
            known = self._find(SESSIONS, SessionRow, row.key)
            if known is None:
                self._insert(SESSIONS, row)
                return Started(created=True, resumed=False, runs=row.runs)
            if known.external_id != row.external_id or known.kind != row.kind:
                raise _reused(row.key)
            if row.runs < known.runs:
                return Started(created=False, resumed=False, runs=known.runs)
            resumed = row.runs > known.runs
            told = {"title": row.title, "notes": row.notes, "mode": row.mode}
            changes: dict[str, Any] = {
                name: text for name, text in told.items() if text is not None
            }
            if resumed:
                changes |= {"runs": row.runs, "status": "live", "ended_at_ms": None}
                changes |= {"final_state": None}
            self._replace(SESSIONS, known.model_copy(update=changes))
            return Started(created=False, resumed=resumed, runs=row.runs)

    def upsert_cameras(self, rows: Sequence[CameraRow]) -> Applied:
        """See `LedgerStore.upsert_cameras`."""
        applied = 0
        with self._database.transaction():
            for row in rows:
                values.check(row.document())
                self._require_session(row.session_key, row.key)
                known = self._find(CAMERAS, CameraRow, row.key)
                if known is None:
                    self._insert(CAMERAS, row)
                elif row.rev > known.rev:
                    self._replace(CAMERAS, row)
                elif row.rev == known.rev and row != known:
                    raise _reused(row.key)
                else:
                    continue
                applied += 1
        return Applied(applied=applied, stale=len(rows) - applied)

    def append_events(self, rows: Sequence[DirectorEventRow]) -> Written:
        """See `LedgerStore.append_events`."""
        return self._append(DIRECTOR_EVENTS, DirectorEventRow, rows)

    def add_stills(self, rows: Sequence[StillRow]) -> Written:
        """See `LedgerStore.add_stills`."""
        return self._append(STILLS, StillRow, rows)

    def complete_session(self, key: str, ended_at_ms: float, final_state: FinalState) -> bool:
        """See `LedgerStore.complete_session`."""
        with self._database.transaction():
            known = self._find(SESSIONS, SessionRow, key)
            if known is None:
                raise _no_session(key, key)
            completed = known.model_copy(
                update={
                    "status": "completed",
                    "ended_at_ms": ended_at_ms,
                    "final_state": final_state,
                }
            )
            values.check(completed.document())
            if known.status == "completed":
                if known.document() != completed.document():
                    raise _reused(key)
                return False
            self._replace(SESSIONS, completed)
            return True

    def kept(self, op: Op, document: dict[str, Any]) -> dict[str, Any] | None:
        """See `LedgerReader.kept`: as it was sent."""
        return document

    def faults(self, session_key: str) -> list[RowFault]:
        """See `LedgerReader.faults`: rows whose session isn't there."""
        found: list[RowFault] = []
        start = f"{session_key}/"
        for table in (CAMERAS, DIRECTOR_EVENTS, STILLS):
            rows = self._database.execute(
                f'SELECT "key", "sessionKey" FROM "{table}" WHERE substr("key", 1, ?) = ?'  # noqa: S608 (constants)
                f' AND "sessionKey" NOT IN (SELECT "key" FROM "{SESSIONS}") ORDER BY "key"',
                (len(start), start),
            )
            for key, owner in rows:
                text = f"It belongs to a session that isn't there ({str(owner)[:60]!r})."
                found.append(RowFault(table, key, text, orphan=True))
        return found

    def answers(self) -> bool:
        """See `LedgerStore.answers`: a file is always at hand."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # ------------------------------------------------------------------ reading

    def session(self, external_id: str) -> SessionRow | None:
        """See `LedgerStore.session`."""
        found = self._select(SESSIONS, SessionRow, '"externalId" = ?', (external_id,), limit=1)
        return found[0] if found else None

    def sessions(self) -> tuple[SessionRow, ...]:
        """See `LedgerStore.sessions`."""
        found = self._select(SESSIONS, SessionRow, "true", ())
        return tuple(sorted(found, key=lambda row: (-row.started_at_ms, row.key)))

    def cameras(self, session_key: str) -> tuple[CameraRow, ...]:
        """See `LedgerStore.cameras`."""
        return self._select(
            CAMERAS, CameraRow, '"sessionKey" = ? ORDER BY "cameraId", "key"', (session_key,)
        )

    def events(
        self, session_key: str, after_seq: int = 0, limit: int = PAGE
    ) -> tuple[DirectorEventRow, ...]:
        """See `LedgerStore.events`."""
        last = (
            f'SELECT max("seq") FROM (SELECT "seq" FROM "{DIRECTOR_EVENTS}" WHERE "sessionKey" = ?1'  # noqa: S608 (constants)
            ' AND "seq" > ?2 ORDER BY "seq" LIMIT ?3)'
        )
        return self._select(
            DIRECTOR_EVENTS,
            DirectorEventRow,
            f'"sessionKey" = ?1 AND "seq" > ?2 AND "seq" <= ({last}) ORDER BY "seq", "key"',
            (session_key, after_seq, limit),
        )

    def stills(
        self, session_key: str, after_key: str = "", limit: int = PAGE
    ) -> tuple[StillRow, ...]:
        """See `LedgerStore.stills`."""
        where = '"sessionKey" = ? AND "key" > ? ORDER BY "key"'
        return self._select(STILLS, StillRow, where, (session_key, after_key), limit=limit)

    # ------------------------------------------------------------------ rows and tables

    def _append(self, table: str, model: type[_R], rows: Sequence[_R]) -> Written:
        inserted = 0
        with self._database.transaction():
            for row in rows:
                values.check(row.document())
                known = self._find(table, model, row.key)
                if known is None:
                    self._require_session(row.document()["sessionKey"], row.key)
                    self._insert(table, row)
                    inserted += 1
                elif known.document() != row.document():
                    raise _reused(row.key)
        return Written(inserted=inserted, duplicates=len(rows) - inserted)

    def _require_session(self, session_key: str, key: str) -> None:
        found = self._database.execute(
            f'SELECT 1 FROM "{SESSIONS}" WHERE "key" = ?',  # noqa: S608 (a constant)
            (session_key,),
        )
        if not found:
            raise _no_session(session_key, key)

    def _find(self, table: str, model: type[_R], key: str) -> _R | None:
        found = self._select(table, model, '"key" = ?', (key,))
        return found[0] if found else None

    def _select(
        self,
        table: str,
        model: type[_R],
        where: str,
        given: Sequence[Any],
        limit: int | None = None,
    ) -> tuple[_R, ...]:
        columns = _columns(model)
        names = ", ".join(f'"{column}"' for column in columns)
        sql = f'SELECT {names} FROM "{table}" WHERE {where}'  # noqa: S608 (constants)
        if limit is not None:
            sql += f" LIMIT {int(limit)}"
        rows = self._database.execute(sql, given)
        try:
            return tuple(model.model_validate(_document(columns, row)) for row in rows)
        except ValueError as error:
            raise BookError(
                Code.DAMAGED,
                f"{self.path}: expected a row of {table}, got one that can't be read ({error}); "
                "restore the ledger from a copy.",
            ) from error

    def _insert(self, table: str, row: Row) -> None:
        columns = _columns(type(row))
        names = ", ".join(f'"{column}"' for column in columns)
        marks = ", ".join("?" * (len(columns) + 2))
        self._database.execute(
            f'INSERT INTO "{table}" (_id, _creationTime, {names}) VALUES ({marks})',  # noqa: S608 (constants)
            (secrets.token_hex(16), self._clock.now_ms(), *_cells(columns, row)),
        )

    def _replace(self, table: str, row: Row) -> None:
        """The row's new content; `_id` and `_creationTime` stay."""
        columns = _columns(type(row))
        changes = ", ".join(f'"{column}" = ?' for column in columns)
        self._database.execute(
            f'UPDATE "{table}" SET {changes} WHERE "key" = ?',  # noqa: S608 (constants)
            (*_cells(columns, row), row.key),
        )


def _cells(columns: Sequence[str], row: Row) -> list[Any]:
    document = row.document()
    return [
        json.dumps(document[column], allow_nan=False)
        if column in _NESTED and column in document
        else document.get(column)
        for column in columns
    ]


def _document(columns: Sequence[str], cells: Sequence[Any]) -> dict[str, Any]:
    return {
        column: json.loads(cell) if column in _NESTED else cell
        for column, cell in zip(columns, cells, strict=True)
        if cell is not None
    }


def _reused(key: str) -> BookError:
    return BookError(
        Code.KEY_REUSED,
        f"{key}: expected a new row or one that the ledger has already, got other content under "
        "a key that is taken; give the fact a key of its own.",
        key,
    )


def _no_session(session_key: str, key: str) -> BookError:
    return BookError(
        Code.NO_SESSION,
        f"{key}: expected a row of a session in the ledger, got one of {session_key}, which isn't "
        "there; start the session first.",
        key,
    )
