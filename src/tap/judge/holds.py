"""Holds: between `hold` and `release` the program is to stay as it is."""

from collections.abc import Iterable
from dataclasses import dataclass

from tap.judge import sentences
from tap.judge.timeline import Timeline
from tap.vocabulary import Claim, Event, Shot, ShotState, Verdict, VerdictCode


@dataclass(slots=True, eq=False)
class Hold:
    """A hold that is not decided yet. `end_ms` is None while it lasts."""

    claim: Claim
    order: int
    end_ms: float | None = None

    @property
    def start_ms(self) -> float:
        """Unix ms."""
        return self.claim.at_ms


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A change that has its verdict: what it was, and the message it belongs to, if any."""

    event: Event
    order: int
    told_ms: float | None = None
    in_time: bool = False

    @property
    def at_ms(self) -> float:
        """Unix ms."""
        return self.event.at_ms


def decide_hold(hold: Hold, changes: Iterable[Judged], timeline: Timeline) -> Verdict:
    """The verdict on a hold that is over. The change that broke it has a verdict of its own."""
    start_ms = hold.start_ms
    end_ms = start_ms if hold.end_ms is None else hold.end_ms
    broken = _first_break(start_ms, end_ms, changes)
    blind = timeline.blind(start_ms, end_ms)
    joined = _joined(start_ms, end_ms, timeline)
    if broken is not None:
        code, confidence = VerdictCode.HOLD_BROKEN, broken.confidence
        text = sentences.hold_broken(broken, start_ms)
    elif joined is not None:
        code, confidence = VerdictCode.HOLD_BROKEN, joined.confidence
        text = sentences.hold_joined(joined, start_ms)
    elif blind is not None:
        code, confidence = VerdictCode.UNSEEN, 1.0
        text = sentences.unseen("A hold", start_ms, blind)
    else:
        code, confidence = VerdictCode.HOLD_KEPT, timeline.confidence(start_ms, end_ms)
        text = sentences.hold_kept(hold.claim, timeline.at(end_ms), end_ms - start_ms)
    return Verdict(
        code=code, claim_id=hold.claim.id, at_ms=start_ms, confidence=confidence, text=text
    )


def _first_break(start_ms: float, end_ms: float, changes: Iterable[Judged]) -> Event | None:
    """The first change that broke a hold.

    A change that was told before the hold began, or in time after its release, is no break: only
    its picture falls into the hold.
    """
    for change in changes:
        told_ms = change.told_ms
        told_before = told_ms is not None and told_ms <= start_ms
        told_after = told_ms is not None and told_ms >= end_ms and change.in_time
        if start_ms <= change.at_ms < end_ms and not told_before and not told_after:
            return change.event
    return None


def _joined(start_ms: float, end_ms: float, timeline: Timeline) -> Shot | None:
    """The picture in which a second camera came in beside the held one (that is no cut)."""
    before = timeline.at(start_ms)
    if before is not None and before.state is ShotState.COMPOSED:
        return None
    for shot in timeline.between(start_ms, end_ms):
        if shot.state is ShotState.COMPOSED and start_ms <= shot.start_ms < end_ms:
            return shot
    return None
