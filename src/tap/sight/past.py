"""A camera's longer past, thinned out: to tell an instant replay from a picture that is covered."""

from collections import deque

import numpy as np

from tap.sight.look import BLOCKS, PIXELS, Floats
from tap.sight.match import Doubles, Seen, gains
from tap.sight.memory import Memory
from tap.vocabulary import Luma

_STEP_MS = 120.0
_KEEP_MS = 32_000.0
"""How far back replays are recognised."""


class Past:
    """Pictures of one camera, one each eighth of a second."""

    def __init__(self) -> None:
        self._lumas: deque[tuple[float, Luma]] = deque()
        self._units: Floats = np.zeros((BLOCKS, 0, PIXELS), np.float32)
        self._looked_ms: Doubles = np.zeros(0)
        self._look: object = None

    def add(self, at_ms: float, luma: Luma) -> None:
        """Remember a picture, if the last one is old enough; forget what is too old."""
        if self._lumas and at_ms - self._lumas[-1][0] < _STEP_MS:
            return
        self._lumas.append((at_ms, luma))
        while self._lumas[0][0] < at_ms - _KEEP_MS:
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
        look = (memory.placement, memory.portrait)
        known = {} if look != self._look else {t: n for n, t in enumerate(self._looked_ms)}
        self._look = look
        columns = [
            self._units[:, known[at_ms]]
            if at_ms in known
            else Memory.look(luma, memory.placement, memory.portrait)[0]
            for at_ms, luma in self._lumas
        ]
        self._units = np.stack(columns, axis=1) if columns else self._units[:, :0]
        self._looked_ms = np.array([at_ms for at_ms, _ in self._lumas])
