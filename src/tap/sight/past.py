"""A camera's longer past, thinned out: to tell an instant replay from a picture that is covered."""

import math
from collections import deque

import cv2
import numpy as np

from tap.sight.look import BLOCKS, PIXELS, Floats
from tap.sight.match import Seen, gains
from tap.sight.memory import Memory
from tap.vocabulary import Luma, Picture, is_looked_at, luma_of

_STEP_MS = 120.0
_KEEP_MS = 32_000.0
"""How far back replays are recognised."""
_SIDE = 160
"""Longer side, in px, of the pictures that are kept."""


class Past:
    """Pictures of one camera, one each eighth of a second, as far as somebody looked at them, and
    now and then one that nobody did."""

    def __init__(self, wait_ms: float = 0.0, sure_ms: float = math.inf) -> None:
        """`wait_ms`: so long a picture may yet be looked at; then those that were not are
        forgotten, but for one each `sure_ms`."""
        self._wait_ms = wait_ms
        self.sure_ms = sure_ms
        self._waiting: deque[tuple[float, Picture]] = deque()
        self._kept: deque[tuple[float, Luma]] = deque()
        self._last_ms = -math.inf
        self._units: Floats = np.zeros((BLOCKS, 0, PIXELS), np.float32)
        self._times: list[float] = []
        self._look: object = None

    def add(self, at_ms: float, picture: Picture) -> None:
        """Remember a picture, if the last one is old enough; forget what is too old."""
        if at_ms - self._last_ms < _STEP_MS:
            return
        self._last_ms = at_ms
        self._waiting.append((at_ms, picture))
        while self._waiting and self._waiting[0][0] <= at_ms - self._wait_ms:
            then_ms, old = self._waiting.popleft()
            if is_looked_at(old) or self._is_due(then_ms):
                self._kept.append((then_ms, _small(luma_of(old))))
        while self._kept and self._kept[0][0] < at_ms - _KEEP_MS:
            self._kept.popleft()

    def best(self, seen: Seen, memory: Memory, from_ms: float, to_ms: float) -> tuple[float, float]:
        """How well the best picture of a stretch of time explains a program's, 0 .. 1, and when it
        was taken, in ms. The camera's placement is its memory's."""
        self._freshen(memory, to_ms)
        first, last = np.searchsorted(self._times, (from_ms, to_ms))
        total = float(seen.information.sum())
        if first >= last or total <= 0:
            return 0.0, -math.inf
        nats = gains(seen, self._units[:, first:last])[0].sum(axis=0)
        best = int(nats.argmax())
        return float(nats[best]) / total, self._times[int(first) + best]

    def _is_due(self, at_ms: float) -> bool:
        return not self._kept or at_ms - self._kept[-1][0] >= self.sure_ms

    def _freshen(self, memory: Memory, before_ms: float) -> None:
        """Look at what was added since, or at everything where the placement has changed."""
        look = (memory.placement, memory.portrait, memory.cells)
        lumas = list(self._kept)
        for at_ms, picture in self._waiting:
            due = at_ms < before_ms and (not lumas or at_ms - lumas[-1][0] >= self.sure_ms)
            if is_looked_at(picture) or due:
                lumas.append((at_ms, luma_of(picture)))
        times = [at_ms for at_ms, _ in lumas]
        if look == self._look and times == self._times:
            return
        known = {} if look != self._look else {t: n for n, t in enumerate(self._times)}
        columns = [
            self._units[:, known[at_ms]]
            if at_ms in known
            else memory.look(luma, memory.placement, memory.portrait)[0]
            for at_ms, luma in lumas
        ]
        self._units = np.stack(columns, axis=1) if columns else self._units[:, :0]
        self._look, self._times = look, times


def _small(luma: Luma) -> Luma:
    """A picture as it is kept."""
    h, w = luma.shape
    shrink = _SIDE / max(h, w)
    if shrink >= 1:
        return luma
    size = max(1, round(w * shrink)), max(1, round(h * shrink))
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
