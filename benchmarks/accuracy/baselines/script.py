"""The weekend script: what one writes who needs the live camera by Monday.

Luma of 32x18 (black bars cut off, cameras cropped to the program's aspect) less its mean, over its
deviation; per camera the one delay of 0 to 3 s at which it correlates best with the whole program;
the camera that correlates best. Once more, each delay now from the frames which that camera won;
then a vote of three frames.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.baselines import documents
from benchmarks.accuracy.baselines.pictures import Bytes, Pictures, Times, pictures

LONGEST_DELAY_MS = 3000.0
STEP_MS = 1000.0 / 60
ROUNDS = 2
GAP_MS = 500.0
"""A camera's picture this far from the moment asked for says nothing of it."""

Floats = npt.NDArray[np.float32]


def run(folder: Path) -> dict[str, Any]:
    """The `tap-witness/1` document that the script makes of a shoot; it is sure by correlation."""
    shoot = pictures(folder)
    program = _normalised(shoot.program.script)
    names = [name for name, camera in shoot.cameras.items() if len(camera.times_ms)]
    alike = {name: program @ _normalised(shoot.cameras[name].script).T for name in names}
    picks = np.full(len(program), -1, np.intp)
    delays: dict[str, float | None] = {}
    level = np.full((len(program), len(shoot.cameras)), -1.0, np.float32)
    for _ in range(ROUNDS):
        for number, name in enumerate(shoot.cameras):
            if name in alike:
                times_ms = shoot.cameras[name].times_ms
                live = picks == number
                frames = np.flatnonzero(live) if live.any() else np.arange(len(program))
                delay = _best_delay(alike[name], frames, shoot, times_ms)
                level[:, number] = _level(alike[name], shoot, times_ms, delay)
                delays[name] = delay
        picks = level.argmax(1)
    picks = documents.vote(picks)
    sure = level[np.arange(len(picks)), picks].astype(np.float64)
    return documents.of_cameras(shoot, picks, sure, delays)


def _normalised(small: Bytes) -> Floats:
    """(n, 576), so that a product of two is their correlation."""
    flat = small.reshape(len(small), -1).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    out: Floats = flat / np.maximum(length, 1e-3)
    return out


def _best_delay(alike: Floats, frames: documents.Picks, shoot: Pictures, times_ms: Times) -> float:
    """The delay at which these program frames correlate best, in ms."""
    best = (-np.inf, 0.0)
    for delay in np.arange(0.0, LONGEST_DELAY_MS + 1.0, STEP_MS):
        at, near = _nearest(times_ms, shoot.program.times_ms[frames] - delay)
        total = float(np.where(near, alike[frames, at], -1.0).sum())
        best = max(best, (total, float(delay)), key=lambda one: one[0])
    return best[1]


def _level(alike: Floats, shoot: Pictures, times_ms: Times, delay_ms: float) -> Floats:
    at, near = _nearest(times_ms, shoot.program.times_ms - delay_ms)
    return np.where(near, alike[np.arange(len(alike)), at], np.float32(-1))


def _nearest(times_ms: Times, wanted_ms: Times) -> tuple[documents.Picks, npt.NDArray[np.bool_]]:
    """The picture nearest to each moment, and whether it is near at all."""
    after = np.clip(np.searchsorted(times_ms, wanted_ms), 0, len(times_ms) - 1)
    before = np.maximum(after - 1, 0)
    earlier = np.abs(times_ms[before] - wanted_ms) <= np.abs(times_ms[after] - wanted_ms)
    at = np.where(earlier, before, after)
    return at, np.abs(times_ms[at] - wanted_ms) <= GAP_MS
