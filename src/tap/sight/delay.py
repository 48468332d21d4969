"""How late the program shows a camera: one tracker per camera.

Evidence for each delay is summed over the frames in which the camera is live; in a still scene all
delays fit equally and the sum says so by its width.
"""

import math

import numpy as np
import numpy.typing as npt

_STEP_MS = 5.0
_MEMORY = 120.0
"""Frames after which old evidence weighs 1/e: lets the delay drift and jump."""
_DRIFT, _AT_MOST = 0.007, 8
"""A delay drifts by this part of the time (400 ms a minute), and while nobody looks by so many
steps of the grid at most: however long that is, what was known is about so."""
_STEEPEST = 30.0
"""Nats by which a delay may be held to be likelier than the next on the grid: what is seen of
another is believed the sooner, the nearer it is."""
_AGAINST = 50.0
"""Most nats that one picture says against a delay: else few pictures would outvote many."""
_SOFT = 0.05
_SHARP = 0.1
"""Tempering of the evidence for the interval and for the centre: see SightSettings."""
_MOVED = 1.0
"""Nats between the best and the worst frame below which a scene counts as still."""
_LOCKED_WIDTH_MS = 120.0
_SPREAD_MS = 50.0
_WORST = 20.0
"""Most nats a candidate loses for an unusual delay: a prior breaks ties, it never overrules."""


class Delay:
    """Tracks one camera's delay, in ms; negative if the camera's clock runs ahead."""

    def __init__(self, low_ms: float, high_ms: float) -> None:
        self._grid = np.arange(low_ms, high_ms + _STEP_MS, _STEP_MS)
        self._score = np.zeros_like(self._grid)
        self._since_ms: float | None = None
        """Up to when it is taken into account how far the delay may have drifted."""
        self._centre: float | None = None
        self._low = low_ms
        self._high = high_ms

    @property
    def ms(self) -> float | None:
        """The delay, None as long as the camera was never live."""
        return self._centre

    @property
    def interval_ms(self) -> tuple[float, float]:
        """The delays that the evidence does not exclude."""
        return self._low, self._high

    @property
    def locked(self) -> bool:
        """Whether it is known well enough to search only near it."""
        return self._centre is not None and self._high - self._low <= _LOCKED_WIDTH_MS

    def toll(self, lags_ms: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Nats (n,) >= 0 that candidates at these lags lose for being unusual."""
        if self._centre is None:
            return np.zeros_like(lags_ms)
        outside = np.maximum(0.0, np.maximum(self._low - lags_ms, lags_ms - self._high))
        near = np.abs(lags_ms - self._centre)
        toll = 0.5 * (outside / _SPREAD_MS) ** 2 + 0.01 * near / _SPREAD_MS
        out: npt.NDArray[np.float64] = np.minimum(toll, _WORST)
        return out

    def learn(
        self, at_ms: float, times_ms: npt.NDArray[np.float64], nats: npt.NDArray[np.float64]
    ) -> None:
        """Add one live program frame: nats (n,) of the camera's frames at times (n,) ascending."""
        if float(nats.max() - nats.min()) < _MOVED:  # nothing moves: every delay fits
            if self._centre is None:
                self._centre = at_ms - float(np.median(times_ms))
            return
        # A camera's frame is on screen until its next one: a delay d shows the newest frame
        # that is not younger than at_ms - d.
        shown = np.searchsorted(times_ms, at_ms - self._grid, side="right") - 1
        known = shown >= 0
        gained = np.where(known, nats[np.maximum(shown, 0)], nats.min()) - float(nats.max())
        self._drift(at_ms)
        self._score = self._score * math.exp(-1.0 / _MEMORY) + np.maximum(gained, -_AGAINST)
        below = self._score - float(self._score.max())
        inside = np.flatnonzero(_SOFT * below > -2.0)
        weight = np.exp(_SHARP * below[inside])
        self._centre = float((weight * self._grid[inside]).sum() / weight.sum())
        self._low = float(self._grid[inside[0]]) - _STEP_MS
        self._high = float(self._grid[inside[-1]]) + _STEP_MS

    def _drift(self, at_ms: float) -> None:
        """Since the last frame the delay may have changed: to each from those around it."""
        score, since_ms = self._score, at_ms if self._since_ms is None else self._since_ms
        passed = max(0, int(_DRIFT * (at_ms - since_ms) / _STEP_MS))
        if steps := min(passed, _AT_MOST):
            around = np.pad(score, steps, mode="edge")
            score = np.lib.stride_tricks.sliding_window_view(around, 2 * steps + 1).max(axis=1)
        self._since_ms = since_ms + passed * _STEP_MS / _DRIFT
        ramp = _STEEPEST * np.arange(len(score))
        up = np.maximum.accumulate(score + ramp) - ramp
        down = np.maximum.accumulate((score - ramp)[::-1])[::-1] + ramp
        self._score = np.maximum(up, down)
