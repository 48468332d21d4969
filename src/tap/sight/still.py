"""Whether a camera's feed stands still: pictures that come and tell nothing of now.

A sensor never gives the very same picture twice. A feed that gave moving pictures and then repeats
one, but for what a codec polishes, has frozen: what the camera films meanwhile is not known. But a
graphic, a shared screen or a hard-pressed encoder repeats pictures as a matter of course, and must
not count as frozen for that; so each feed is held to its own habit.
"""

import cv2
import numpy as np

from tap.sight.memory import Memory
from tap.vocabulary import Gap, Luma

SAME_PICTURE = "the same picture again and again"
"""Why nothing is known of a camera that is frozen."""
_SAME_MEAN, _SAME_MOST = 0.02, 3.0
"""Grey levels, in the mean and at most, by which the same picture differs: H.264 and VP8 go on
polishing one that they are given again and again. The least of sensors has more noise."""
_FROZEN_MS, _FRAMES = 350.0, 4
"""The same picture for at least so long, in so many frames more than one, ..."""
_LONGER = 2.0
"""... and for so many times as long as the feed repeated any just before, is no new picture."""
_NEVER_MS, _AT_ONCE_MS, _AT_ONCE_FRAMES = 1500.0, 110.0, 2
"""A feed that for so long before repeated none at all is believed to have frozen this soon."""
_GAP_MS = 500.0
"""A shorter stretch is not told as a gap."""
_LOOKS, _STILL_PART, _PACE, _MOST = 8, 0.5, 0.02, 8
"""Looks that must have found another picture than the look before; and the part of looks that may
have found the same one, counted at that pace, no stretch for more than that many looks."""


class Stillness:
    """Follows one camera's pictures. Times in ms of its own frames."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._last: Luma | None = None
        self._last_ms = -np.inf
        self._same, self._changed = 0, 0
        self._still = 0.0
        """Part of the looks of late that found the same picture as the look before."""
        self._since_ms: float | None = None
        self._until_ms = 0.0
        self._gaps: list[Gap] = []

    @property
    def moves(self) -> bool:
        """Whether the feed is known to give new pictures all the time."""
        return self._changed >= _LOOKS and self._still < _STILL_PART

    def look(self, due_ms: float) -> None:
        """Look now and then at the picture of `due_ms`, in order of time: what is its habit?"""
        if not len(self._memory):
            return
        index = self._memory.due(due_ms)
        at_ms = self._memory.time(index)
        if at_ms == self._last_ms:
            return  # no frame since: that is a gap of another kind
        luma = self._memory.luma(index)
        last, self._last, self._last_ms = self._last, luma, at_ms
        if last is None:
            return
        if _equal(last, luma):
            self._same += 1
            self._follow(due_ms)
            return
        self._end(due_ms)
        for _ in range(min(self._same, _MOST)):
            self._still += _PACE * (1.0 - self._still)
        self._still -= _PACE * self._still
        self._changed += 1
        self._same = 0

    def is_frozen(self, due_ms: float) -> bool:
        """Whether the picture of `due_ms` is one of many equal ones, against the feed's habit."""
        return self._stands(due_ms)

    def repeats(self, due_ms: float) -> bool:
        """Whether it is but one of two equal ones, against the feed's habit: perhaps the first of
        many."""
        return self._stands(due_ms, suspect=True)

    def gaps(self) -> list[Gap]:
        """The stretches in which it stood still so far, as (start, end, why)."""
        return self._gaps + self._under_way(self._until_ms)

    # ------------------------------------------------------------------ runs of equal pictures

    def _stands(self, due_ms: float, *, suspect: bool = False) -> bool:
        if not self.moves or not len(self._memory):
            return False
        return self._run(self._memory.due(due_ms), suspect=suspect) is not None

    def _run(self, index: int, *, suspect: bool = False) -> tuple[float, float] | None:
        """[first, last] time of the frames equal to one, None if those are not too many."""
        memory = self._memory
        luma, whole = memory.luma(index), memory.within(-np.inf, np.inf)
        first = last = index
        while first > whole.start and _equal(memory.luma(first - 1), luma):
            first -= 1
        while last + 1 < whole.stop and _equal(memory.luma(last + 1), luma):
            last += 1
        times = memory.times(slice(first, last + 1))
        start_ms, end_ms = float(times[0]), float(times[-1])
        frames, lasted_ms = last - first, end_ms - start_ms
        if not frames or not (suspect or _is_long(frames, lasted_ms, at_once=True)):
            return None
        before_ms = self._longest(whole.start, first)
        known_ms = start_ms - memory.time(whole.start)
        at_once = before_ms == 0.0 and known_ms >= _NEVER_MS
        if not (suspect or _is_long(frames, lasted_ms, at_once=at_once)):
            return None
        return (start_ms, end_ms) if lasted_ms >= _LONGER * before_ms else None

    def _longest(self, start: int, stop: int) -> float:
        """The longest time for which the frames before repeated one picture."""
        longest = 0.0
        times = self._memory.times(slice(start, stop))
        since = 0
        for n in range(1, stop - start):
            if self._memory.is_given_up(start + n):
                continue
            if not _equal(self._memory.luma(start + n), self._memory.luma(start + n - 1)):
                since = n
            longest = max(longest, float(times[n] - times[since]))
        return longest

    # ------------------------------------------------------------------ gaps

    def _follow(self, due_ms: float) -> None:
        """The same picture as at the look before."""
        if self._since_ms is None and self.moves:
            run = self._run(self._memory.due(due_ms))
            self._since_ms = run[0] if run is not None else None
        self._until_ms = due_ms

    def _end(self, due_ms: float) -> None:
        """Another picture: what stood still does so no more."""
        self._gaps += self._under_way(due_ms)
        self._since_ms = None

    def _under_way(self, until_ms: float) -> list[Gap]:
        if self._since_ms is None or until_ms - self._since_ms < _GAP_MS:
            return []
        return [(self._since_ms, until_ms, SAME_PICTURE)]


def _is_long(frames: int, lasted_ms: float, *, at_once: bool) -> bool:
    if at_once:
        return frames >= _AT_ONCE_FRAMES and lasted_ms >= _AT_ONCE_MS
    return frames >= _FRAMES and lasted_ms >= _FROZEN_MS


def _equal(one: Luma, other: Luma) -> bool:
    if one is other:
        return True
    if one.shape != other.shape or cv2.norm(one, other, cv2.NORM_INF) > _SAME_MOST:
        return False
    return cv2.norm(one, other, cv2.NORM_L1) < _SAME_MEAN * one.size
