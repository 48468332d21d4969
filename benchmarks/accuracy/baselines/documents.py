"""What a baseline says, as a `tap-witness/1` document."""

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.baselines.pictures import Pictures

Picks = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]


def vote(picks: Picks) -> Picks:
    """Each frame takes the side of its two neighbours where both say the same."""
    voted = picks.copy()
    agreed = picks[:-2] == picks[2:]
    voted[1:-1][agreed] = picks[:-2][agreed]
    return voted


def of_cameras(
    shoot: Pictures, picks: Picks, confidence: Floats, delays: Mapping[str, float | None]
) -> dict[str, Any]:
    """The document of a baseline that names a camera (by its number) for each program frame."""
    names = list(shoot.cameras)
    times = shoot.program.times_ms
    shots: list[dict[str, Any]] = []
    for pick, run in groupby(range(len(picks)), lambda at: int(picks[at])):
        at = list(run)
        end = at[-1] + 1
        shots.append(
            {
                "startMs": float(times[at[0]]),
                "endMs": float(times[end]) if end < len(times) else _end_ms(shoot),
                "state": "live",
                "camera": names[pick],
                "cameras": [names[pick]],
                "confidence": float(np.clip(confidence[at].mean(), 0.0, 1.0)),
            }
        )
    cuts = [
        _cut(number, float(shot["startMs"]), before["camera"], shot["camera"], shot["confidence"])
        for number, (before, shot) in enumerate(pairwise(shots), start=1)
    ]
    cameras = [{"id": name, "delayMs": delays.get(name)} for name in names]
    return _document(shoot, shots, cuts, cameras)


def of_cuts(shoot: Pictures, times_ms: Sequence[float]) -> dict[str, Any]:
    """The document of a baseline that finds cuts but can't name cameras: it has no shots."""
    cuts = [
        _cut(number, at_ms, None, None, 1.0) for number, at_ms in enumerate(sorted(times_ms), 1)
    ]
    return _document(shoot, [], cuts, [{"id": name, "delayMs": None} for name in shoot.cameras])


def _end_ms(shoot: Pictures) -> float:
    return float(shoot.program.times_ms[-1]) + shoot.interval_ms


def _cut(
    number: int, at_ms: float, before: str | None, after: str | None, confidence: float
) -> dict[str, Any]:
    return {
        "id": f"e{number}",
        "type": "cut",
        "atMs": at_ms,
        "durationMs": 0.0,
        "from": before,
        "to": after,
        "confidence": confidence,
    }


def _document(
    shoot: Pictures,
    shots: list[dict[str, Any]],
    events: list[dict[str, Any]],
    cameras: list[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "format": "tap-witness/1",
        "session": {"externalId": shoot.session},
        "shots": shots,
        "events": events,
        "verdicts": [],
        "cameras": cameras,
        "coverage": {"programFrames": len(shoot.program.times_ms), "unseen": []},
    }
