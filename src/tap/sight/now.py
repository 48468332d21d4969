"""The provisional answer: what the newest program frame seems to show."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tap.sight.infer import Vector


@dataclass(frozen=True, slots=True)
class Now:
    """What the program seems to show, before anything after it has been seen."""

    at_ms: float
    camera: str | None
    confidence: float
    runner_up: str | None
    runner_up_confidence: float


def now_at(at_ms: float, belief: Vector, cameras: Sequence[str], most_sure: float) -> Now:
    """The answer at `at_ms` (Unix ms) from the honest belief (S,), cameras first."""
    likely = np.argsort(-belief[: len(cameras)])
    first, second = (*(int(n) for n in likely[:2]), None, None)[:2]
    live = int(np.argmax(belief)) < len(cameras)
    return Now(
        at_ms=at_ms,
        camera=cameras[first] if first is not None and live else None,
        confidence=min(most_sure, float(belief.max())),
        runner_up=cameras[second] if second is not None else None,
        runner_up_confidence=float(belief[second]) if second is not None else 0.0,
    )
