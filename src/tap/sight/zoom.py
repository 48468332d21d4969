"""Follows a zoom of the program: from frame to frame its camera lies a little beside where it just
lay, and goes on as it went."""

import math
from collections import deque
from collections.abc import Callable, Sequence

from tap.sight.abreast import Abreast, Sides
from tap.sight.camera import Camera
from tap.sight.doubt import UNLIKE, usual_level
from tap.sight.due import index_in_time
from tap.sight.evidence import Evidence, Match
from tap.sight.eye import Eye
from tap.sight.look import Rect
from tap.sight.motion import Edges, edges, kept_inside, same_way, speed, step, zooms
from tap.sight.outset import Outset
from tap.sight.placement import Placement
from tap.sight.refine import STEP_GAIN, refine
from tap.sight.views import Views

WORTH, AS_USUAL = 0.3, 0.75
"""A placement must explain this part of the picture; where it is known how well cameras fit, this
part of that."""
ROUNDS = 7
"""Refining steps at most."""
_STEADY = 3
"""Frames that a camera must have been explaining the picture before its zoom is followed."""
_TRACKED, _PEAK_DECAY, _ZOOM_DECAY = 0.985, 0.999, 0.97
"""A fit below this part of its recent peak: the program may be zooming. What is left of the peak a
frame later, and where the camera was found to be zoomed, which costs sharpness."""
_RARELY, _FALLEN = 12, 0.01
"""Frames between looks for a zoom, once one found none and unless the fit falls further."""
_STRIDE, _KEPT, _KEPT_AT_FIRST = 0.025, 0.7, 0.8
"""A zoom moves no edge by more than this part of the picture from one frame to the next, and leaves
this part of the fit, the second one where it begins and costs no sharpness yet; what moves further
was cut to, as was what fits less: a camera beside this one."""
_AS_SHARP, _CLEARLY = 0.9, 1.1
"""A fit below the first part of what it could be asks for another frame of the camera, which must
fit so many times better."""
_ASIDE, _KEPT_ASIDE = 0.012, 0.4
"""What lies no further than this part of the picture, for each frame since it was seen, from where
a zoom was thought to be by now may fit less: the program fades, or a graphic comes over it."""
_HANDED = 12
"""Frames in which a camera that has come on in a zoom is followed, however poorly it fits."""
_LATELY = 8
"""Frames in which a camera fits as well as it can just now: a graphic may have come over it."""
_BEGUN, _AT_REST = 0.1, 1.1
"""A zoom that moved edges by no more than the first part of the picture may be none at all: where
the camera fits so many times better where it was before."""
_MISSED, _BRIEFLY_MS, _SPEED_MS = 4, 200.0, 600.0
"""Frames that a zoom may be lost for and still be followed, and how long its speed is believed:
before it was followed for some frames, and then."""

AS_WELL = 0.97
"""Cameras that lie alike and fit to this part as well may be one: they stay alike."""

Place = Callable[[Camera, Placement], None]


class ZoomTracker:
    """Watches the camera that explains the program best, and moves its placement with a zoom.

    `place` gives a camera its new placement.
    """

    def __init__(self, eye: Eye, cameras: Sequence[Camera], place: Place) -> None:
        self._eye = eye
        self._cameras = cameras
        self._abreast, self._outset = Abreast(cameras), Outset()
        self._place = place
        self._camera: int | None = None
        """The camera that explains best, for how many frames, and its best fit in them."""
        self._frames, self._peak = 0, 0.0
        self._itself = False
        """Whether the picture was that camera's beyond doubt in one of them, and in which last."""
        self._itself_at = 0
        self._lately: deque[float] = deque(maxlen=_LATELY)
        """Its fits in the last of those."""
        self._twins: list[Camera] = []
        """It, and those that can't be told from it."""
        self._from, self._tried = 0, 1.0
        self._speed: Edges | None = None
        """How fast the edges of the camera's part move, per ms, while a zoom is on."""
        self._last: Placement | None = None
        """Where the camera was seen to lie last, when, and in which frame."""
        self._since_ms, self._moved_at = 0.0, 0
        self._handed_from: int | None = None
        self._handed_at = -_HANDED
        """The camera before, and the frame in which a zoom went on with this one."""
        self._rest: Placement | None = None
        """Where the camera lay when it began to move."""
        self._moves = 0
        """Frames in which it moved, since it began to."""

    @property
    def steady(self) -> bool:
        """Whether one camera has explained the picture for some frames."""
        return self._frames >= _STEADY

    @property
    def under_way(self) -> bool:
        """Whether a zoom has been followed for some frames."""
        return self._moves >= _STEADY

    def leads(self, evidence: Evidence) -> bool:
        """Whether the camera that explains the picture has done so for some frames."""
        return self.steady and evidence.best == self._camera and evidence.on_camera

    def watch(self, evidence: Evidence) -> float:
        """Note which camera explains the picture; returns the peak of its fit before."""
        best = evidence.best
        if best is not None and self._camera is not None:
            alike = twins(self._cameras, evidence, best)
            best = self._camera if self._cameras[self._camera] in alike else best
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None or best != self._camera:
            zooms = best is not None and match is not None and self._goes_on_with(best)
            self._handed_from, self._camera = self._camera, best
            self._frames, self._peak, self._tried = 0, 0.0, 1.0
            self._itself = False
            self._lately.clear()
            if zooms and best is not None and match is not None:
                self._hand_over(best, match.fit, evidence)
                return match.fit
            self._stop()
            self._last, self._moved_at = None, 0
            return 0.0
        self._frames += 1
        if evidence.on_camera and evidence.odd < UNLIKE:
            self._itself, self._itself_at = True, evidence.index
            self._lately.append(match.fit)
        self._twins = twins(self._cameras, evidence, best)
        before, self._peak = self._peak, max(_PEAK_DECAY * self._peak, match.fit)
        return before

    def follow(self, evidence: Evidence, before: float) -> Placement | None:
        """Where the camera now lies if the program zooms; it has been placed there. `before` is the
        peak of its fit."""
        match = evidence.matches[self._camera] if self._camera is not None else None
        if self._camera is None or match is None:
            return None
        slips = self._abreast.slips(evidence)
        sides = self._abreast.sides(evidence, self._camera)
        if sides is not None and self._came_on(evidence) and sides[1] != self._handed_from:
            sides = None  # it has just come on, but not from that one
        if sides is not None and (self._speed is not None or slips):
            return self._follow_both(evidence, sides)
        if not self._seems_to_move(evidence, match, before):
            return None
        return self._look_around(evidence, self._cameras[self._camera], match, before)

    def _seems_to_move(self, evidence: Evidence, match: Match, before: float) -> bool:
        """Whether it is worth looking if the followed camera lies elsewhere by now."""
        if self._camera is None:
            return False
        camera = self._cameras[self._camera]
        usual = usual_level(self._cameras) or WORTH
        poor = before < AS_USUAL * usual and not self._itself and not self._came_on(evidence)
        low = match.fit < AS_USUAL * camera.level
        beside = self._speed is not None and (low or evidence.odd >= UNLIKE)
        there = match.fit > _TRACKED * before and not beside
        if self._speed is not None and there:
            now = camera.memory.placement
            self._moved_at, self._since_ms, self._last = evidence.index, evidence.at_ms, now
        if not self.steady or poor or there:
            return False
        if evidence.index < self._from and match.fit > self._tried - _FALLEN:
            return False
        # Where its very picture is missing, another one would be bent into that; and where its feed
        # freezes, what it no longer shows.
        missing = self._camera in (*evidence.lacking, *evidence.blind)
        return not missing and not camera.still.repeats(evidence.at_ms - match.lag_ms)

    def _came_on(self, evidence: Evidence) -> bool:
        """Whether the camera has just come on in a zoom that was followed on another: in a fade, or
        where the zoom was a little off, it fits poorly as yet."""
        return self.under_way and evidence.index - self._handed_at <= _HANDED

    def _frames_lost(self, evidence: Evidence) -> int:
        """Frames, at least 1, since it was seen to move, or where it lies: so far may it be by now.
        What was not to be seen for longer is not followed, unless the zoom is."""
        moved = evidence.index - self._moved_at if self._moved_at else 1
        lost = evidence.index - max(self._moved_at, self._itself_at)
        known = lost if lost <= _RARELY or self._came_on(evidence) else 1
        return min(_MISSED, max(1, moved, known))

    def _look_around(
        self, evidence: Evidence, camera: Camera, match: Match, before: float
    ) -> Placement | None:
        """Where the followed camera lies nearby; it has been placed there. None if it has not."""
        now, views = camera.memory.placement, Views(evidence.luma)
        # Of one that has just come on the delay may have drifted since it was seen.
        came_on = self._came_on(evidence)
        index = match.index if came_on else index_in_time(camera, evidence.at_ms, match)
        thought = match.fit
        if index != match.index:
            thought = self._eye.fit_at(camera, views, now, index)
        could = min(before, max(self._lately, default=before))
        placement, fit = self._refined(camera, views, index, could)
        if not self._moved_at or evidence.index - self._moved_at > _RARELY or self._rest is None:
            self._rest = now
        elif step(self._rest, now) <= _BEGUN:
            # Beside its place a camera fits best at another moment than it has: not so in it.
            rested, _ = self._eye.fit(camera, evidence.at_ms, views, self._rest)
            if rested > _AT_REST * fit:
                return self._stop_at(self._rest)
        frames = self._frames_lost(evidence)
        near = step(now, placement) <= _STRIDE * frames and placement.possible
        # A shift is a zoom's only beside one: else it may as well be the picture of another moment.
        back = step(self._rest, placement) < step(self._rest, now)
        near = near and (camera.delay.locked or back or zooms(now, placement))
        least = could * (_KEPT if self.under_way else _KEPT_AT_FIRST)
        aside = self.under_way and step(now, placement) <= _ASIDE * frames
        near = near and (aside or not came_on)
        sets_out = near and self._outset.sets_out(evidence.index, self._rest, placement)
        if aside or sets_out:
            least = max(could * _KEPT_ASIDE, WORTH)
        if fit < max(thought + STEP_GAIN, least) or not near:
            self._from, self._tried = evidence.index + _RARELY, match.fit
            return None if came_on else self._lost(evidence, match, before)
        self._moved(evidence, placement, fit)
        self._place_twins(placement)
        return placement

    def _refined(
        self, camera: Camera, views: Views, index: int, could: float
    ) -> tuple[Placement, float]:
        """Where a camera lies nearby, and its fit, which `could` be so good. Where it moves itself
        one of its frames fits beside the place of another: then those are tried, too."""
        now, memory = camera.memory.placement, camera.memory

        def found(index: int) -> tuple[Placement, float]:
            return refine(self._eye, camera, views, now, index=index, rounds=ROUNDS, even=True)

        best = found(index)
        if best[1] >= _AS_SHARP * could:
            return best
        known = memory.within(-math.inf, math.inf)
        for beside in (index - 1, index + 1):
            if known.start <= beside < known.stop:
                other = found(beside)
                best = other if other[1] >= _CLEARLY * best[1] else best
        return best

    def _lost(self, evidence: Evidence, match: Match, before: float) -> Placement | None:
        """The camera is not to be found nearby: a zoom that is under way has stopped, or it goes
        on as thought, be it behind what covers it or fades it."""
        if self._speed is None or self._camera is None or self._last is None:
            return None
        camera, there = self._cameras[self._camera], self._last
        if self._eye.fit_at(camera, Views(evidence.luma), there, match.index) >= match.fit:
            return self._stop_at(there)
        if match.fit >= _KEPT * before:
            seen = self._moved_at
            self._moved(evidence, camera.memory.placement, match.fit)
            self._moved_at = seen  # it was not seen there: it may be further off yet
        elif not self.under_way:
            self._stop()
        return None

    def _stop(self) -> None:
        self._speed, self._moves = None, 0

    def _stop_at(self, placement: Placement) -> Placement:
        self._stop()
        self._place_twins(placement)
        return placement

    def _follow_both(self, evidence: Evidence, sides: Sides) -> Placement | None:
        """The same while a wipe goes over it: what is beside it zooms with it."""
        one, two = (self._cameras[number] for number in sides)
        begins = self._speed is None
        found = self._abreast.moved(evidence, sides, begins=begins)
        if found is None:
            if not begins:
                self._moved(evidence, one.memory.placement, self._peak)
            return None
        here, there = found
        self._place(one, here)
        self._place(two, there)
        self._moved(evidence, here, self._peak)
        return here

    def found(self, number: int, placement: Placement, fit: float, evidence: Evidence) -> None:
        """A camera was found to lie elsewhere than thought: that may be a zoom under way."""
        if number != self._camera:
            zooms = self._goes_on_with(number)
            self._handed_from, self._camera = self._camera, number
            if zooms:
                self._hand_over(number, fit, evidence)
            else:
                self._stop()
                self._last = None
        if self._cameras[number] not in self._twins:
            self._twins = [self._cameras[number]]
        self._frames, self._peak = max(self._frames, _STEADY), fit
        self._moved(evidence, placement, fit)

    def _goes_on_with(self, number: int) -> bool:
        """Whether the program, zooming, has cut to a camera that lies as the one before would by
        now: it is the program that zooms."""
        if self._camera is None or self._speed is None:
            return False
        now, there = (self._cameras[n].memory.placement for n in (self._camera, number))
        same = now.mirror == there.mirror and now.on.near(there.on)
        return same and step(now, there) <= _STRIDE

    def _hand_over(self, number: int, fit: float, evidence: Evidence) -> None:
        """The zoom goes on with another camera."""
        self._frames, self._peak = _STEADY, fit
        self._handed_at = evidence.index
        self._twins = twins(self._cameras, evidence, number)
        self._last = self._cameras[number].memory.placement
        self._moved_at, self._since_ms = evidence.index, evidence.at_ms

    def predict(self, at_ms: float) -> int | None:
        """Before a program picture is looked at: a zoom will have gone on. Returns the number of
        the camera that was moved, if the zoom is under way."""
        if self._speed is None or self._camera is None or self._last is None:
            return None
        dt = at_ms - self._since_ms
        if not 0 < dt < (_SPEED_MS if self.under_way else _BRIEFLY_MS):
            self._stop()
            return None
        of = self._last.of
        ahead = kept_inside(
            Rect(*(v + s * dt for v, s in zip(edges(of), self._speed, strict=True)))
        )
        placement = Placement(self._last.on, ahead, self._last.mirror)
        if ahead.x1 - ahead.x0 > 1 or ahead.y1 - ahead.y0 > 1 or not placement.possible:
            self._stop()
            return None
        self._place_twins(placement)
        return self._camera if self.under_way else None

    def _place_twins(self, placement: Placement) -> None:
        for camera in self._twins:
            self._place(camera, placement)

    def _moved(self, evidence: Evidence, placement: Placement, fit: float) -> None:
        dt, last = evidence.at_ms - self._since_ms, self._last
        # What jumped was no zoom.
        near = last is not None and step(last, placement) <= _MISSED * _STRIDE
        if not near:
            self._stop()
        elif last is not None and 0 < dt < _SPEED_MS and last.on == placement.on:
            now = speed(last.of, placement.of, dt)
            before = self._speed or now
            self._moves = self._moves + 1 if same_way(before, now) else 0
            x0, y0, x1, y1 = ((a + b) / 2 for a, b in zip(before, now, strict=True))
            self._speed = x0, y0, x1, y1
        self._moved_at, self._since_ms, self._last = evidence.index, evidence.at_ms, placement
        self._from, self._tried = 0, fit
        self._peak = max(fit, _ZOOM_DECAY * self._peak)


def twins(cameras: Sequence[Camera], evidence: Evidence, number: int) -> list[Camera]:
    """A camera, and those that lie just as it does and explain the picture as well."""
    match, place = evidence.matches[number], cameras[number].memory.placement
    least = AS_WELL * match.fit if match is not None else 0.0
    return [
        camera
        for n, (camera, other) in enumerate(zip(cameras, evidence.matches, strict=True))
        if n == number
        or (other is not None and other.fit >= least and camera.memory.placement == place)
    ]
