"""How far a far camera's clock is ahead, from questions and answers. Pure.

The arithmetic is NTP's (RFC 5905, section 8): of four stamps the offset is known to within half of
the round trip. The sample with the shortest trip of the last half minute counts.
"""

import math
from collections import deque
from typing import NamedTuple

KEPT = 32
"""Samples, about one a second."""
LONGEST_TRIP_MS = 2000.0
DRIFT = 200e-6
"""How fast two clocks may drift apart: what an older sample is not sure of any more."""
SLACK_MS = 2.0
"""Two offsets that are further apart than their trips allow, and so much, can't both be true."""


_ROUNDING_MS = 0.01
"""Unix times in ms are held to a quarter of a microsecond: an answer may seem to come too soon."""


class Sample(NamedTuple):
    """Taken at `at_ms` on our own clock."""

    at_ms: float
    ahead_ms: float
    trip_ms: float

    def doubt_ms(self, now_ms: float) -> float:
        """How wrong it may be by now."""
        return self.trip_ms / 2.0 + DRIFT * max(0.0, now_ms - self.at_ms)


def sample(sent_ms: float, came_ms: float, left_ms: float, back_ms: float) -> Sample | None:
    """From when we asked, when that came and the answer left there, and when it was here; None
    where that can't be: a stranger may say what it likes."""
    trip_ms = (back_ms - sent_ms) - (left_ms - came_ms)
    ahead_ms = ((came_ms - sent_ms) + (left_ms - back_ms)) / 2.0
    held_ms = left_ms - came_ms
    if not (math.isfinite(trip_ms) and math.isfinite(ahead_ms) and held_ms >= 0.0):
        return None
    if not -_ROUNDING_MS <= trip_ms <= LONGEST_TRIP_MS:
        return None
    return Sample(back_ms, ahead_ms, max(0.0, trip_ms))


class Offset:
    """The offset of one other clock, estimated all the time."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=KEPT)
        self._contrary = 0
        self.steps = 0
        """How often the other clock was found to have been set."""

    def add(self, new: Sample) -> None:
        """Take a sample. One that contradicts the rest is doubted; two: a clock was set."""
        best = self.best(new.at_ms)
        if best is not None:
            apart_ms = abs(best.ahead_ms - new.ahead_ms)
            if apart_ms > best.doubt_ms(new.at_ms) + new.doubt_ms(new.at_ms) + SLACK_MS:
                self._contrary += 1
                if self._contrary < 2:
                    return
                self._samples.clear()
                self.steps += 1
        self._contrary = 0
        self._samples.append(new)

    def best(self, now_ms: float) -> Sample | None:
        """The sample to go by; None before the first."""
        return min(self._samples, key=lambda one: one.doubt_ms(now_ms), default=None)
