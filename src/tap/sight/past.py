"""A camera's longer past, thinned out: to tell an instant replay from a picture that is covered."""

import math
from collections import deque

import numpy as np

from tap.sight.look import BLOCKS, PIXELS, Floats
from tap.sight.match import Doubles, Seen, gains
from tap.sight.memory import Memory
from tap.vocabulary import Luma, Picture, Undecoded, luma_of

_STEP_MS = 120.0
_KEEP_MS = 32_000.0
"""How far back replays are recognised."""


class Past:
    """Pictures of one camera, one each eighth of a second, as far as somebody looked at them."""

    def __init__(self, wait_ms: float = 0.0) -> None:
        """`wait_ms`: so long a picture may yet be looked at; then one that was not is forgotten."""
        self._wait_ms = wait_ms
        self._waiting: deque[tuple[float, Picture]] = deque()
        self._lumas: deque[tuple[float, Luma]] = deque()
        self._last_ms = -math.inf
        self._units: Floats = np.zeros((BLOCKS, 0, PIXELS), np.float32)
        self._looked_ms: Doubles = np.zeros(0)
        self._look: object = None

    def add(self, at_ms: float, picture: Picture) -> None:
        """Remember a picture, if the last one is old enough; forget what is too old."""
        if at_ms - self._last_ms < _STEP_MS:
            return
        self._last_ms = at_ms
        self._waiting.append((at_ms, picture))
        while self._waiting and self._waiting[0][0] <= at_ms - self._wait_ms:
            then_ms, old = self._waiting.popleft()
            if _looked_at(old):
                self._lumas.append((then_ms, luma_of(old)))
        while self._lumas and self._lumas[0][0] < at_ms - _KEEP_MS:
            self._lumas.popleft()

    def fit(self, seen: Seen, weights: Doubles, memory: Memory, before_ms: float) -> float:
        """How well the best picture from before `before_ms` explains the blocks, 0 .. 1.

        `weights` (32,) of the blocks; the camera's placement is its memory's.
        """
        self._freshen(memory)
        count = int(np.searchsorted(self._looked_ms, before_ms))
        total = float((weights * seen.information).sum())
        if not count or total <= 0:
            return 0.0
        nats, _ = gains(seen, self._units[:, :count])
        return float((weights @ nats).max()) / total

    def _freshen(self, memory: Memory) -> None:
        """Look at what was added since, or at everything where the placement has changed."""
        look = (memory.placement, memory.portrait, memory.cells)
        known = {} if look != self._look else {t: n for n, t in enumerate(self._looked_ms)}
        self._look = look
        lumas = [*self._lumas, *((t, luma_of(p)) for t, p in self._waiting if _looked_at(p))]
        columns = [
            self._units[:, known[at_ms]]
            if at_ms in known
            else memory.look(luma, memory.placement, memory.portrait)[0]
            for at_ms, luma in lumas
        ]
        self._units = np.stack(columns, axis=1) if columns else self._units[:, :0]
        self._looked_ms = np.array([at_ms for at_ms, _ in lumas])


def _looked_at(picture: Picture) -> bool:
    return not isinstance(picture, Undecoded) or picture.looked_at
