"""Dissolves whose cameras lie otherwise than thought: to a camera that was never seen and is
mirrored, or in a program that zooms while it dissolves.

A dissolve is found by the matching (`match.mix`) where both cameras are in their places. Where they
are not, nothing explains the picture for as long as it lasts, as neither camera can be found in it
alone. So the camera that was on just before is tried together with each other one in the places
that it may have, and both are moved with the program until they fit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tap.sight.camera import Camera, usual_delay
from tap.sight.crowd import FEW
from tap.sight.doubt import usual_level
from tap.sight.due import index_due
from tap.sight.evidence import Evidence
from tap.sight.eye import Eye
from tap.sight.look import BLOCKS, Floats
from tap.sight.match import Mix, mix
from tap.sight.motion import is_part
from tap.sight.placement import Placement, moved, shown_of, window_of
from tap.sight.refine import refine
from tap.sight.shift import shift
from tap.sight.views import Views, is_portrait
from tap.sight.zoom import Place

_LONGEST_MS = 3000.0
"""So long after the first camera was last seen a dissolve away from it may go on."""
_KEEN, _OFTEN = 8, 4
"""Of the pictures in which nothing was found so many are tried, then each fourth."""
_AS_EVER, _PACE = 0.95, 0.2
"""From this part of its usual fit on a camera's contrast is learnt, at this pace."""
_FALLING, _PALER = 0.88, 0.93
"""Parts of its usual fit, and of that contrast, below which a camera may be fading into another."""
_LIKELY = 2
"""Best of the blends as they are thought to lie that are moved to where they fit."""
_ROUNDS, _BLURS = 6, (2.5, 1.5, 0.8)
"""Steps at most, and the blurs of the first, in grid cells."""
_CANDIDATES = 24
"""Frames that are tried of a camera of which it is not known how late it is."""
_TURNS = 3
"""Such cameras that are tried with one picture."""
_AROUND_MS = 150.0
"""Frames so near the one that fits best are tried as well."""
_ENOUGH = 0.004
"""Gain in fit below which moving both ends, and that a blend which goes on must still gain."""
_LIKE_ITSELF = 0.8
"""Both cameras together must fit to this part as one does alone: two are never quite in place."""
_GAIN = 0.1
"""Part of all nats that the blend must explain beyond what is explained now."""


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two: a frame of a camera, and how it lies."""

    camera: Camera
    index: int
    placement: Placement

    @property
    def at_ms(self) -> float:
        """When the frame was taken, Unix ms."""
        return self.camera.memory.time(self.index)


@dataclass(frozen=True, slots=True)
class _Blend:
    """Two sides, and how well they explain a picture: 0 .. 1, and 0 where they do so in parts."""

    fit: float
    mix: Mix
    sides: tuple[_Side, _Side]


class DissolveFinder:
    """Follows program pictures in order.

    `place` gives a camera its new placement; `base` tells how it lies in a program without a zoom.
    """

    def __init__(
        self,
        eye: Eye,
        cameras: Sequence[Camera],
        place: Place,
        base: Callable[[Camera], Placement | None],
        max_delay_ms: float,
    ) -> None:
        self._eye = eye
        self._max_delay_ms = max_delay_ms
        self._cameras = cameras
        self._place = place
        self._base = base
        self._first: int | None = None
        """The camera that was on last, and when that was seen."""
        self._seen_ms = 0.0
        self._second: int | None = None
        """The one that it was found to dissolve to; how late that is, it knows (`mixed_ms`)."""
        self._gain = 0.0
        """Contrast of the program over the first camera's, as long as that fits as ever."""
        self._failed = self._fading = self._turn = 0
        self._looks: dict[_Side, tuple[Floats, Floats]] = {}
        """Those of the sides that are tried for one picture."""
        self._homes: dict[int, Placement] = {}
        """The widest that each camera was seen to lie."""

    def note(self, evidence: Evidence) -> None:
        """Take note of a picture that is explained: by one camera, or by a blend."""
        self._failed = 0
        if evidence.best is None:
            return
        self._seen_ms = evidence.at_ms
        alone = float(evidence.nats[evidence.best])
        if any(mixed.nats > alone for mixed in evidence.mixes.values()):
            return
        if evidence.best != self._first:
            self._gain = 0.0
        if self._second is not None:
            self._cameras[self._second].mixed_ms = None
        self._first, self._second = evidence.best, None
        camera, match = self._cameras[evidence.best], evidence.matches[evidence.best]
        if match is not None and match.fit >= _AS_EVER * camera.level:
            self._gain += (match.gain - self._gain) * (_PACE if self._gain else 1.0)
        place = self._cameras[evidence.best].memory.placement
        home = self._homes.get(evidence.best)
        if home is None or not home.on.near(place.on) or _width(place) >= _width(home):
            self._homes[evidence.best] = place

    def begins(self, evidence: Evidence) -> bool:
        """Whether the camera that explains the picture may be fading into another: it fits worse,
        and has lost contrast. Of many such pictures in a row but some are held to be worth it."""
        best, fades = evidence.best, False
        match = evidence.matches[best] if best is not None else None
        if best is not None and best == self._first and match is not None:
            falls = match.fit < _FALLING * self._cameras[best].level
            fades = falls and match.gain < _PALER * self._gain
        self._fading = self._fading + 1 if fades else 0
        return fades and (self._fading <= _KEEN or not self._fading % _OFTEN)

    def look(self, evidence: Evidence) -> bool:
        """Look for a blend that explains a picture which nothing does. True if cameras were placed
        or timed anew for it."""
        if self._first is None or evidence.at_ms - self._seen_ms > _LONGEST_MS:
            return False
        if not 2 <= len(self._cameras) <= FEW:
            return False
        self._failed += 1
        if self._failed > _KEEN and self._failed % _OFTEN:
            return False
        found = self._find(self._first, evidence)
        self._looks.clear()
        if found is None:
            return False
        self._failed, self._seen_ms = 0, evidence.at_ms
        second = found.sides[1]
        self._second = self._cameras.index(second.camera)
        timed = self._is_timed_anew(second.camera, evidence.at_ms - second.at_ms)
        return self._place_both(found) or timed

    def _find(self, number: int, evidence: Evidence) -> _Blend | None:
        """The blend of a camera and another that explains the picture, if there is one."""
        views, first = Views(evidence.luma), self._side_of(number, evidence)
        if first is None:
            return None
        if self._second is None:
            first = self._followed(first, views)
        tried = [
            self._blend(first, second, views)
            for number in self._others(evidence)
            for second in self._seconds(number, first, evidence, views)
        ]
        tried.sort(key=lambda one: -one.fit)
        refined = [self._refined(one, views) for one in tried[:_LIKELY]]
        found = max(refined, key=lambda one: one.fit, default=None)
        if found is not None:
            found = self._timed(found, views)
        return found if found is not None and self._is_worth(found, evidence) else None

    @staticmethod
    def _is_timed_anew(camera: Camera, late_ms: float) -> bool:
        """Note how late the second camera is; whether that is news, as its delay is not known."""
        before, camera.mixed_ms = camera.mixed_ms, late_ms
        news = before is None or abs(before - late_ms) > camera.memory.step_ms
        return news and not camera.delay.locked

    def _place_both(self, found: _Blend) -> bool:
        """True if that changed anything."""
        moved = [side for side in found.sides if side.placement != side.camera.memory.placement]
        for side in moved:
            self._place(side.camera, side.placement)
        return bool(moved)

    def _is_worth(self, found: _Blend, evidence: Evidence) -> bool:
        """Whether a blend fits about as cameras do, and much better than all that is known."""
        usual, best = usual_level(self._cameras), evidence.best
        if usual is None or found.mix.split:
            return False
        levels = [s.camera.level if s.camera.chart.known else usual for s in found.sides]
        alone = float(evidence.nats[best]) if best is not None else 0.0
        now = max([alone, *(mixed.nats for mixed in evidence.mixes.values())])
        gain = _GAIN if self._second is None else _ENOUGH
        least = now / max(evidence.information, 1e-6) + gain
        return found.fit >= max(_LIKE_ITSELF * min(levels), least)

    def _others(self, evidence: Evidence) -> list[int]:
        """The cameras to try: of those of which it is not known how late they are a few in turn.
        None whose pictures are missing just now: an older one could only be bent into this."""
        if self._second is not None:
            return [self._second]
        out = {self._first, *evidence.blind, *evidence.lacking}
        able = [n for n, c in enumerate(self._cameras) if n not in out and len(c.memory)]
        timed = [n for n in able if self._cameras[n].delay.locked]
        rest = [n for n in able if n not in timed]
        if len(rest) > _TURNS:
            self._turn += _TURNS
            rest = [rest[(self._turn + n) % len(rest)] for n in range(_TURNS)]
        return timed + rest

    # ------------------------------------------------------------------ what is tried

    def _side_of(self, number: int, evidence: Evidence) -> _Side | None:
        camera = self._cameras[number]
        index = index_due(camera, evidence.at_ms, evidence.matches[number])
        if index is None:
            return None
        return _Side(camera, index, camera.memory.placement)

    def _followed(self, side: _Side, views: Views) -> _Side:
        """The first camera, moved to where it fits best alone: while little of the other is there
        the program's zoom shows in it."""
        near, _ = refine(
            self._eye, side.camera, views, side.placement, index=side.index, rounds=_ROUNDS
        )
        return replace(side, placement=near)

    def _seconds(self, number: int, first: _Side, evidence: Evidence, views: Views) -> list[_Side]:
        """The ways in which a camera may be the other side of a blend."""
        camera = self._cameras[number]
        places = self._places(number, first)
        if camera.delay.locked:
            side = self._side_of(number, evidence)
            return [replace(side, placement=p) for p in places] if side is not None else []
        indices = self._frames_of(number, evidence.at_ms)
        if not indices:
            return []
        sides: list[_Side] = []
        for place in places:
            able = [_Side(camera, index, place) for index in indices]
            sides.append(max(able, key=lambda side: self._blend(first, side, views).fit))
        return sides

    def _frames_of(self, number: int, at_ms: float) -> list[int]:
        """Frames that are tried of a camera of which it is not known how late it is."""
        memory, late_ms = self._cameras[number].memory, self._cameras[number].mixed_ms
        if late_ms is not None:
            due = memory.due(at_ms - late_ms)
            around = memory.within(at_ms - late_ms - _AROUND_MS, at_ms)
            return list(range(max(around.start, due - 2), min(around.stop, due + 3)))
        part = memory.within(at_ms - self._max_delay_ms, at_ms)
        if part.stop <= part.start:
            return []
        supposed = memory.due(at_ms - (usual_delay(self._cameras) or 0.0))
        stride = -(-(part.stop - part.start) // _CANDIDATES)
        return [supposed, *range(part.start, part.stop, stride)]

    def _timed(self, blend: _Blend, views: Views) -> _Blend:
        """The blend with that frame of the second camera, of those about the one that was tried,
        which fits best."""
        first, second = blend.sides
        if second.camera.delay.locked:
            return blend
        at_ms = second.at_ms
        part = second.camera.memory.within(at_ms - _AROUND_MS, at_ms + _AROUND_MS)
        able = [
            self._blend(first, replace(second, index=index), views)
            for index in range(part.start, part.stop)
        ]
        best = max([blend, *able], key=lambda one: one.fit)
        return best if best is blend else self._refined(best, views)

    def _places(self, number: int, first: _Side) -> list[Placement]:
        """Where a camera may lie: where it is thought to, moved as the program is zoomed, and
        either way round if it was never seen."""
        camera, on = self._cameras[number], first.placement.on
        places = [camera.memory.placement]
        home, base = self._home(number), self._home(self._cameras.index(first.camera))
        if home is not None and base is not None and base.on.near(on):
            homes = [home]
            if not camera.confirmed:
                homes.append(replace(home, mirror=not home.mirror))
            places += [shown_of(one, window_of(base, first.placement)) for one in homes]
        return [one for one in dict.fromkeys(places) if one.on.near(on)]

    def _home(self, number: int) -> Placement | None:
        """How a camera lies while the program is not zoomed: as is usual, if what was seen of it
        may be a zoom into that; else as wide as it was ever seen."""
        camera = self._cameras[number]
        usual, seen = self._base(camera), self._homes.get(number)
        if seen is None or usual is None or not camera.confirmed:
            return usual or seen
        return usual if usual.on.near(seen.on) and is_part(usual.of, seen.of) else seen

    # ------------------------------------------------------------------ how it fits

    def _blend(self, first: _Side, second: _Side, views: Views) -> _Blend:
        on = first.placement.on
        seen, penalty = views.through(on, first.camera.memory.cells_in(first.placement))
        portrait = is_portrait(on, views.luma.shape)
        one, other = (self._look_of(side, portrait) for side in (first, second))
        found = mix(seen, one, other, np.ones(BLOCKS, np.bool_))
        information = float(seen.information.sum())
        fit = penalty * found.nats / information if information > 1 else 0.0
        able = not found.split and first.placement.possible and second.placement.possible
        return _Blend(fit if able else 0.0, found, (first, second))

    def _look_of(self, side: _Side, portrait: bool) -> tuple[Floats, Floats]:
        if side not in self._looks:
            memory = side.camera.memory
            self._looks[side] = memory.look(memory.luma(side.index), side.placement, portrait)
        return self._looks[side]

    def _refined(self, blend: _Blend, views: Views) -> _Blend:
        """The blend with both cameras moved, as one picture, to where it fits best."""
        best = now = blend
        shown = blend.sides[0].placement
        program = views.grid(shown.on, blend.sides[0].camera.memory.cells_in(shown))
        portrait = is_portrait(shown.on, views.luma.shape)
        height, width = program.shape
        for n in range(_ROUNDS):
            blur = _BLURS[min(n, len(_BLURS) - 1)]
            first, second = now.sides
            one, other = (
                s.camera.memory.grid(s.camera.memory.luma(s.index), s.placement, portrait)
                for s in now.sides
            )
            share = now.mix.share if not now.mix.split else 0.5
            both = np.asarray((1 - share) * one + share * other, np.float32)
            by = shift(program, both, blur).common(width, height)
            sides = (
                replace(first, placement=moved(first.placement, by)),
                replace(second, placement=moved(second.placement, by)),
            )
            now = self._blend(*sides, views)
            gained = now.fit - best.fit
            if gained > 0:
                best = now
            if n >= len(_BLURS) - 1 and gained < _ENOUGH:
                break
        return best


def _width(placement: Placement) -> float:
    return placement.of.x1 - placement.of.x0
