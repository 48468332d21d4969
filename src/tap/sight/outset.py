"""A zoom that sets out while something comes over the picture: it fits too badly to be believed at
once, but goes on from frame to frame, which a camera that was cut to does not."""

from itertools import pairwise

from tap.sight.motion import same_way, speed, step, zooms
from tap.sight.placement import Placement

_FRAMES, _APART = 4, 2
"""Frames in which it must have been found, no more than so many apart."""
_LEAST, _MOST = 0.002, 0.025
"""How far an edge moves from one frame to the next, as a part of the picture."""


class Outset:
    """Follows where a camera fits best from frame to frame, though it is not believed."""

    def __init__(self) -> None:
        self._found: list[tuple[int, Placement]] = []

    def sets_out(self, index: int, rest: Placement, placement: Placement) -> bool:
        """Whether a camera that lay at `rest` and fits best at `placement` in frame `index` has
        begun to zoom: further with every frame, and evenly."""
        gone_on = self._found and 0 < index - self._found[-1][0] <= _APART
        self._found = [*(self._found[1 - _FRAMES :] if gone_on else []), (index, placement)]
        if len(self._found) < _FRAMES or not zooms(rest, placement):
            return False
        speeds = [speed(a.of, b.of, n - m) for (m, a), (n, b) in pairwise(self._found)]
        even = all(same_way(one, other) for one, other in pairwise(speeds))
        steps = [step(a, b) / (n - m) for (m, a), (n, b) in pairwise(self._found)]
        ways = [step(rest, one) for _, one in self._found]
        further = all(a < b for a, b in pairwise(ways))
        return even and further and all(_LEAST <= one <= _MOST for one in steps)
