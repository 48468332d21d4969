"""The core that live and replay share: ordered observations in, a checked record out.

It owns no thread, socket, file or clock. Frames and claims come in one order, by time; the same
order gives the same record, byte for byte.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from tap.judge import Judge, Tolerances
from tap.sight import Now, Sight, SightSettings
from tap.vocabulary import (
    PROGRAM,
    Claim,
    Coverage,
    Event,
    Frame,
    Gap,
    SessionName,
    Shot,
    ShotState,
    Verdict,
    Witness,
)


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of each fact, at the moment it is settled."""

    claim: Callable[[Claim], None] = lambda claim: None
    event: Callable[[Event], None] = lambda event: None
    shot: Callable[[Shot], None] = lambda shot: None
    verdict: Callable[[Verdict, Claim | None, Event | None], None] = lambda v, c, e: None


class Core:
    """Sight and judge, joined, and the record they make."""

    def __init__(
        self,
        cameras: Collection[str],
        *,
        sight: SightSettings,
        tolerances: Tolerances,
        listener: Listener | None = None,
    ) -> None:
        self._sight = Sight(tuple(cameras), sight)
        self._judge = Judge(cameras, tolerances)
        self._listener = listener or Listener()
        self._claims: dict[str, Claim] = {}
        self._events: dict[str, Event] = {}
        self._shots: list[Shot] = []
        self._running: Shot | None = None
        self._verdicts: list[Verdict] = []
        self._unseen: list[Gap] = []

    # ------------------------------------------------------------------ in

    def frame(self, frame: Frame) -> None:
        """The next frame of any feed, in order of time."""
        self._sight.see(frame)
        if frame.feed == PROGRAM:
            self._collect()

    def claim(self, claim: Claim) -> None:
        """The next claim, in order of receipt among the frames."""
        self.pass_time(claim.recv_ms)
        self._claims.setdefault(claim.id, claim)
        self._listener.claim(claim)
        self._judge.claim(claim)

    def pass_time(self, now_ms: float) -> None:
        """Time goes on without frames."""
        self._sight.pass_time(now_ms)
        self._collect()

    def finish(self) -> None:
        """Nothing follows: settle all that is open."""
        self._sight.finish()
        self._collect()
        if self._running is not None:
            self._close_shot()
        self._say(self._judge.close())

    # ------------------------------------------------------------------ out

    @property
    def now(self) -> Now | None:
        """Provisionally, what the program shows."""
        return self._sight.now

    @property
    def until_ms(self) -> float | None:
        """Everything before this time is settled."""
        return self._sight.until_ms

    @property
    def verdicts(self) -> list[Verdict]:
        """All verdicts so far, as they were given."""
        return self._verdicts

    def record(self, session: SessionName) -> Witness:
        """The whole record so far."""
        return Witness(
            session=session,
            shots=tuple(self._shots),
            events=tuple(sorted(self._events.values(), key=lambda e: (e.at_ms, e.id))),
            verdicts=tuple(
                sorted(self._verdicts, key=lambda v: (v.at_ms, v.event_id or "", v.claim_id or ""))
            ),
            cameras=self._sight.cameras_seen(),
            coverage=Coverage(
                program_frames=self._sight.program_frames, unseen=tuple(self._unseen)
            ),
        )

    # ------------------------------------------------------------------ what was settled

    def _collect(self) -> None:
        pieces, events = self._sight.take()
        for event in events:
            self._events[event.id] = event
            self._listener.event(event)
            self._judge.event(event)
        for piece, reason in pieces:
            self._judge.shot(piece, reason)
            self._join(piece, reason)
        until = self._sight.until_ms
        if until is not None and (pieces or events):
            self._say(self._judge.advance(until))

    def _join(self, piece: Shot, reason: str) -> None:
        """Pieces of one shot become that shot."""
        if piece.state is ShotState.UNSEEN:
            if self._unseen and self._unseen[-1][1:] == (piece.start_ms, reason):
                piece_start = self._unseen.pop()[0]
            else:
                piece_start = piece.start_ms
            self._unseen.append((piece_start, piece.end_ms, reason))
        running = self._running
        if running is None or _key(running) != _key(piece):
            if running is not None:
                self._close_shot()
            self._running = piece
            return
        old, new = running.end_ms - running.start_ms, piece.end_ms - piece.start_ms
        share = new / max(old + new, 1e-9)
        self._running = running.model_copy(
            update={
                "end_ms": piece.end_ms,
                "confidence": running.confidence + share * (piece.confidence - running.confidence),
                "runner_up": piece.runner_up or running.runner_up,
                "runner_up_confidence": running.runner_up_confidence
                + share * (piece.runner_up_confidence - running.runner_up_confidence),
            }
        )

    def _close_shot(self) -> None:
        shot = self._running
        if shot is not None:
            self._shots.append(shot)
            self._listener.shot(shot)

    def _say(self, verdicts: list[Verdict]) -> None:
        for verdict in verdicts:
            self._verdicts.append(verdict)
            claim = self._claims.get(verdict.claim_id) if verdict.claim_id else None
            event = self._events.get(verdict.event_id) if verdict.event_id else None
            self._listener.verdict(verdict, claim, event)


def _key(shot: Shot) -> tuple[object, ...]:
    return shot.state, shot.camera, shot.cameras
