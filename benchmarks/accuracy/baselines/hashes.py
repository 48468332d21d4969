"""Perceptual hashes: each program picture against every camera picture of the last 3 s.

The camera with the nearest hash is live, at a tie the one before it; a vote of three frames.
dHash is as in Krawetz, pHash as in the `imagehash` package, both of 64 bits.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.baselines import documents
from benchmarks.accuracy.baselines.pictures import Bytes, Greys, Pictures, pictures

WINDOW_MS = 3000.0
BITS = 64

Signs = npt.NDArray[np.float32]
"""(n, 64) hashes of bits that are 1 and -1: the product of two is 64 less twice their distance."""


def dhash(folder: Path) -> dict[str, Any]:
    """The `tap-witness/1` document by dHash; it is as sure as bits agree."""
    shoot = pictures(folder)
    return _run(shoot, lambda feed: _dhash(feed.dhash))


def phash(folder: Path) -> dict[str, Any]:
    """The `tap-witness/1` document by pHash; it is as sure as bits agree."""
    shoot = pictures(folder)
    return _run(shoot, lambda feed: _phash(feed.phash))


def _run(shoot: Pictures, signs: Callable[[Greys], Signs]) -> dict[str, Any]:
    program = signs(shoot.program)
    now = shoot.program.times_ms[:, None]
    best: list[Signs] = []
    for camera in shoot.cameras.values():
        same = program @ signs(camera).T
        then = camera.times_ms[None, :]
        same[(then > now) | (then < now - WINDOW_MS)] = -BITS
        best.append(same.max(1, initial=-BITS))
    level = np.stack(best, 1)
    picks = documents.vote(_picks(level))
    sure = (BITS + level[np.arange(len(picks)), picks]) / (2.0 * BITS)
    return documents.of_cameras(shoot, picks, sure.astype(np.float64), {})


def _picks(level: Signs) -> documents.Picks:
    picks: documents.Picks = level.argmax(1)
    for at in range(1, len(picks)):
        if level[at, picks[at - 1]] == level[at, picks[at]]:
            picks[at] = picks[at - 1]
    return picks


def _dhash(small: Bytes) -> Signs:
    """Whether each of 8x8 pixels is darker than its right neighbour."""
    return _signs(small[:, :, 1:] > small[:, :, :-1])


def _phash(small: Bytes) -> Signs:
    """Whether each of the 8x8 lowest frequencies is above their median."""
    size = small.shape[2]
    angles = np.pi / size * (np.arange(size)[None, :] + 0.5) * np.arange(8)[:, None]
    cosines = np.cos(angles)
    low = cosines @ small.astype(np.float64) @ cosines.T
    flat = low.reshape(len(small), BITS)
    return _signs(flat > np.median(flat, axis=1, keepdims=True))


def _signs(bits: npt.NDArray[np.bool_]) -> Signs:
    out: Signs = np.where(bits, np.float32(1), np.float32(-1)).reshape(-1, BITS)
    return out
