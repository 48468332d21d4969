"""Curves of the cameras' delays as geometry, and how far each drifts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tap.report import wording
from tap.vocabulary import CameraSeen, DelayAt

WIDTH, HEIGHT = 560.0, 120.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 10.0, 8.0, 20.0
MOST_POINTS = 400
LEAST_SPAN_MS = 40.0
"""The least that the ordinate spans: what is flat should look flat."""
JUMP_MS = 60.0


@dataclass(frozen=True, slots=True)
class Curve:
    """One camera's delay over the session. `band` is what the evidence does not exclude."""

    camera: str
    line: str
    """Points of a polyline."""
    band: str
    """Points of a polygon."""
    ticks: tuple[tuple[float, str], ...]
    """(y, label) of the ordinate."""
    words: str


def curves(cameras: Sequence[CameraSeen], start_ms: float, end_ms: float) -> tuple[Curve, ...]:
    """A curve for each camera that was measured at least twice."""
    return tuple(
        _curve(seen, start_ms, end_ms)
        for seen in cameras
        if len(seen.delays) >= 2 and end_ms > start_ms
    )


def drift_ppm(points: Sequence[DelayAt]) -> float | None:
    """How the delay grows, in ms per 1,000 s (ppm): a straight line by least squares.

    None for less than a minute, where it would say nothing.
    """
    if len(points) < 3 or points[-1][0] - points[0][0] < 60_000:
        return None
    middle = sum(p[0] for p in points) / len(points)
    mean = sum(p[1] for p in points) / len(points)
    spread = sum((p[0] - middle) ** 2 for p in points)
    return sum((p[0] - middle) * (p[1] - mean) for p in points) / spread * 1e6


def _curve(seen: CameraSeen, start_ms: float, end_ms: float) -> Curve:
    every = -(-len(seen.delays) // MOST_POINTS)
    points = seen.delays[::every]
    low, high = min(p[2] for p in points), max(p[3] for p in points)
    spare = max(0.0, LEAST_SPAN_MS - (high - low)) / 2
    low, high = low - spare, high + spare

    def x(at_ms: float) -> float:
        share = min(1.0, max(0.0, (at_ms - start_ms) / (end_ms - start_ms)))
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(delay_ms: float) -> float:
        return round(TOP + (high - delay_ms) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    upper = [f"{x(p[0])},{y(p[3])}" for p in points]
    lower = [f"{x(p[0])},{y(p[2])}" for p in reversed(points)]
    return Curve(
        camera=wording.clip(seen.id, 64),
        line=" ".join(f"{x(p[0])},{y(p[1])}" for p in points),
        band=" ".join([*upper, *lower]),
        ticks=tuple((y(value), f"{value:.0f} ms") for value in (low, (low + high) / 2, high)),
        words=_words(seen.delays),
    )


def _words(points: Sequence[DelayAt]) -> str:
    first, last = points[0], points[-1]
    low, high = min(p[1] for p in points), max(p[1] for p in points)
    said = f"From {first[1]:.0f} to {last[1]:.0f} ms, between {low:.0f} and {high:.0f}"
    jumps = sum(abs(b[1] - a[1]) >= JUMP_MS for a, b in pairwise(points))
    if jumps:  # a straight line through a jump says nothing
        return f"{said}; {wording.count(jumps, 'jump')} of {JUMP_MS:.0f} ms or more."
    drift = drift_ppm(points)
    return f"{said}." if drift is None else f"{said}; drift {round(drift) or 0:+d} ppm."
