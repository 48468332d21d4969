"""tap beside another writer: that one keeps the session's books, tap adds what it found.

Of a session that its director's software writes itself, tap adds a verdict for each message,
linked to the writer's own row about it, and each change that nobody announced. Session, cameras,
messages, stills and completion are the other writer's: tap leaves them alone.
"""

import re
from collections.abc import Mapping as Names
from collections.abc import Sequence
from typing import Any

import httpx

from tap.ledger.convex.ledger import ConvexLedger
from tap.ledger.convex.mapping import Mapping
from tap.ledger.faults import BookError, Code
from tap.ledger.queue import Op
from tap.ledger.rows import (
    CameraRow,
    DirectorEventRow,
    FinalState,
    JudgingRow,
    SessionRow,
    StillRow,
)
from tap.ledger.store import PAGE, Applied, RowFault, Started, Written

_PLACE = re.compile(r"\{(session|claim|raw\.[^{}]+)\}")


class BesideLedger:
    """A `LedgerStore` for role `witness`. Rows are read back under tap's own keys."""

    def __init__(
        self,
        url: str,
        mapping: Mapping,
        *,
        token: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.mapping = mapping
        self._convex = ConvexLedger(
            url,
            token=token,
            mapping=mapping,
            transport=transport,
            ours=_is_ours,
            event_row=JudgingRow,
        )

    @property
    def url(self) -> str:
        """Where it is."""
        return self._convex.url

    @property
    def convex(self) -> ConvexLedger:
        """The ledger of both writers."""
        return self._convex

    @property
    def requests_per_second(self) -> float:
        """See `ConvexLedger`."""
        return self._convex.requests_per_second

    # ------------------------------------------------------------------ writing

    def start_session(self, row: SessionRow) -> Started:
        """Nothing: the other writer starts it."""
        return Started(created=False, resumed=False, runs=row.runs)

    def upsert_cameras(self, rows: Sequence[CameraRow]) -> Applied:
        """Nothing: the other writer registers them."""
        return Applied(applied=0, stale=len(rows))

    def append_events(self, rows: Sequence[DirectorEventRow]) -> Written:
        """Add verdicts and what nobody announced. Waits for the session to be there."""
        try:
            return self._convex.append_events([judging(row, self.mapping) for row in rows])
        except BookError as error:
            if error.code is not Code.NO_SESSION:
                raise
            raise BookError(
                Code.UNREACHABLE,
                f"{self.url}: expected the session of the other writer, which isn't there yet; "
                "tap waits for it.",
                error.key,
            ) from error

    def add_stills(self, rows: Sequence[StillRow]) -> Written:
        """Nothing: the other writer notes them."""
        return Written(inserted=0, duplicates=len(rows))

    def complete_session(self, key: str, ended_at_ms: float, final_state: FinalState) -> bool:
        """Nothing: the other writer ends it."""
        return False

    # ------------------------------------------------------------------ reading

    def session(self, external_id: str) -> SessionRow | None:
        """See `LedgerStore.session`."""
        return self._convex.session(external_id)

    def sessions(self) -> tuple[SessionRow, ...]:
        """See `LedgerStore.sessions`."""
        return self._convex.sessions()

    def cameras(self, session_key: str) -> tuple[CameraRow, ...]:
        """None are tap's."""
        return ()

    def events(
        self, session_key: str, after_seq: int = 0, limit: int = PAGE
    ) -> tuple[DirectorEventRow, ...]:
        """tap's own; see `LedgerStore.events`."""
        found = self._convex.events(session_key, after_seq, limit)
        return tuple(row.model_copy(update={"key": _plain_key(row.key)}) for row in found)

    def stills(
        self, session_key: str, after_key: str = "", limit: int = PAGE
    ) -> tuple[StillRow, ...]:
        """None are tap's."""
        return ()

    def kept(self, op: Op, document: dict[str, Any]) -> dict[str, Any] | None:
        """See `LedgerReader.kept`."""
        if op is not Op.EVENT:
            return None
        row = judging(DirectorEventRow.model_validate(document), self.mapping)
        return self._convex.kept(op, {**row.document(), "key": document["key"]})

    def faults(self, session_key: str) -> list[RowFault]:
        """See `LedgerReader.faults`."""
        return self._convex.faults(session_key)

    def answers(self) -> bool:
        """See `LedgerStore.answers`."""
        return self._convex.answers()

    def close(self) -> None:
        """Let go of the connection."""
        self._convex.close()


def judging(row: DirectorEventRow, mapping: Mapping) -> JudgingRow:
    """A row of the witness: its own key, and the key of the row that it judges."""
    fields = {name: getattr(row, name) for name in DirectorEventRow.model_fields}
    if row.claim is None:
        return JudgingRow.model_construct(**fields, judges=None)
    judges = judged_key(mapping.judged_row, row)
    fields |= {"key": row.key.replace("/claim/", "/judged/", 1), "claim": None}
    return JudgingRow.model_construct(**fields, judges=judges)


def judged_key(template: str, row: DirectorEventRow) -> str | None:
    """The key of the other writer's row; None where the message lacks what the template wants."""
    name = row.key.partition("/claim/")[2]
    raw: Names[str, Any] = row.claim.raw if row.claim is not None else {}
    known: dict[str, Any] = {"session": row.session_key, "claim": name}
    missing: list[str] = []

    def put(place: re.Match[str]) -> str:
        wanted = place[1]
        value = raw.get(wanted[4:]) if wanted.startswith("raw.") else known[wanted]
        if not isinstance(value, str | int) or isinstance(value, bool):
            missing.append(wanted)
        return str(value)

    key = _PLACE.sub(put, template)
    return None if missing else key


def _is_ours(document: Names[str, Any]) -> bool:
    """tap's own keys: ids are escaped in them, so the first slash ends the session's."""
    _, _, name = str(document.get("key", "")).partition("/")
    return name.startswith(("judged/", "seen/"))


def _plain_key(key: str) -> str:
    return key.replace("/judged/", "/claim/", 1)
