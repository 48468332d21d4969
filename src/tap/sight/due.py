"""Which of a camera's frames a program picture shows, where the best match may mislead."""

import numpy as np

from tap.sight.camera import Camera
from tap.sight.evidence import Match

_MISLEADS = 6.0
"""Nats by which a mixture may prefer a wrong frame of a camera."""


def index_due(camera: Camera, at_ms: float, match: Match | None) -> int | None:
    """Which of a camera's frames is due at `at_ms`: in a mixture the match may well mislead,
    unless it is much the better; then the delay has drifted since. Without a match, as the camera
    was not looked at, by its delay; None where neither is known."""
    if match is None:
        known = camera.delay.ms is not None and len(camera.memory)
        return camera.memory.due(at_ms - (camera.delay.ms or 0.0)) if known else None
    late_ms = camera.delay.ms if camera.delay.locked else camera.mixed_ms
    if late_ms is None:
        return match.index
    due = int(np.searchsorted(match.times, at_ms - late_ms, side="right")) - 1
    best = int(np.argmax(match.curve))
    if due < 0 or match.curve[best] - match.curve[due] > _MISLEADS:
        return match.index
    return match.index + due - int(np.searchsorted(match.times, at_ms - match.lag_ms))


def index_in_time(camera: Camera, at_ms: float, match: Match) -> int:
    """The best of a camera's frames among those that its delay allows: while it or the program
    zooms, one of another moment may fit better, as long as it is not known how the camera lies."""
    if not camera.delay.locked:
        return match.index
    low, high = camera.delay.interval_ms
    lags, slack = at_ms - match.times, camera.memory.step_ms
    able = np.flatnonzero((lags >= low - slack) & (lags <= high + slack))
    if not len(able):
        return match.index
    first = match.index - int(np.searchsorted(match.times, at_ms - match.lag_ms))
    return first + int(able[np.argmax(match.curve[able])])
