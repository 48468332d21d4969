"""Wipes that uncover a camera which was never seen, and which the program mirrors.

A wipe is found by the matching (`match.mix`) where both cameras are in their places. One that lies
the other way round is not, and until it fills the picture the camera before it still explains the
rest of it best. So what is uncovered bit by bit is held against each such camera, turned.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tap.sight.behind import Behind, is_partly
from tap.sight.camera import Camera
from tap.sight.covering import Blocks
from tap.sight.crowd import FEW
from tap.sight.doubt import usual_level
from tap.sight.evidence import Evidence, Match
from tap.sight.eye import Eye
from tap.sight.placement import Placement
from tap.sight.views import Views
from tap.sight.zoom import Place

_CANDIDATES = 24
"""Frames of a camera that are tried first: it is not known how late it is."""
_AS_USUAL, _STANDS_OUT = 0.5, 2.5
"""In what is uncovered a camera must fit to this part as cameras usually do, and so many times
better than all others as they lie."""
_AGREE_MS = 80.0
"""Two pictures must tell of one camera, about as late in both."""
_TURNS = 3
"""Cameras that are tried with one picture, as long as none was found in the one before."""


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """A camera, by number, how it would lie, and how late it would be, in ms."""

    number: int
    placement: Placement
    late_ms: float


class TurnedFinder:
    """Follows program pictures in order. `place` gives a camera its new placement."""

    def __init__(
        self, eye: Eye, cameras: Sequence[Camera], place: Place, max_delay_ms: float
    ) -> None:
        self._eye = eye
        self._cameras = cameras
        self._place = place
        self._max_delay_ms = max_delay_ms
        self._behind = Behind(cameras)
        self._big: int | None = None
        self._most = 0
        """So many blocks of that camera were hidden when something was looked for in them last."""
        self._last: _Newcomer | None = None
        self._turn = 0

    def look(self, evidence: Evidence) -> bool:
        """Look for a camera in what is hidden of the best one, whenever that has become more. True
        if one was placed anew."""
        big = evidence.best
        match = evidence.matches[big] if big is not None else None
        if big is None or match is None or evidence.flat or len(self._cameras) > FEW:
            self._begin(None)
            return False
        hidden = self._behind.hidden(big, match)
        count = int(hidden.sum()) if is_partly(hidden) else 0
        if big != self._big or not count:
            self._begin(big)
        if count <= self._most:
            return False
        self._most = count
        last, self._last = self._last, self._find(match, hidden, evidence)
        found = self._last
        if last is None or found is None or abs(last.late_ms - found.late_ms) > _AGREE_MS:
            return False
        camera = self._cameras[found.number]
        camera.mixed_ms = found.late_ms
        self._place(camera, found.placement)
        self._begin(big)
        return True

    def _begin(self, big: int | None) -> None:
        self._big, self._most, self._last = big, 0, None

    def _find(self, match: Match, hidden: Blocks, evidence: Evidence) -> _Newcomer | None:
        """The camera that, turned, is what hides the best one; None if there is none."""
        usual, views = usual_level(self._cameras), Views(evidence.luma)
        information = float(match.information[hidden].sum())
        if usual is None or information <= 1:
            return None
        there = [one for one in evidence.matches if one is not None]
        others = max(float((m.blocks * m.information)[hidden].sum()) for m in there)
        best, found = max(_AS_USUAL * usual * information, _STANDS_OUT * others), None
        for number in self._able(evidence):
            camera = self._cameras[number]
            usually = camera.memory.placement
            turned = replace(usually, mirror=not usually.mirror)
            nats, index = self._fit(camera, turned, hidden, evidence.at_ms, views)
            if index >= 0 and nats > best:
                late_ms = evidence.at_ms - camera.memory.time(index)
                best, found = nats, _Newcomer(number, turned, late_ms)
        return found

    def _able(self, evidence: Evidence) -> list[int]:
        """The cameras to try: the one that was found in the picture before, else a few in turn."""
        if self._last is not None:
            return [self._last.number]
        able = [
            n
            for n, camera in enumerate(self._cameras)
            if not (camera.confirmed or n == self._big or n in evidence.blind)
        ]
        self._turn += _TURNS
        return [able[(self._turn + n) % len(able)] for n in range(min(_TURNS, len(able)))]

    def _fit(
        self, camera: Camera, placement: Placement, blocks: Blocks, at_ms: float, views: Views
    ) -> tuple[float, int]:
        """The most nats that a frame of a camera has in some blocks, and which; (0, -1) for none:
        some of its frames first, then those around the best."""
        part = camera.memory.within(at_ms - self._max_delay_ms, at_ms)
        stride = max(1, -(-(part.stop - part.start) // _CANDIDATES))
        first = part.start + -part.start % stride  # mostly the same frames: they are decoded once
        if first >= part.stop:
            return 0.0, -1

        def best_of(tried: range) -> tuple[float, int]:
            nats = self._eye.per_block(camera, views, placement, tried)[blocks].sum(axis=0)
            best = int(np.argmax(nats))
            return float(nats[best]), tried[best]

        _, rough = best_of(range(first, part.stop, stride))
        return best_of(range(max(part.start, rough - stride + 1), min(part.stop, rough + stride)))
