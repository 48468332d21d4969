"""What the program showed when: the shots as far as they are known, and where tap was blind."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from tap.vocabulary import Event, Shot, ShotState

_NOT_YET = "tap had not begun to look"
_NO_MORE = "the session ended"
_UNTOLD = "tap was blind"
_HOLE = "no picture of the program"
_JITTER_MS = 0.5


class Blind(NamedTuple):
    """A stretch that was asked about and not seen."""

    start_ms: float
    end_ms: float
    reason: str


class Timeline:
    """Shots, or pieces of them, in order. What they don't cover counts as not seen."""

    def __init__(self) -> None:
        self._shots: list[Shot] = []
        self._reasons: list[str] = []
        self._begun = False
        self.end_ms = float("-inf")

    def add(self, shot: Shot, reason: str) -> None:
        """Append the next shot; `reason` says why it is unseen, where it is."""
        self._shots.append(shot)
        self._reasons.append(reason)
        self.end_ms = max(self.end_ms, shot.end_ms)

    def between(self, start_ms: float, end_ms: float) -> Sequence[Shot]:
        """The shots that overlap [start, end]."""
        first, last = self._span(start_ms, end_ms)
        return self._shots[first:last]

    def at(self, at_ms: float) -> Shot | None:
        """The shot that covers a moment."""
        place = bisect_right(self._shots, at_ms, key=lambda shot: shot.start_ms) - 1
        shot = self._shots[place] if place >= 0 else None
        return shot if shot is not None and at_ms < shot.end_ms else None

    def blind(self, start_ms: float, end_ms: float) -> Blind | None:
        """The first stretch within [start, end] that was not seen, if there is one."""
        reached = start_ms
        first, last = self._span(start_ms, end_ms)
        for place in range(first, last):
            shot = self._shots[place]
            if shot.start_ms - reached > _JITTER_MS:
                reason = _HOLE if place or self._begun else _NOT_YET
                return Blind(reached, shot.start_ms, reason)
            if shot.state is ShotState.UNSEEN:
                return self._unseen_from(place, start_ms, end_ms)
            reached = max(reached, shot.end_ms)
        if first == last or end_ms - reached > _JITTER_MS:
            before = not self._shots or end_ms < self._shots[0].start_ms
            return Blind(reached, end_ms, _NOT_YET if before else _NO_MORE)
        return None

    def landing(self, event: Event, until_ms: float) -> Shot | None:
        """What the program showed once the change was over, looking no further than `until_ms`."""
        over_ms = event.at_ms + event.duration_ms
        for shot in self.between(over_ms, until_ms):
            if shot.end_ms > over_ms + _JITTER_MS and shot.state is not ShotState.TRANSITION:
                return shot
        return None

    def confidence(self, start_ms: float, end_ms: float) -> float:
        """The least confidence of what was seen in [start, end]; 1 where there is nothing."""
        seen = [
            shot.confidence
            for shot in self.between(start_ms, end_ms)
            if shot.state is not ShotState.UNSEEN
        ]
        return min(seen, default=1.0)

    def forget(self, before_ms: float) -> None:
        """Drop the shots that ended before."""
        count = 0
        while count < len(self._shots) and self._shots[count].end_ms < before_ms:
            count += 1
        if count:
            self._begun = True
            del self._shots[:count], self._reasons[:count]

    def _unseen_from(self, place: int, start_ms: float, end_ms: float) -> Blind:
        """The whole unseen stretch that begins with a piece of it."""
        first, reason = self._shots[place], self._reasons[place]
        until_ms = first.end_ms
        for shot, why in zip(self._shots[place + 1 :], self._reasons[place + 1 :], strict=True):
            if shot.state is not ShotState.UNSEEN or why != reason or until_ms >= end_ms:
                break
            until_ms = shot.end_ms
        return Blind(max(first.start_ms, start_ms), min(until_ms, end_ms), reason or _UNTOLD)

    def _span(self, start_ms: float, end_ms: float) -> tuple[int, int]:
        """Places of the shots that overlap [start, end]."""
        first = max(0, bisect_right(self._shots, start_ms, key=lambda shot: shot.start_ms) - 1)
        last = bisect_right(self._shots, end_ms, key=lambda shot: shot.start_ms)
        if first < last and self._shots[first].end_ms <= start_ms:
            first += 1
        return first, last
