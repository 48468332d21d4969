"""A camera that fits best at another delay than it has: older pictures of it, or it is later now.

Older pictures of a camera that stands still are most of its present ones, but for what moves; and
where nothing moves they fit at any delay. What fits as ever, and picture by picture at the same
delay, has become so late: on a reconnect a path's delay jumps.
"""

from collections import deque

from tap.sight.settings import JUMP_MS

ELSEWHEN_MS = 300.0
"""How far outside the interval of its delay that is: more than a path's delay drifts between two
shots of a camera."""
_PACE, _OFTEN = 0.3, 0.25
"""Now and then an older picture fits at the right delay by chance: so judged over some frames."""
_TOLD, _STEADY = 4, 1.5
"""So many pictures in a row tell whether a delay is the same: to so many of the camera's steps."""


class Elsewhen:
    """Follows one camera, from picture to picture of the program."""

    def __init__(self) -> None:
        self._often = 0.0
        """How often of late it fitted best at a delay that it doesn't have, 0 .. 1."""
        self._lags: deque[tuple[int, float]] = deque(maxlen=_TOLD)
        """Of the last pictures, if it fitted as ever in all of them, which and how late."""

    @property
    def lag_ms(self) -> float | None:
        """How late it was in the last picture, if it may have become so late."""
        return self._lags[-1][1] if self._lags else None

    def look(
        self, index: int, lag_ms: float, high_ms: float, step_ms: float, *, as_ever: bool
    ) -> bool | None:
        """Whether picture `index`, which the camera explains best `lag_ms` late, and `as_ever`, is
        an older one of it; None if it can't be told yet. `high_ms`: the most that its delay may be;
        `step_ms`: the usual time between two of its pictures."""
        outside = lag_ms > high_ms + ELSEWHEN_MS
        if outside and as_ever and lag_ms <= high_ms + JUMP_MS:
            while self._lags and self._lags[-1][0] >= index:
                self._lags.pop()
            self._lags.append((index, lag_ms))
            if len(self._lags) < _TOLD:
                return None
            lags = [lag for _, lag in self._lags]
            outside = max(lags) - min(lags) > _STEADY * step_ms
        else:
            self._lags.clear()
        self._often += _PACE * (outside - self._often)
        return self._often > _OFTEN
