"""The fringes of soft changes: the first and last frames, in which hardly anything is mixed yet.

Frame by frame a trace of another camera is lost in the noise. Next to frames in which two cameras
were seen mixed, it is known what to look for: how much of the other camera is blended in, or
whether the part that a wipe has taken, or has still to take, has anything in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tap.sight.camera import Camera
from tap.sight.evidence import Evidence
from tap.sight.eye import index_due
from tap.sight.infer import States, Vector
from tap.sight.look import Floats, blocks
from tap.sight.views import Views

TRACE = 0.02
"""Part of a blend that is seen at least; less is as good as none."""
_SPECK = 0.0015
"""Part of the picture that a wipe must have taken to be seen."""
_FAR_MS = 500.0
"""How far from a frame that is mixed its fringe may reach."""
_UNLIKE = 0.15
"""Cameras must differ by this part of their energy, else no blend can be measured."""
_SPREADS, _GREYS = 4.0, 6.0
"""A pixel differs if it is off by so many spreads of the noise, and by so many grey levels."""
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Mixed:
    """A frame in which two cameras were seen: their state, and whether side by side."""

    at_ms: float
    state: int
    split: bool
    evidence: Evidence


class Fringes:
    """Follows the program's frames in the order in which they are decided."""

    def __init__(self, states: States, cameras: list[Camera]) -> None:
        self._states = states
        self._cameras = cameras
        self._last: _Mixed | None = None

    def look(self, evidence: Evidence, state: int, ahead: Iterable[Evidence]) -> float | None:
        """How much of another camera a frame shows that was decided to be `state`: 0 .. 1.

        `ahead` are the frames that follow, not yet decided. None where no mixture is near, or
        where nothing can be measured.
        """
        if state >= self._states.first_pair:
            pair = evidence.mixes.get(state)
            if pair is not None and evidence.composed is None:
                self._last = _Mixed(evidence.at_ms, state, pair.split, evidence)
            return None
        if state >= self._states.cameras:
            return None
        mixed = self._near(evidence, state, ahead)
        if mixed is None:
            return None
        other = next(i for i in self._states.members(mixed.state) if i != state)
        if mixed.split:
            return self._taken(evidence, mixed, state)
        return self._blended(evidence, state, other)

    def _near(self, evidence: Evidence, state: int, ahead: Iterable[Evidence]) -> _Mixed | None:
        """The nearest frame that is a mixture with this camera."""
        last = self._last
        if (
            last is not None
            and state in self._states.members(last.state)
            and evidence.at_ms - last.at_ms <= _FAR_MS
        ):
            return last
        for later in ahead:
            if later.at_ms - evidence.at_ms > _FAR_MS:
                return None
            if not later.mixes or later.composed is not None:
                continue
            best = max(later.mixes, key=lambda s: later.nats[s])
            if state in self._states.members(best) and later.nats[best] >= later.nats.max():
                return _Mixed(later.at_ms, best, later.mixes[best].split, later)
        return None

    def _pictures(self, evidence: Evidence, number: int) -> tuple[Floats, Floats] | None:
        """The program's picture and the camera's at its time, as grids of one shape."""
        camera = self._cameras[number]
        memory, match = camera.memory, evidence.matches[number]
        if match is not None:
            index = index_due(camera, evidence.at_ms, match)
        elif camera.delay.ms is not None and len(memory):  # it was not looked at
            index = memory.due(evidence.at_ms - camera.delay.ms)
        else:
            return None
        place = memory.placement
        there = memory.grid(memory.luma(index), place, memory.portrait)
        return Views(evidence.luma).grid(place.on, memory.cells), there

    def _blended(self, evidence: Evidence, number: int, other: int) -> float | None:
        """The part of a blend that is the other camera."""
        one, two = self._pictures(evidence, number), self._pictures(evidence, other)
        if one is None or two is None or one[0].shape != two[0].shape:
            return None
        program, a, b = (blocks(grid).ravel() for grid in (one[0], one[1], two[1]))
        keep = np.ones(len(program), np.bool_)
        basis = np.stack([a, b], axis=1).astype(np.float64)
        weights: Vector = np.zeros(2)
        for _ in range(_ROUNDS):
            normal = basis[keep].T @ basis[keep]
            power = float(normal[0, 0] * normal[1, 1])
            if power <= 0 or 1 - normal[0, 1] ** 2 / power < _UNLIKE:
                return None
            weights = np.asarray(np.linalg.solve(normal, basis[keep].T @ program[keep]), np.float64)
            rest = np.abs(program - basis @ weights)
            keep = rest <= 3.0 * float(np.median(rest)) + 1.0
        total = float(np.maximum(weights, 0).sum())
        share = float(max(0.0, weights[1])) / total if total > 0 else 0.0
        return share if share >= TRACE else 0.0

    def _taken(self, evidence: Evidence, mixed: _Mixed, number: int) -> float | None:
        """The part of the picture that is not this camera's, where the wipe has been or will go."""
        near, here = self._pictures(mixed.evidence, number), self._pictures(evidence, number)
        if near is None or here is None or near[0].shape != here[0].shape:
            return None
        way = _differs(*near)
        way = cv2.dilate(way.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        off = _differs(*here)
        outside = float(off[~way].mean()) if not way.all() else 0.0
        part = (float(off[way].sum()) - outside * float(way.sum())) / off.size
        return part if part >= _SPECK else 0.0


def _differs(program: Floats, camera: Floats) -> npt.NDArray[np.bool_]:
    """Which pixels of the program are not the camera's, whatever its brightness and contrast."""
    x, y = camera.ravel().astype(np.float64), program.ravel().astype(np.float64)
    keep = np.ones(len(x), np.bool_)
    rest = y
    for _ in range(_ROUNDS):
        gain, offset = np.polyfit(x[keep], y[keep], 1) if np.ptp(x[keep]) > 1 else (0.0, 0.0)
        rest = np.abs(y - gain * x - offset)
        keep = rest <= 2.5 * float(np.median(rest)) + 1.0
    limit = max(_GREYS, _SPREADS * 1.48 * float(np.median(rest)))
    return np.asarray((rest > limit).reshape(program.shape))
