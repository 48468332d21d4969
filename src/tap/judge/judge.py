"""The judge: what was said against what was seen.

Every claim and every change of the program has a moment at which it is decided, fixed by its own
times. At that moment only what was known by then counts, so the verdicts don't depend on when the
caller asks for them: live and replayed sessions get the same ones, in the same order.
"""

import heapq
from collections.abc import Callable, Collection
from enum import IntEnum
from typing import Any, NamedTuple

from tap.judge import sentences
from tap.judge.cuts import Cuts
from tap.judge.faults import Faults
from tap.judge.holds import Hold, decide_hold
from tap.judge.pending import Change, Told
from tap.judge.proposals import Proposal, Proposals
from tap.judge.timeline import Timeline
from tap.judge.tolerances import Tolerances
from tap.vocabulary import COMMANDED, Claim, ClaimType, Event, Shot, Verdict, VerdictCode

_CLOCK_ERROR_MS = 60_000.0
"""How far a message's time may lie before its receipt: beyond that, the receipt counts."""


class _Step(IntEnum):
    """What is decided first where several things are due at once."""

    ARRIVE = 0
    SETTLE = 1
    CLAIM = 2
    HOLD = 3
    CHANGE = 4


class _Known(NamedTuple):
    """How far everything is known: pictures and messages (Unix ms), and hard cuts (a frame)."""

    seen_ms: float
    heard_ms: float
    cuts_until: int | None = None


_ALL = _Known(float("inf"), float("inf"))


class Judge:
    """Takes claims, shots and events as they become known; gives each verdict once, for good.

    Before `advance(t)` the caller hands in all claims received up to t, all events up to t, and
    shots that reach t: a shot still under way is given as the piece up to there, and goes on with
    the next piece. Claims come in order of receipt, shots and events in order of time. Time that
    no shot covers is time in which tap was blind.

    Pictures are told of later than messages: sight waits for what follows a picture. What the
    judge decides at a moment asks for pictures of up to `settle_ms` before it only, so it may run
    so far ahead of them, if all messages up to there are in (`heard_until_ms`).
    """

    def __init__(self, cameras: Collection[str], tolerances: Tolerances | None = None) -> None:
        self.cameras = frozenset(cameras)
        self._tolerances = tolerances or Tolerances()
        self._timeline = Timeline()
        self._cuts = Cuts(self._timeline, self._tolerances)
        self._faults = Faults()
        self._proposals = Proposals()
        self._holds: list[Hold] = []
        self._agenda: list[tuple[float, _Step, int, Any]] = []
        self._order = 0
        self._received_ms = float("-inf")
        self._verdicts: list[Verdict] = []

    # ------------------------------------------------------------------ what becomes known

    def claim(self, claim: Claim) -> None:
        """Take the next message."""
        self._received_ms = max(self._received_ms, claim.recv_ms)
        self._put(self._received_ms, _Step.ARRIVE, claim)

    def event(self, event: Event) -> None:
        """Take the next final event; kinds that nobody commands are left alone."""
        if event.type not in COMMANDED:
            return
        change = Change(event, self._next())
        self._cuts.changes.add(change)
        self._put(event.at_ms + self._tolerances.settle_ms, _Step.SETTLE, change, change.order)
        self._put(event.at_ms + self._tolerances.patience_ms, _Step.CHANGE, change, change.order)

    def shot(self, shot: Shot, reason: str = "") -> None:
        """Take the next final shot, or piece of one; `reason` says why it is unseen."""
        self._timeline.add(shot, reason)

    def advance(
        self,
        seen_until_ms: float,
        *,
        heard_until_ms: float | None = None,
        cuts_until: int | None = None,
    ) -> list[Verdict]:
        """What can be decided now that sight has decided up to `seen_until_ms`, in order.

        `heard_until_ms`: all claims received up to then are in; not given, up to `seen_until_ms`.
        `cuts_until`: all hard cuts up to and with this program frame are in, whatever the times.
        """
        until_ms = min(seen_until_ms, self._timeline.end_ms)
        heard_ms = until_ms if heard_until_ms is None else heard_until_ms
        verdicts = self._decide(_Known(until_ms, heard_ms, cuts_until))
        oldest_ms = min((hold.start_ms for hold in self._holds), default=until_ms)
        reach_ms = _CLOCK_ERROR_MS + 3 * self._tolerances.patience_ms
        keep_ms = min(oldest_ms, until_ms - reach_ms)
        self._timeline.forget(keep_ms)
        self._cuts.forget(keep_ms)
        return verdicts

    def close(self) -> list[Verdict]:
        """The session is over: decide all that is left. What the end cut off is `UNSEEN`."""
        verdicts = self._decide(_ALL)
        for hold in tuple(self._holds):
            hold.end_ms = max(hold.start_ms, self._timeline.end_ms)
            self._hold_due(float("inf"), hold)
        return verdicts + self._collect()

    # ------------------------------------------------------------------ the agenda

    def _next(self) -> int:
        self._order += 1
        return self._order

    def _put(self, due_ms: float, step: _Step, item: Any, order: int | None = None) -> None:
        place = self._next() if order is None else order
        heapq.heappush(self._agenda, (due_ms, step, place, item))

    def _is_due(self, known: _Known) -> bool:
        """Whether all is known that the next item of the agenda asks for."""
        due_ms, step, _, item = self._agenda[0]
        if due_ms > known.heard_ms or due_ms - self._tolerances.settle_ms >= known.seen_ms:
            return False
        if due_ms <= known.seen_ms:
            return True
        if step is _Step.ARRIVE:  # of a still is told what the program showed just then
            return item.type is not ClaimType.STILL
        return step is not _Step.SETTLE or self._stands(item, known)

    def _stands(self, change: Change, known: _Known) -> bool:
        """Whether no cut can come any more that takes a change back."""
        first = change.event.frame
        if first is None or known.cuts_until is None:
            return False
        return known.cuts_until >= first + self._tolerances.revert_frames

    def _decide(self, known: _Known) -> list[Verdict]:
        steps: dict[_Step, Callable[[float, Any], None]] = {
            _Step.ARRIVE: self._arrive,
            _Step.SETTLE: self._settle,
            _Step.CLAIM: self._claim_due,
            _Step.HOLD: self._hold_due,
            _Step.CHANGE: self._change_due,
        }
        while self._agenda and self._is_due(known):
            now_ms, step, _, item = heapq.heappop(self._agenda)
            steps[step](now_ms, item)
        return self._collect()

    def _collect(self) -> list[Verdict]:
        verdicts, self._verdicts = self._verdicts, []
        return verdicts

    def _say(self, verdict: Verdict | None) -> None:
        if verdict is not None:
            self._verdicts.append(verdict)

    def _note(self, claim: Claim, text: str, code: VerdictCode = VerdictCode.NOTED) -> None:
        self._say(Verdict(code=code, claim_id=claim.id, at_ms=claim.at_ms, confidence=1, text=text))

    # ------------------------------------------------------------------ messages

    def _arrive(self, now_ms: float, claim: Claim) -> None:
        """A message came in: its effect, and its verdict where no picture has a say in it."""
        fault = self._faults.of(claim)
        text = sentences.noted(claim)
        match claim.type:
            case ClaimType.CUT if claim.camera is not None:
                self._tell(now_ms, claim, claim.camera, fault)
                return
            case ClaimType.HOLD if fault is None:
                self._holds.append(Hold(claim, self._next()))
                return
            case _ if fault is VerdictCode.DUPLICATE:
                pass
            case ClaimType.ACCEPT:
                answer = self._proposals.accept(claim)
                if isinstance(answer, Proposal):
                    self._tell(now_ms, claim, answer.camera, fault)
                    return
                text = sentences.no_effect(claim, answer)
            case ClaimType.VETO:
                answer = self._proposals.veto(claim)
                if isinstance(answer, Proposal):
                    text = sentences.vetoed(answer.camera)
                else:
                    text = sentences.no_effect(claim, answer)
            case ClaimType.PROPOSAL:
                self._proposals.propose(claim)
            case ClaimType.RELEASE:
                text = sentences.released(self._release(claim))
            case ClaimType.SESSION_END:
                self._release(claim)
            case _:
                pass
        if fault is not None:
            self._note(claim, sentences.at_fault(fault), fault)
        else:
            self._note(claim, text)

    def _tell(self, now_ms: float, claim: Claim, camera: str, fault: VerdictCode | None) -> None:
        due_ms = max(now_ms, claim.at_ms + self._tolerances.patience_ms)
        told = Told(claim, self._next(), camera, due_ms, fault)
        self._say(self._cuts.tell(told))
        self._put(due_ms, _Step.CLAIM, told, told.order)

    def _claim_due(self, _: float, told: Told) -> None:
        self._say(self._cuts.decide_told(told))

    # ------------------------------------------------------------------ changes

    def _settle(self, now_ms: float, change: Change) -> None:
        self._say(self._cuts.settle(change, now_ms))

    def _change_due(self, now_ms: float, change: Change) -> None:
        later_ms = self._cuts.wait_for(change)
        if later_ms is not None and later_ms > now_ms:
            self._put(later_ms, _Step.CHANGE, change, change.order)
        else:
            self._say(self._cuts.decide_change(change))

    # ------------------------------------------------------------------ holds

    def _release(self, claim: Claim) -> int:
        """End all holds that last; says how many."""
        lasting = [hold for hold in self._holds if hold.end_ms is None]
        for hold in lasting:
            hold.end_ms = max(hold.start_ms, claim.at_ms)
            self._put(hold.end_ms + self._tolerances.patience_ms, _Step.HOLD, hold, hold.order)
        return len(lasting)

    def _hold_due(self, _: float, hold: Hold) -> None:
        self._holds.remove(hold)
        end_ms = hold.start_ms if hold.end_ms is None else hold.end_ms
        changes = self._cuts.seen_between(hold.start_ms, end_ms)
        self._say(decide_hold(hold, changes, self._timeline))
