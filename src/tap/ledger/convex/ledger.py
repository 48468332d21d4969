"""A production ledger on Convex: any backend that keys its rows, described by a mapping."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import httpx

from tap.ledger import values
from tap.ledger.convex.mapping import (
    Mapping,
    Operation,
    TableName,
    inward,
    load_mapping,
    outward,
    picked,
)
from tap.ledger.convex.wire import Pulse, Wire
from tap.ledger.faults import BookError, Code
from tap.ledger.queue import Op
from tap.ledger.rows import (
    CameraRow,
    DirectorEventRow,
    FinalState,
    Row,
    SessionRow,
    StillRow,
)
from tap.ledger.store import PAGE, Applied, RowFault, Started, Written

_R = TypeVar("_R", bound=Row)

_MOST_SESSIONS = 10_000
_ALIVE = frozenset({Code.SUSPECT, Code.DENIED, Code.FAILED})
"""Faults with which a ledger shows that it is there."""

_OF: dict[Op, tuple[Operation, TableName]] = {
    Op.SESSION: ("start_session", "sessions"),
    Op.CAMERA: ("upsert_cameras", "cameras"),
    Op.EVENT: ("append_events", "events"),
    Op.STILL: ("add_stills", "stills"),
    Op.COMPLETION: ("complete_session", "sessions"),
}

Document = dict[str, Any]


class ConvexLedger:
    """A `LedgerStore` on a Convex deployment. Threads may share it.

    An operation that the mapping lacks is not made when it would write (the backend doesn't keep
    such rows; tap's journal does), and is `UNSUPPORTED` when it would read.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        mapping: Mapping | None = None,
        transport: httpx.BaseTransport | None = None,
        ours: Callable[[Document], bool] | None = None,
        event_row: type[DirectorEventRow] = DirectorEventRow,
    ) -> None:
        """`ours` tells, of a director event as it is read, whether tap looks at it at all."""
        self._event_row = event_row
        self.mapping = mapping or load_mapping()
        self._wire = Wire(url, self.mapping, token, transport=transport)
        self._ours = ours

    @property
    def url(self) -> str:
        """Where it is."""
        return self._wire.url

    @property
    def requests_per_second(self) -> float:
        """How often it may be asked while tap catches up."""
        return self.mapping.requests_per_second

    def has(self, operation: Operation) -> bool:
        """Whether the mapping knows how to ask for this."""
        return self.mapping.call(operation) is not None

    # ------------------------------------------------------------------ writing

    def start_session(self, row: SessionRow) -> Started:
        """See `LedgerStore.start_session`."""
        answer = self._write("start_session", row=self._out("sessions", row))
        if answer is None:
            return Started(created=False, resumed=False, runs=row.runs)
        created, resumed = answer("created"), answer("resumed")
        return Started(bool(created), bool(resumed), _whole(answer("runs"), row.runs))

    def upsert_cameras(self, rows: Sequence[CameraRow]) -> Applied:
        """See `LedgerStore.upsert_cameras`."""
        sums = self._batches("upsert_cameras", "cameras", rows, "applied", "stale")
        return Applied(*sums)

    def append_events(self, rows: Sequence[DirectorEventRow]) -> Written:
        """See `LedgerStore.append_events`."""
        return Written(*self._batches("append_events", "events", rows, "inserted", "duplicates"))

    def add_stills(self, rows: Sequence[StillRow]) -> Written:
        """See `LedgerStore.add_stills`."""
        return Written(*self._batches("add_stills", "stills", rows, "inserted", "duplicates"))

    def complete_session(self, key: str, ended_at_ms: float, final_state: FinalState) -> bool:
        """See `LedgerStore.complete_session`."""
        state = final_state.model_dump(mode="json", by_alias=True, exclude_none=True)
        values.check({"key": key, "finalState": state})
        answer = self._write(
            "complete_session", key=key, ended_at_ms=ended_at_ms, final_state=state
        )
        return bool(answer("changed")) if answer is not None else False

    # ------------------------------------------------------------------ reading

    def session(self, external_id: str) -> SessionRow | None:
        """See `LedgerStore.session`."""
        found = self._ask("session", external_id=external_id)("row")
        return self._in("sessions", SessionRow, found) if found is not None else None

    def sessions(self) -> tuple[SessionRow, ...]:
        """See `LedgerStore.sessions`."""
        rows: list[SessionRow] = []
        cursor: Any = None
        while True:
            answer = self._ask("sessions", cursor=cursor, limit=100)
            page = self._rows("sessions", SessionRow, answer("rows"))
            rows += page
            following = answer("cursor")
            if not isinstance(following, str) or following == cursor or len(rows) > _MOST_SESSIONS:
                break
            cursor = following
        return tuple(sorted(rows, key=lambda row: (-row.started_at_ms, row.key)))

    def cameras(self, session_key: str) -> tuple[CameraRow, ...]:
        """See `LedgerStore.cameras`."""
        found = self._ask("cameras", session=session_key)("rows")
        rows = self._rows("cameras", CameraRow, found)
        return tuple(sorted(rows, key=lambda row: (row.camera_id, row.key)))

    def events(
        self, session_key: str, after_seq: int = 0, limit: int = PAGE
    ) -> tuple[DirectorEventRow, ...]:
        """See `LedgerStore.events`."""
        after = after_seq
        while True:
            answer = self._ask("events", session=session_key, after_seq=after, limit=limit)
            found = self._list(answer("rows"), "events")
            if self._ours is None or not found:
                return tuple(self._rows("events", self._event_row, found))
            kept = [row for row in found if self._ours(inward(self.mapping.tables["events"], row))]
            if kept:
                return tuple(self._rows("events", self._event_row, kept))
            last = inward(self.mapping.tables["events"], found[-1]).get("seq")
            after = _whole(last, after + 1)

    def stills(
        self, session_key: str, after_key: str = "", limit: int = PAGE
    ) -> tuple[StillRow, ...]:
        """See `LedgerStore.stills`."""
        answer = self._ask("stills", session=session_key, after_key=after_key, limit=limit)
        return tuple(self._rows("stills", StillRow, answer("rows")))

    def kept(self, op: Op, document: Document) -> Document | None:
        """See `LedgerReader.kept`: without the fields that the mapping omits."""
        return kept_by(self.mapping, op, document)

    def faults(self, session_key: str) -> list[RowFault]:
        """See `LedgerReader.faults`: a backend that checks sessions has none to tell of."""
        return []

    def answers(self) -> bool:
        """Whether it answers at all at this moment. Raises nothing."""
        try:
            self._wire.pulse()
        except BookError as error:
            return error.code in _ALIVE
        return True

    def pulse(self) -> Pulse:
        """How it answers. Raises `BookError`."""
        return self._wire.pulse()

    def close(self) -> None:
        """Let go of the connection."""
        self._wire.close()

    def __repr__(self) -> str:
        return f"ConvexLedger({self.url!r}, mapping={self.mapping.name!r})"

    # ------------------------------------------------------------------ stills' bytes

    def upload_url(self, key: str) -> str | None:
        """Where the bytes of a still go; None where the ledger has them. Raises `BookError`."""
        answer = self._ask("still_upload_url", key=key)
        url = answer("upload_url")
        if isinstance(url, str) and url:
            return url
        if answer("attached") is True:
            return None
        raise BookError(Code.FAILED, f"{key}: expected an address to upload to, got none.", key)

    def put_bytes(self, url: str, content: bytes, content_type: str, digest: str) -> str:
        """Upload; the id under which they are stored. `digest` is base64 of their SHA-256."""
        headers = {"Content-Type": content_type, "Digest": f"sha-256={digest}"}
        found = self._wire.put_bytes(url, content, headers).get("storageId")
        if not isinstance(found, str):
            raise BookError(Code.FAILED, "The upload of a still got no storage id.")
        return found

    def attach_still(self, key: str, storage_id: str, sha256: str, size: int) -> bool:
        """Give a still its bytes. `sha256` in hex, `size` in bytes. Raises `BookError`."""
        answer = self._ask("attach_still", key=key, storage_id=storage_id, sha256=sha256, size=size)
        return answer("attached") is not False

    # ------------------------------------------------------------------ requests and rows

    def _ask(self, operation: Operation, **given: Any) -> Callable[[str], Any]:
        """Ask; gives what picks tap's values out of the answer."""
        answer = self._wire.ask(operation, given)
        call = self.mapping.call(operation)
        names = call.answer if call is not None else {}
        return lambda name: picked(answer, names.get(name, name))

    def _write(self, operation: Operation, **given: Any) -> Callable[[str], Any] | None:
        return self._ask(operation, **given) if self.has(operation) else None

    def _batches(
        self, operation: Operation, table: TableName, rows: Sequence[Row], first: str, second: str
    ) -> tuple[int, int]:
        """Send rows as many at a time as the backend takes; sums of two counts in its answers."""
        call = self.mapping.call(operation)
        if call is None or not rows:
            return 0, 0
        documents = [self._out(table, row) for row in rows]
        single = "row" in call.arguments
        step = 1 if single else call.most_rows
        sums = [0, 0]
        for start in range(0, len(documents), step):
            part = documents[start : start + step]
            given: Document = {"row": part[0]} if single else {"rows": part}
            answer = self._ask(operation, **given)
            sums[0] += _whole(answer(first), len(part))
            sums[1] += _whole(answer(second), 0)
        return sums[0], sums[1]

    def _out(self, table: TableName, row: Row) -> Document:
        document = outward(self.mapping.tables[table], row.document())
        values.check(document)
        return document

    def _in(self, table: TableName, model: type[_R], found: Any) -> _R:
        try:
            return model.model_validate(inward(self.mapping.tables[table], dict(found)))
        except (ValueError, TypeError) as error:
            name = self.mapping.tables[table].name
            raise BookError(
                Code.DAMAGED,
                f"{self.url}: expected a row of {name}, got one that can't be read ({error}); "
                "correct it there, or the mapping.",
            ) from error

    def _rows(self, table: TableName, model: type[_R], found: Any) -> list[_R]:
        return [self._in(table, model, row) for row in self._list(found, table)]

    def _list(self, found: Any, table: TableName) -> list[Any]:
        if isinstance(found, list):
            return found
        raise BookError(
            Code.FAILED,
            f"{self.url}: expected a list of rows of {self.mapping.tables[table].name}, got "
            f"{type(found).__name__}; check the mapping's answer of that operation.",
        )


def kept_by(mapping: Mapping, op: Op, document: Document) -> Document | None:
    """A row as it comes back from the mapping's backend; None where that keeps none such."""
    operation, table = _OF[op]
    if mapping.call(operation) is None:
        return None
    omitted = mapping.tables[table].omit
    return {name: value for name, value in document.items() if name not in omitted}


def _whole(found: Any, otherwise: int) -> int:
    """A count; Convex prints all numbers with a point."""
    return int(found) if isinstance(found, int | float) else otherwise
