"""The core that live and replay share: ordered observations in, a checked record out.

It owns no thread, socket, file or clock. Frames and claims come in one order, by time; the same
order gives the same record, byte for byte.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import inf, nextafter

from tap.judge import Judge, Tolerances
from tap.sight import Now, Piece, Sight, SightSettings
from tap.vocabulary import (
    PROGRAM,
    Claim,
    Coverage,
    DelayAt,
    Event,
    Frame,
    Gap,
    LookAt,
    SessionName,
    Shot,
    ShotState,
    Verdict,
    Witness,
    when_asked,
)
from tap.witness.hindsight import Hindsight, in_hindsight
from tap.witness.order import GivenUp
from tap.witness.packed import Packed


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of each fact, at the moment it is settled."""

    event: Callable[[Event], None] = lambda event: None
    shot: Callable[[Shot], None] = lambda shot: None
    """Hears of shots in parts, none longer than some seconds, that partition time."""
    verdict: Callable[[Verdict, Claim | None, Event | None], None] = lambda v, c, e: None


NOTE_MS = 5000.0
"""A shot under way is told of this often, so that a crash loses little of it."""

BLIND = "tap was not running"

MEASURE_MS = 5000.0
"""A live camera's delay is noted no oftener than this."""


class Core:
    """Sight and judge, joined, and the record they make."""

    def __init__(
        self,
        cameras: Collection[str],
        *,
        sight: SightSettings,
        tolerances: Tolerances,
        listener: Listener | None = None,
        hindsight: bool = False,
        look_at: LookAt = when_asked,
    ) -> None:
        """With `hindsight`, all evidence is kept for `in_hindsight`. `look_at` as for `Sight`."""
        self._cameras = tuple(cameras)
        self._tolerances = tolerances
        self._sight = Sight(self._cameras, sight, keep_evidence=hindsight, look_at=look_at)
        self._judge = Judge(cameras, tolerances)
        self._listener = listener or Listener()
        self._claims: dict[str, Claim] = {}
        self._events = Packed(Event)
        self._places: dict[str, int] = {}
        """Where each event stands, by its id."""
        self._shots = Packed(Shot)
        self._running: Shot | None = None
        self._verdicts = Packed(Verdict)
        self._unseen: list[Gap] = []
        self._delays: dict[str, list[DelayAt]] = {camera: [] for camera in self._cameras}
        self._noted_ms = 0.0
        """Up to here the running shot has been told of."""
        self._looked_ms = -inf
        """Time of the newest program frame with which the judge was asked."""
        self._left_ms: float | None = None
        """Where an earlier run of tap stopped looking, until this one sees something."""

    # ------------------------------------------------------------------ in

    def frame(self, frame: Frame) -> None:
        """The next frame of any feed, in order of time."""
        self._sight.see(frame)
        if frame.feed == PROGRAM:
            self._collect()
            self._measure(frame.at_ms)

    def claim(self, claim: Claim) -> None:
        """The next claim, in order of receipt among the frames."""
        self.pass_time(claim.recv_ms)
        self._claims.setdefault(claim.id, claim)
        self._judge.claim(claim)

    def give_up(self, missed: GivenUp) -> None:
        """Frames that came, in order of time, and will not be looked at."""
        self._sight.give_up(missed.feed, missed.from_ms, missed.until_ms)
        self._collect()

    def pass_time(self, now_ms: float) -> None:
        """Time goes on without frames."""
        self._sight.pass_time(now_ms)
        self._collect()

    def restore(
        self, claims: Sequence[Claim], events: Sequence[Event], shots: Sequence[Shot]
    ) -> None:
        """Take up a session where an earlier run of tap left it; what it missed is unseen.

        Only verdicts are told of: the rest was told in that run.
        """
        listener, self._listener = self._listener, Listener(verdict=self._listener.verdict)
        for claim in claims:
            self._claims.setdefault(claim.id, claim)
            self._judge.claim(claim)
        for event in events:
            self._keep(event)
            self._judge.event(event)
        for shot in shots:
            self._judge.shot(shot, BLIND if shot.state is ShotState.UNSEEN else "")
            self._join(shot, BLIND)
        if self._running is not None:
            self._noted_ms = self._running.end_ms
            self._left_ms = self._running.end_ms
            self._say(self._judge.advance(self._left_ms))
        self._listener = listener

    def finish(self) -> None:
        """Nothing follows: settle all that is open."""
        self._sight.finish()
        self._collect()
        self._close_shot()
        self._running = None
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
    def program_frames(self) -> int:
        """How many pictures of the program were looked at so far."""
        return self._sight.program_frames

    @property
    def running(self) -> Shot | None:
        """The shot that is on, as far as it is settled."""
        return self._running

    @property
    def delays(self) -> dict[str, float]:
        """The delays measured so far, in ms by camera."""
        return {c.id: c.delay_ms for c in self._sight.cameras_seen() if c.delay_ms is not None}

    @property
    def verdicts(self) -> Packed[Verdict]:
        """All verdicts so far, as they were given."""
        return self._verdicts

    def record(self, session: SessionName) -> Witness:
        """The whole record so far."""
        return Witness(
            session=session,
            shots=tuple(self._shots),
            events=tuple(sorted(self._events, key=lambda e: (e.at_ms, e.id))),
            verdicts=tuple(
                sorted(self._verdicts, key=lambda v: (v.at_ms, v.event_id or "", v.claim_id or ""))
            ),
            cameras=tuple(
                seen.model_copy(update={"delays": tuple(self._delays[seen.id])})
                for seen in self._sight.cameras_seen()
            ),
            coverage=Coverage(
                program_frames=self._sight.program_frames,
                unseen=tuple(self._unseen),
                indistinguishable=self._sight.indistinguishable(),
            ),
        )

    def in_hindsight(self) -> Hindsight:
        """What would have been said knowing everything; after `finish`."""
        pieces, events = self._sight.in_hindsight()
        claims = list(self._claims.values())
        judge = Judge(self._cameras, self._tolerances)
        return in_hindsight(list(self._shots), pieces, events, claims, judge=judge)

    # ------------------------------------------------------------------ what was settled

    def _collect(self) -> None:
        pieces, events = self._sight.take()
        for event in events:
            self._keep(event)
            self._listener.event(event)
            self._judge.event(event)
        for piece, reason in self._after_pause(pieces):
            self._judge.shot(piece, reason)
            self._join(piece, reason)
        self._advance(anew=bool(pieces or events))

    def _keep(self, event: Event) -> None:
        if event.id not in self._places:
            self._places[event.id] = len(self._events)
            self._events.append(event)

    def _advance(self, *, anew: bool) -> None:
        """Let the judge decide, with each program frame that was looked at, or where something
        was told `anew`: never only because time went on, which live and replay tell differently.

        What comes at the very time of a frame, or begins where the pictures end, is yet to come.
        """
        until, now = self._sight.until_ms, self._sight.now
        looked_ms = now.at_ms if now is not None else -inf
        if until is None or not (anew or looked_ms > self._looked_ms):
            return
        self._looked_ms = looked_ms
        self._say(
            self._judge.advance(
                nextafter(until, -inf),
                heard_until_ms=nextafter(max(until, looked_ms), -inf),
                cuts_until=self._sight.cuts_until,
            )
        )

    def _measure(self, at_ms: float) -> None:
        """Note the live camera's delay from time to time: its course, not only its end."""
        live = self._running.camera if self._running is not None else None
        if live is None:
            return
        noted = self._delays[live]
        if noted and at_ms - noted[-1][0] < MEASURE_MS:
            return
        for seen in self._sight.cameras_seen():
            low, high = seen.delay_low_ms, seen.delay_high_ms
            if (
                seen.id == live
                and seen.delay_ms is not None
                and low is not None
                and high is not None
            ):
                noted.append((at_ms, seen.delay_ms, low, high))

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
            self._close_shot()
            self._running = piece
            self._noted_ms = piece.start_ms
        else:
            self._running = _joined(running, piece)
        if piece.end_ms - self._noted_ms >= NOTE_MS:
            self._note_shot()

    def _after_pause(self, pieces: list[Piece]) -> list[Piece]:
        """The pieces, led by the time in which tap itself was down, if it was."""
        left, first = self._left_ms, next(iter(pieces), None)
        if left is None or first is None:
            return pieces
        self._left_ms = None
        start_ms = first[0].start_ms
        if start_ms <= left:
            return pieces
        down = Shot(start_ms=left, end_ms=start_ms, state=ShotState.UNSEEN, confidence=1.0)
        return [(down, BLIND), *pieces]

    def _note_shot(self) -> None:
        """Tell of the part of the running shot that was not told of yet."""
        running = self._running
        if running is not None and running.end_ms > self._noted_ms:
            self._listener.shot(running.model_copy(update={"start_ms": self._noted_ms}))
            self._noted_ms = running.end_ms

    def _close_shot(self) -> None:
        if self._running is not None:
            self._note_shot()
            self._shots.append(self._running)

    def _say(self, verdicts: list[Verdict]) -> None:
        for verdict in verdicts:
            self._verdicts.append(verdict)
            claim = self._claims.get(verdict.claim_id) if verdict.claim_id else None
            place = self._places.get(verdict.event_id) if verdict.event_id else None
            event = self._events.at(place) if place is not None else None
            self._listener.verdict(verdict, claim, event)


def _joined(first: Shot, second: Shot) -> Shot:
    """Two neighbouring pieces of one shot as one; probabilities weighed by length."""
    share = (second.end_ms - second.start_ms) / max(second.end_ms - first.start_ms, 1e-9)

    def weigh(a: float, b: float) -> float:
        return a + share * (b - a)

    return first.model_copy(
        update={
            "end_ms": second.end_ms,
            "confidence": weigh(first.confidence, second.confidence),
            "runner_up": second.runner_up or first.runner_up,
            "runner_up_confidence": weigh(first.runner_up_confidence, second.runner_up_confidence),
        }
    )


def _key(shot: Shot) -> tuple[object, ...]:
    return shot.state, shot.camera, shot.cameras
