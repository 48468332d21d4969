"""Reasons to doubt that a picture is a tapped camera's: it is held to the camera's own record."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tap.sight.camera import Camera
from tap.sight.chart import stranger
from tap.sight.cover import uncovered
from tap.sight.elsewhen import ELSEWHEN_MS
from tap.sight.evidence import Evidence, Match
from tap.sight.infer import States
from tap.sight.look import BLOCKS
from tap.sight.match import mix
from tap.sight.shift import shift
from tap.sight.views import Views

UNLIKE = -0.25
"""A picture this unlike the camera's own (see `Chart.unlike`) asks for a better explanation."""
UNDER = -0.3
"""So like itself counts a camera's picture under a graphic that covers most of it."""
_OFF_FLOOR = 0.6
"""A camera must reach this part of the fit it usually has, else it is not that camera."""
_OFF_LEAST, _OFF_MOST = 0.2, 0.55
"""The least and the most of it. As long as it is not known how well cameras fit, one that stands
out need but reach the least."""
_OFF_PULL = 0.35
"""Part of a camera's usual nats that its chart may speak for or against it in one picture."""
_OFF_ELSEWHEN = 0.85
"""... and this part if it fits best at a delay that it doesn't have: an older picture of a camera
that stands still is most of its present one."""
_FITS = 0.75
"""A match below this part of the camera's usual fit says nothing of its delay."""
ELSEWHEN_ODD = 0.5
"""How odd (see `Evidence.odd`) an older picture of a camera is."""
_AS_EVER, _ITSELF = 0.95, -0.5
"""What fits to this part as it always does, and is no odder than this, fits as ever."""
_DIM = 0.5
"""Below this part of the usual nats a picture is too dim (a fade) to be held to the chart."""
_FAR_FROM = 0.4
"""A picture that fits less than this part of the usual is none of the camera's, however it lies."""
_ABOUT = 0.8
"""Part of the best fit from which on a camera is tried as a blend of neighbouring frames too."""
_BESIDE, _POOR = 0.22, 0.6
"""Grid cells beside the camera's picture from which on a picture is not where it should be; in a
picture that fits less than the second figure, displacements are measured less well."""


def usual_fit(cameras: Sequence[Camera]) -> float | None:
    """How well the cameras known so far fit in this programme, 0 .. 1; None if none is."""
    known = [c.chart.usual for c in cameras if c.chart.known]
    return sum(known) / len(known) if known else None


def usual_level(cameras: Sequence[Camera]) -> float | None:
    """The same over the whole picture, with what is laid over it: what is covered fits nowhere."""
    known = [c.level for c in cameras if c.chart.known]
    return sum(known) / len(known) if known else None


def level_of(number: int, cameras: Sequence[Camera]) -> float:
    """How well a camera usually fits; one that was never seen is held to the others."""
    camera, usual = cameras[number], usual_level(cameras)
    return camera.level if camera.chart.known or usual is None else usual


def misplaced(cells: float, fit: float) -> float:
    """How far beside its place a picture counts that lies `cells` grid cells off and fits so well:
    -1 not at all, 0 at the limit, more beyond."""
    limit = _BESIDE * (1.0 + 2.0 * max(0.0, _POOR - fit))
    return max(-1.0, cells / limit - 1.0)


class Doubt:
    """Weighs "no tapped camera" against the best explanation by cameras."""

    def __init__(self, states: States, cameras: Sequence[Camera]) -> None:
        self._states = states
        self._cameras = cameras

    def off(self, evidence: Evidence, views: Views, best: int | None, level: float) -> float:
        """Nats for "no tapped camera": what the best camera has, less if it fits as it always does,
        more if it does not."""
        floor = min(_OFF_MOST, max(_OFF_LEAST, _OFF_FLOOR * level)) * evidence.information
        if usual_level(self._cameras) is None and best is not None and evidence.stands_out(best):
            # ... however little of it there is to see under graphics and a heavy grade.
            floor = _OFF_LEAST * evidence.information
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None:
            return floor
        camera = self._cameras[best]
        elsewhen = False if evidence.repeat else self._is_elsewhen(best, evidence)
        if elsewhen is None:
            return float(evidence.nats[best])  # those that follow will tell
        if elsewhen:
            evidence.odd = ELSEWHEN_ODD
            return _OFF_ELSEWHEN * level * evidence.information
        usual = usual_fit(self._cameras)
        if usual is None or evidence.information < _DIM * camera.information:
            return floor
        unlike, untimely = self._odds(camera, match, usual)
        if max(unlike, untimely) > UNLIKE and self._blend_all(evidence, views, match.fit):
            unlike, untimely = self._odds(camera, match, usual)
        if unlike > UNLIKE and match.fit > _FAR_FROM * usual:
            # It may only be worse (few bits, a blur): then it still lies where the camera has it.
            cells = self._displaced(camera, match, views)
            unlike = min(unlike, misplaced(cells, match.fit))
        if max(unlike, untimely) > UNLIKE or match.fit < _DIM * level:
            left = self._under_cover(camera, match, views, usual)
            if left is not None and max(left) <= UNLIKE:
                evidence.covered, unlike, untimely = True, UNDER, UNDER
        if unlike > UNLIKE and camera.chart.settled:
            under = camera.chart.is_under(match.blocks, match.information)
            unlike = UNDER if under else unlike
        odd = evidence.odd = max(unlike, untimely)
        return float(evidence.nats[best]) + _OFF_PULL * level * odd * evidence.information

    @staticmethod
    def _odds(camera: Camera, match: Match, usual: float) -> tuple[float, float]:
        """How unlike the camera's a picture is, and how untimely."""
        chart = camera.chart
        if not chart.settled:
            return stranger(match.blocks, match.information, usual), -1.0
        if match.motion is None:
            match.motion = camera.memory.motion(match.index)
        unlike = chart.unlike(match.blocks, match.information)
        return unlike, chart.untimely(match.blocks, match.information, match.motion)

    def _under_cover(
        self, camera: Camera, match: Match, views: Views, usual: float
    ) -> tuple[float, float] | None:
        """The odds of what is left of a camera over whose picture a graphic comes; None if none
        does."""
        chart, memory = camera.chart, camera.memory
        place, cells = memory.placement, memory.cells
        there = memory.shown(match.index)
        seen, _ = views.through(place.on, cells)
        known = chart.usual if chart.known else usual
        part = uncovered(views.grid(place.on, cells), seen, there, known)
        if part is None:
            return None
        fits = part.nats(there) / np.maximum(part.information, 1e-6)
        left = replace(match, blocks=fits, information=part.information)
        return self._odds(camera, left, usual)

    def _blend_all(self, evidence: Evidence, views: Views, best: float) -> bool:
        """Try blends for all cameras that fit about as well as the best: twins stay twins. True if
        one of them fits better so."""
        better = False
        for number, match in enumerate(evidence.matches):
            if match is None or match.fit < _ABOUT * best:
                continue
            if self._blend(self._cameras[number], match, views):
                evidence.nats[number] = match.fit * evidence.information - match.toll
                better = True
        return better

    @staticmethod
    def _blend(camera: Camera, match: Match, views: Views) -> bool:
        """Hold the picture against blends of the frame that fits best and the one before or after:
        a program of another rate may be blended out of both. True if one of them fits better."""
        memory = camera.memory
        seen, penalty = views.through(memory.placement.on, memory.cells)
        window = memory.within(-np.inf, np.inf)
        around = slice(max(window.start, match.index - 1), min(window.stop, match.index + 2))
        units, lengths = memory.units(around), memory.lengths(around)
        at = match.index - around.start
        looks = [(units[:, n], lengths[n]) for n in range(around.stop - around.start)]
        mask = np.ones(BLOCKS, np.bool_)
        blends = [mix(seen, looks[at], look, mask) for n, look in enumerate(looks) if n != at]
        blends = [one for one in blends if not one.split]
        found = max(blends, key=lambda one: one.nats, default=None)
        information = float(seen.information.sum())
        if found is None or information <= 1:
            return False
        fit = penalty * found.nats / information
        if fit <= match.fit:
            return False
        match.fit, match.blocks = fit, found.blocks
        return True

    def _displaced(self, camera: Camera, match: Match, views: Views) -> float:
        """How far beside the camera's picture the program's lies, in grid cells."""
        memory = camera.memory
        program = views.grid(memory.placement.on, memory.cells)
        return shift(program, memory.shown(match.index)).size

    def beside_pairs(self, evidence: Evidence, best: int, level: float) -> None:
        """Two cameras may explain what one does not: then "off camera" is held to that."""
        if not evidence.mixes:
            return
        nats, off = evidence.nats, self._states.off
        state = max(evidence.mixes, key=lambda s: float(nats[s]))
        match, mix = evidence.matches[best], evidence.mixes[state]
        if match is None or nats[state] <= nats[best]:
            return
        usual = usual_fit(self._cameras)
        if usual is None:
            return
        charts = [self._cameras[i].chart for i in self._states.members(state)]
        odd = min(
            max(
                chart.unlike(mix.blocks, match.information),
                chart.untimely(mix.blocks, match.information, match.motion),
            )
            if chart.settled
            else stranger(mix.blocks, match.information, usual)
            for chart in charts
        )
        pull = _OFF_PULL * level * odd * evidence.information
        nats[off] = min(nats[off], float(nats[state]) + pull)

    def _is_elsewhen(self, number: int, evidence: Evidence) -> bool | None:
        """Whether a camera with a known delay fits best at quite another; None if it may have
        become so late."""
        camera, match = self._cameras[number], evidence.matches[number]
        if match is None or not camera.delay.locked or match.fit < _FITS * camera.level:
            return False
        low, high = camera.delay.interval_ms
        slack = max(ELSEWHEN_MS, camera.memory.step_ms)
        there = camera.memory.within(evidence.at_ms - high - slack, evidence.at_ms - low + slack)
        if there.stop <= there.start:
            return False  # it could not fit where it should
        as_ever = match.fit >= _AS_EVER * camera.level and match.lag_ms > high + ELSEWHEN_MS
        if as_ever:
            usual = usual_fit(self._cameras)
            as_ever = usual is not None and max(self._odds(camera, match, usual)) < _ITSELF
        return camera.elsewhen.look(
            evidence.index, match.lag_ms, high, camera.memory.step_ms, as_ever=as_ever
        )
