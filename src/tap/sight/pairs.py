"""Pairs of cameras: blends of two, and two side by side, as a dissolve and a wipe show them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from tap.sight.camera import Camera
from tap.sight.crowd import FEW
from tap.sight.doubt import level_of
from tap.sight.due import index_due
from tap.sight.evidence import Evidence
from tap.sight.infer import States
from tap.sight.lineup import EXPLAINED
from tap.sight.look import BLOCKS, Floats
from tap.sight.match import mix
from tap.sight.split import side_by_side
from tap.sight.views import Views

_BLENDED = 6
"""Where there are many cameras, only so many of the best are tried as blends of two."""
_KEEN, _OFTEN = 8, 4
"""Of the pictures in which there was no wipe so many are looked into, then each fourth."""


class Pairs:
    """Weighs what two cameras together explain of a picture."""

    def __init__(self, states: States, cameras: Sequence[Camera]) -> None:
        self._states = states
        self._cameras = cameras
        self._looked = -1
        """The last picture that was looked into for a wipe; and so many were in vain."""
        self._vain = 0

    def likely(self, evidence: Evidence) -> Sequence[tuple[int, int]]:
        """The pairs that may be in a picture: all, or with many cameras those of the best: of forty
        there are 780, more than can be tried between two pictures."""
        if len(self._cameras) <= FEW:
            return self._states.pairs
        fits = [(match.fit, i) for i, match in enumerate(evidence.matches) if match is not None]
        best = sorted(i for _, i in sorted(fits, reverse=True)[:_BLENDED])
        return list(combinations(best, 2))

    def explain(self, evidence: Evidence) -> bool:
        """Whether a blend of two cameras explains the picture as well as cameras usually do."""
        if not evidence.mixes:
            return False
        state, mixed = max(evidence.mixes.items(), key=lambda pair: pair[1].nats)
        level = min(level_of(i, self._cameras) for i in self._states.members(state))
        return not mixed.split and mixed.nats >= EXPLAINED * level * evidence.information

    def weigh(self, evidence: Evidence, views: Views, pairs: Sequence[tuple[int, int]]) -> None:
        """Add the evidence of these pairs: by whole blocks, and, if no blend explains the picture,
        of those with the best camera pixel by pixel."""
        looks: dict[int, tuple[Floats, Floats]] = {}
        indices: dict[int, int] = {}
        for i in sorted({i for pair in pairs for i in pair}):
            match, memory = evidence.matches[i], self._cameras[i].memory
            index = index_due(self._cameras[i], evidence.at_ms, match)
            if match is not None and index is not None:
                at, indices[i] = slice(index, index + 1), index
                looks[i] = memory.units(at)[:, 0], memory.lengths(at)[0]
        mask = np.ones(BLOCKS, np.bool_)
        for a, b in pairs:
            if a in looks and b in looks:
                on = self._cameras[a].memory.placement.on
                if not on.near(self._cameras[b].memory.placement.on):
                    continue
                seen, penalty = views.through(on, self._cameras[a].memory.cells)
                state = self._states.pair(a, b)
                found = mix(seen, looks[a], looks[b], mask)
                evidence.mixes[state] = found
                evidence.nats[state] = penalty * found.nats - _toll(evidence, (a, b))
        if not self.explain(evidence):
            self._look_for_wipes(evidence, views, indices)

    def _look_for_wipes(self, evidence: Evidence, views: Views, indices: dict[int, int]) -> None:
        """Read the pairs of the best camera pixel by pixel; `indices`: of the frames due."""
        best = evidence.best
        if best is None or not self._is_worth_it(evidence.index):
            return
        pairs = {s: self._states.members(s) for s in evidence.mixes}
        pairs = {state: pair for state, pair in pairs.items() if best in pair}
        memories = [camera.memory for camera in self._cameras]
        grids = {
            i: memories[i].shown(indices[i]) for i in {i for pair in pairs.values() for i in pair}
        }
        for state, (a, b) in pairs.items():
            memory = self._cameras[a].memory
            on = memory.placement.on
            seen, penalty = views.through(on, memory.cells)
            program, one, two = views.grid(on, memory.cells), grids[a], grids[b]
            if not program.shape == one.shape == two.shape:
                continue
            found, wipe = evidence.mixes[state], side_by_side(program, seen, one, two)
            if wipe is None:
                continue
            if wipe.nats > found.nats:
                evidence.mixes[state] = wipe
                evidence.nats[state] = penalty * wipe.nats - _toll(evidence, (a, b))
                if evidence.nats[state] > evidence.nats[best]:
                    self._vain = 0
            elif found.split:
                evidence.mixes[state] = replace(found, wipe=wipe.wipe)

    def _is_worth_it(self, index: int) -> bool:
        """Of many pictures in a row in which there was no wipe but some are looked into."""
        if index > self._looked + 1:
            self._vain = 0
        self._looked = max(self._looked, index)
        self._vain += 1
        return self._vain <= _KEEN or not self._vain % _OFTEN


def _toll(evidence: Evidence, pair: tuple[int, int]) -> float:
    """Nats that a pair loses as pictures of either are missing: what is there instead is of another
    moment, and is no more likely beside another camera than alone."""
    matches = [evidence.matches[i] for i in pair if i in evidence.lacking]
    return sum(match.toll for match in matches if match is not None)
