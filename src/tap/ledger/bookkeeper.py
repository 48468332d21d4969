"""Keeps the books of one session: every fact into the journal, its rows into the ledger after.

A method that has returned has put its fact on the disk. Whatever is handed in again, after a
crash or by mistake, is known by its key and written once.
"""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from tap.clock import Clock, SystemClock
from tap.ledger import entries, values
from tap.ledger.facts import Begun, BookStatus, CameraFacts, FileFact, SessionFacts
from tap.ledger.faults import BookError, Code
from tap.ledger.journal import FactKind, Journal, spelled
from tap.ledger.messages import Messages
from tap.ledger.outbox import Outbox
from tap.ledger.queue import Op, Outgoing
from tap.ledger.recall import claim_fact, claim_of, recall
from tap.ledger.rows import (
    CameraRow,
    FinalState,
    Row,
    SealPin,
    SessionRow,
    claim_name,
    seen_name,
    session_key,
    still_name,
)
from tap.ledger.store import LedgerStore
from tap.vocabulary import Claim, ClaimType, Event, Shot, Verdict, VerdictCode

_LAST_SHOTS = 64
"""A message about a still may be late, but not by more shots than this."""


class Bookkeeper:
    """The books of the session `external_id`. Threads may share it.

    Owns the journal from here on, but not the store. All methods raise `BookError` (a
    `LedgerError`); then nothing was written, and the same call may be made again.
    """

    def __init__(
        self,
        journal: Journal,
        store: LedgerStore,
        *,
        external_id: str,
        clock: Clock | None = None,
        outbox: Outbox | None = None,
    ) -> None:
        self._journal = journal
        self._clock = clock or SystemClock()
        self._outbox = outbox or Outbox(journal.queue, store)
        self._external_id = external_id
        self._session_key = session_key(external_id)
        self._lock = threading.RLock()
        self._session: SessionRow | None = None
        self._cameras: dict[str, CameraRow] = {}
        self._messages = Messages()
        self._covered: set[str] = set()
        """The events that a row speaks of."""
        self._shots: deque[Shot] = deque(maxlen=_LAST_SHOTS)
        self._differing = 0
        self._noted = 0

    # ------------------------------------------------------------------ joining and leaving

    def begin(
        self, session: SessionFacts, cameras: Sequence[CameraFacts] = (), at_ms: float | None = None
    ) -> Begun:
        """Join the session: create it, or go on with what the journal knows of it.

        Registers `cameras` and starts to send. `at_ms` (Unix ms) is when tap joined.
        """
        at_ms = self._clock.now_ms() if at_ms is None else at_ms
        with self._lock:
            self._require_new(session)
            known = recall(self._journal)
            run = known.runs + 1
            row = entries.session_row(
                self._session_key, session, known.session, run=run, at_ms=at_ms
            )
            found = dict(known.cameras)
            with self._journal.transaction():
                self._append(FactKind.RUN, f"run/{run}", {"run": run, "atMs": at_ms})
                self._write_session(row, f"session/{run}")
                for camera in cameras:
                    found |= self._write_camera(camera, found)
            self._session, self._cameras, self._messages = row, found, known.messages
            self._shots.extend(known.shots)
            self._covered = {v.event_id for v in known.verdicts.values() if v.event_id is not None}
            self._outbox.start()
            self._outbox.notify()
        return Begun(
            resumed=run > 1,
            run=run,
            claims=tuple(known.claims),
            events=tuple(known.events),
            shots=tuple(known.shots),
            verdicts=known.verdicts,
            ended_ms=known.ended_ms,
            files=frozenset(known.files),
        )

    def complete(self, at_ms: float, final_state: FinalState | Mapping[str, Any]) -> None:
        """The session is over. Said twice in a run, the first time counts.

        Where the journal is sealed, the ledger is told the checkpoint that stands before this.
        """
        state = _final(final_state)
        with self._lock:
            row = self._begun()
            name = f"completion/{row.runs}"
            state = state.model_copy(update={"seal": self._pinned(name)})
            body = {
                "key": row.key,
                "endedAtMs": at_ms,
                "finalState": state.model_dump(mode="json", by_alias=True, exclude_none=True),
            }
            values.check(body)
            rows = [Outgoing(Op.COMPLETION, row.key, body)]
            self._append(FactKind.COMPLETION, name, body, rows)
            self._outbox.notify()

    def _pinned(self, completion: str) -> SealPin | None:
        known = self._journal.find(completion)
        if known is not None:
            return FinalState.model_validate(known.body["finalState"]).seal
        pinned = self._journal.pin()
        return SealPin.model_validate(pinned._asdict()) if pinned is not None else None

    def leave(self, at_ms: float) -> None:
        """tap leaves the session in order; the last fact of a run."""
        with self._lock:
            self._note(FactKind.CLOSE, {"atMs": at_ms})

    def close(self, timeout_s: float = 5.0) -> BookStatus:
        """Send what waits, for at most `timeout_s`, and let go of the journal.

        What could not be sent is sent in the next run. Returns how the books stand.
        """
        self._outbox.flush(timeout_s)
        self._outbox.stop()
        status = self.status()
        self._journal.close()
        return status

    def status(self) -> BookStatus:
        """How the books stand."""
        outbox = self._outbox.status()
        age = None
        if outbox.oldest_ms is not None:
            age = max(0.0, self._clock.now_ms() - outbox.oldest_ms)
        return BookStatus(
            pending=outbox.pending,
            sent=outbox.sent,
            parked=outbox.parked,
            oldest_age_ms=age,
            reason=outbox.reason,
            differing=self._differing,
            way=outbox.way,
            way_since_ms=outbox.way_since_ms,
            requests=outbox.requests,
        )

    # ------------------------------------------------------------------ facts

    def claim(self, claim: Claim) -> bool:
        """Take a message. False if an earlier run has journalled this very one.

        What it says of a camera, or as a start of the session, goes into their rows.
        """
        with self._lock:
            session = self._begun()
            body = claim_fact(claim)
            if self._messages.met_again(spelled(body)):
                return False
            name = claim_name(claim.id, self._messages.next_nth(claim))
            found: dict[str, CameraRow] = {}
            with self._journal.transaction():
                self._append(FactKind.CLAIM, name, body)
                camera = entries.told_of(claim) if claim.type is ClaimType.CAMERA else None
                if camera is not None:
                    found = self._write_camera(camera, self._cameras)
                elif claim.type is ClaimType.SESSION_START:
                    described = entries.described(session, claim)
                    if described is not None:
                        session = described
                        self._write_session(session, f"session/{session.runs}/{name}")
            self._messages.add(claim)
            self._cameras |= found
            self._session = session
            self._outbox.notify()
            return True

    def event(self, event: Event) -> None:
        """Take something that was seen. Its row comes with its verdict."""
        body = event.model_dump(mode="json", by_alias=True, exclude_none=True)
        with self._lock:
            self._begun()
            self._append(FactKind.EVENT, f"event/{event.id}", body)

    def shot(self, shot: Shot) -> None:
        """Take a shot that is over."""
        body = shot.model_dump(mode="json", by_alias=True, exclude_none=True)
        with self._lock:
            self._begun()
            self._append(FactKind.SHOT, f"shot/{shot.start_ms!r}", body)
            self._shots.append(shot)

    def camera(self, camera: CameraFacts) -> None:
        """Take what is known of a camera: a registration, or a change. Nothing new: no row."""
        with self._lock:
            self._begun()
            with self._journal.transaction():
                found = self._write_camera(camera, self._cameras)
            self._cameras |= found
            self._outbox.notify()

    def verdict(
        self,
        verdict: Verdict,
        claim: Claim | None = None,
        event: Event | None = None,
        program: Shot | None = None,
    ) -> None:
        """Take a verdict on a claim, an event or both: a director event, and a still if told one.

        Claim and event are looked up in the journal; those given count only where it lacks them.
        `program` is the shot under way; a still's row tells what the program showed at its time,
        where that shot or one of the last ones covers it.
        """
        with self._lock:
            session = self._begun()
            name, claim = self._about(verdict, claim)
            event = self._seen(verdict, event)
            fact_key = f"verdict/{name}"
            covered = claim is None and verdict.event_id in self._covered
            if covered and self._journal.find(fact_key) is None:
                self._differing += 1  # a row says already that this change was announced
                return
            key = f"{session.key}/{name}"
            row = entries.event_row(key, session.key, verdict, claim, event)
            body = {"row": key, "verdict": verdict.model_dump(mode="json", by_alias=True)}
            with self._journal.transaction():
                new = self._append(FactKind.VERDICT, fact_key, body, [_outgoing(Op.EVENT, row)])
                told_first = verdict.code is not VerdictCode.DUPLICATE
                if new and claim is not None and claim.type is ClaimType.STILL and told_first:
                    self._write_still(session.key, claim, program)
            self._messages.judged(verdict)
            if new and verdict.event_id is not None:
                self._covered.add(verdict.event_id)
            self._outbox.notify()

    def files(self, changes: Sequence[FileFact]) -> None:
        """Take what became of files beside the journal, all in one transaction."""
        with self._lock, self._journal.transaction():
            for change in changes:
                self._note(FactKind.FILE, change.body())

    def beat(self, at_ms: float, seen: Mapping[str, Any]) -> None:
        """A sign of life: tap is there, and this is what it has seen so far."""
        with self._lock:
            self._note(FactKind.BEAT, {"atMs": at_ms, **seen})

    def _note(self, kind: FactKind, body: dict[str, Any]) -> None:
        run = self._begun().runs
        self._noted += 1
        self._append(kind, f"{kind.value}/{run}/{self._noted}", {"run": run, **body})

    # ------------------------------------------------------------------ what a verdict is about

    def _about(self, verdict: Verdict, claim: Claim | None) -> tuple[str, Claim | None]:
        """The name of a verdict's row, and the very message it is about."""
        if verdict.claim_id is None:
            if verdict.event_id is None:
                raise _bad("a verdict on a claim or an event", "one on neither", "name one")
            return seen_name(verdict.event_id), None
        nth = self._messages.about(verdict)
        name = claim_name(verdict.claim_id, nth or 1)
        fact = self._journal.find(name)
        claim = claim_of(fact.body) if fact is not None else claim
        if claim is None:
            found = f"one on {verdict.claim_id}"
            raise _bad("a verdict on a message in the journal", found, "hand in the message first")
        return name, claim

    def _seen(self, verdict: Verdict, event: Event | None) -> Event | None:
        if verdict.event_id is None:
            return None
        fact = self._journal.find(f"event/{verdict.event_id}")
        event = Event.model_validate(fact.body) if fact is not None else event
        if event is None:
            found = f"one on {verdict.event_id}"
            raise _bad("a verdict on an event in the journal", found, "hand in the event first")
        return event

    # ------------------------------------------------------------------ rows into the journal

    def _write_session(self, row: SessionRow, fact_key: str) -> None:
        self._append(FactKind.SESSION, fact_key, row.document(), [_outgoing(Op.SESSION, row)])

    def _write_camera(
        self, camera: CameraFacts, known: Mapping[str, CameraRow]
    ) -> dict[str, CameraRow]:
        """The camera's new row by its id, if there is anything new."""
        row = entries.camera_row(self._session_key, known.get(camera.id), camera)
        if row is None:
            return {}
        fact_key = f"camera/{camera.id}/{row.rev}"
        self._append(FactKind.CAMERA, fact_key, row.document(), [_outgoing(Op.CAMERA, row)])
        return {camera.id: row}

    def _write_still(self, session: str, claim: Claim, program: Shot | None) -> None:
        """The still's row. Two messages about one still may know different things: both stay."""
        still_id, nth = claim.still_id or claim.id, 1
        while self._journal.find(still_name(still_id, nth)) is not None:
            nth += 1
        name = still_name(still_id, nth)
        shown = self._program_at(claim.at_ms, program)
        row = entries.still_row(f"{session}/{name}", session, claim, shown)
        if row is not None:
            self._append(FactKind.STILL, name, row.document(), [_outgoing(Op.STILL, row)])

    def _program_at(self, at_ms: float, running: Shot | None) -> Shot | None:
        if running is not None and running.start_ms <= at_ms <= running.end_ms:
            return running
        closed = (shot for shot in self._shots if shot.start_ms <= at_ms < shot.end_ms)
        return next(closed, None)

    def _append(
        self, kind: FactKind, key: str, body: dict[str, Any], rows: Sequence[Outgoing] = ()
    ) -> bool:
        """Whether the fact is new."""
        new = self._journal.append(kind, key, body, rows, at_ms=self._clock.now_ms()).new
        if not new:
            known = self._journal.find(key)
            self._differing += known is not None and known.body != body
        return new

    # ------------------------------------------------------------------ states

    def _require_new(self, session: SessionFacts) -> None:
        if session.external_id != self._external_id:
            found = f"{session.external_id}"
            raise _bad(f"the session {self._external_id}", found, "keep one journal for each")
        if self._session is not None:
            raise _bad("to begin a session once", "it begun already", "go on with it")

    def _begun(self) -> SessionRow:
        if self._session is None:
            raise _bad("a session that is begun", "a fact before that", "begin it first")
        return self._session


def _outgoing(op: Op, row: Row) -> Outgoing:
    body = row.document()
    values.check(body)
    return Outgoing(op, row.key, body)


def _bad(expected: str, got: str, advice: str) -> BookError:
    return BookError(Code.BAD_VALUE, f"Expected {expected}, got {got}; {advice}.")


def _final(state: FinalState | Mapping[str, Any]) -> FinalState:
    if isinstance(state, FinalState):
        return state
    try:
        return FinalState.model_validate(state)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _bad(
            "the final state of a session", f"a wrong {place} ({first['msg']})", "correct it"
        ) from error
