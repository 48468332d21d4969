"""The fringes of soft changes: the first and last frames, in which hardly anything is mixed yet.

Frame by frame a trace of another camera is lost in the noise. Next to frames in which two cameras
were seen mixed, it is known what to look for: how much of the other camera is blended in, or
whether the part that a wipe has taken, or has still to take, has anything in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from tap.sight.camera import Camera
from tap.sight.due import index_due
from tap.sight.evidence import Evidence
from tap.sight.infer import States, Vector
from tap.sight.look import Floats, blocks
from tap.sight.match import SPLIT_TOLL
from tap.sight.tone import FEW, Pixels, tone_of
from tap.sight.views import Views

TRACE = 0.02
"""Part of a blend that is seen at least; less is as good as none."""
_SPECK = 0.0015
"""Part of the picture that a wipe must have taken to be seen."""
_FAR_MS, _FAR_SPLIT_MS = 500.0, 900.0
"""How far from a frame that is mixed its fringe may reach: of a blend, and of what is side by side.
"""
_BEGUN = 0.01
"""Part of all nats that a wipe gains at least where it has begun."""
_UNLIKE = 0.15
"""Cameras must differ by this part of their energy, else no blend can be measured."""
_CLOSER = 0.5
"""A pixel is the other camera's if it is so much nearer to what that one has there."""
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Mixed:
    """A frame in which two cameras were seen: their state, and, of those that were side by side,
    the program's picture and theirs, by number, and how late they were, in ms."""

    at_ms: float
    state: int
    split: bool
    program: Floats | None = None
    cameras: Mapping[int, Floats] = field(default_factory=dict[int, Floats])
    lags: Mapping[int, float] = field(default_factory=dict[int, float])


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
                self._last = self._mixed(evidence, state)
            return None
        if state >= self._states.cameras:
            return None
        mixed = self._near(evidence, state, ahead)
        if mixed is None:
            return None
        other = next(i for i in self._states.members(mixed.state) if i != state)
        if mixed.split:
            return self._taken(evidence, mixed, state, other)
        return self._blended(evidence, state, other)

    def _near(self, evidence: Evidence, state: int, ahead: Iterable[Evidence]) -> _Mixed | None:
        """The nearest frame that is a mixture with this camera."""
        last = self._last
        if (
            last is not None
            and state in self._states.members(last.state)
            and evidence.at_ms - last.at_ms <= (_FAR_SPLIT_MS if last.split else _FAR_MS)
        ):
            return last
        begun: tuple[Evidence, int] | None = None
        for later in ahead:
            if later.at_ms - evidence.at_ms > _FAR_MS:
                break
            if not later.mixes or later.composed is not None:
                continue
            best = max(later.mixes, key=lambda s: later.nats[s])
            if state not in self._states.members(best):
                continue
            if later.nats[best] >= later.nats.max():
                return self._mixed(later, best)
            # A wipe that has just begun does not pay its toll yet.
            toll = (SPLIT_TOLL - _BEGUN) * later.information
            if later.mixes[best].split and later.nats[best] >= later.nats[state] - toll:
                begun = later, best
        return self._mixed(*begun) if begun is not None else None

    def _mixed(self, evidence: Evidence, state: int) -> _Mixed:
        split = evidence.mixes[state].split
        if not split:
            return _Mixed(evidence.at_ms, state, split)
        one, two = self._states.members(state)
        seen = self._both(evidence, one, two)
        if seen is None:
            return _Mixed(evidence.at_ms, state, split)
        lags: dict[int, float] = {}
        for number in (one, two):
            index = self._index(evidence, number)
            if index is not None:
                taken_ms = self._cameras[number].memory.time(index)
                lags[number] = evidence.at_ms - float(taken_ms)
        return _Mixed(evidence.at_ms, state, split, seen[0], {one: seen[1], two: seen[2]}, lags)

    def _index(self, evidence: Evidence, number: int) -> int | None:
        """Which of a camera's frames the program's picture shows, if it shows it."""
        return index_due(self._cameras[number], evidence.at_ms, evidence.matches[number])

    def _pictures(
        self, evidence: Evidence, number: int, lag_ms: float | None = None
    ) -> tuple[Floats, Floats] | None:
        """The program's picture and the camera's at its time, as grids of one shape. `lag_ms`: how
        late it is, where that is known from a frame that shows more of it."""
        memory = self._cameras[number].memory
        index = self._index(evidence, number)
        if lag_ms is not None and len(memory):
            index = memory.due(evidence.at_ms - lag_ms)
        if index is None:
            return None
        place = evidence.places[number]  # a zoom has gone on since
        there = memory.grid(memory.luma(index), place, memory.portrait)
        return Views(evidence.luma).grid(place.on, memory.cells_in(place)), there

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

    def _taken(self, evidence: Evidence, mixed: _Mixed, number: int, other: int) -> float | None:
        """The part of the picture that is the other camera's, where a wipe has been or will go, and
        where nothing lies over both."""
        here = self._both(evidence, number, other, mixed.lags.get(other))
        near = mixed.program
        if near is None or here is None or near.shape != here[0].shape:
            return None
        program, one, two = here
        # Most of this frame is this camera's, which need not be so of the mixed one.
        tone, there = tone_of(program, one), mixed.cameras[other]
        off = ~tone.holds(near, mixed.cameras[number])
        if int(off.sum()) < FEW:
            return 0.0
        tone_two = tone.like(near, there, off)
        over = _grown(off & ~tone_two.holds(near, there))
        way, aside = _grown(off) & ~over, ~_grown(off) & ~over
        away = np.abs(program - tone.of(one))
        nearer = np.abs(program - tone_two.of(two)) < _CLOSER * away
        taken = _without_specks((away > tone.limit) & nearer)
        outside = float(taken[aside].mean()) if aside.any() else 0.0
        part = (float(taken[way].sum()) - outside * float(way.sum())) / taken.size
        return part if part >= _SPECK else 0.0

    def _both(
        self, evidence: Evidence, number: int, other: int, lag_ms: float | None = None
    ) -> tuple[Floats, Floats, Floats] | None:
        """The program's picture and those of both cameras at its time, as grids of one shape.
        `lag_ms` is the second one's."""
        one, two = self._pictures(evidence, number), self._pictures(evidence, other, lag_ms)
        if one is None or two is None or one[0].shape != two[0].shape:
            return None
        return one[0], one[1], two[1]


def _grown(pixels: Pixels) -> Pixels:
    """With those beside them."""
    return np.asarray(cv2.dilate(pixels.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _without_specks(pixels: Pixels) -> Pixels:
    """Those beside which there is another."""
    beside = np.zeros_like(pixels)
    beside[1:] |= pixels[:-1]
    beside[:-1] |= pixels[1:]
    beside[:, 1:] |= pixels[:, :-1]
    beside[:, :-1] |= pixels[:, 1:]
    return np.asarray(pixels & beside)
