"""Follows a zoom of the program: from frame to frame its camera lies a little beside where it just
lay, and goes on as it went."""

from collections.abc import Callable, Sequence

from tap.sight.camera import Camera
from tap.sight.doubt import UNLIKE, usual_level
from tap.sight.evidence import Evidence
from tap.sight.eye import Eye
from tap.sight.look import Rect
from tap.sight.motion import Edges, edges, speed, step
from tap.sight.placement import Placement
from tap.sight.refine import refine
from tap.sight.views import Views

WORTH, AS_USUAL = 0.3, 0.75
"""A placement must explain this part of the picture; where it is known how well cameras fit, this
part of that."""
ROUNDS = 7
"""Refining steps at most."""
STEP_GAIN = 0.004
"""Fit that a refined placement must gain."""
_STEADY = 3
"""Frames that a camera must have been explaining the picture before its zoom is followed."""
_TRACKED, _PEAK_DECAY, _ZOOM_DECAY = 0.985, 0.999, 0.97
"""A fit below this part of its recent peak: the program may be zooming. What is left of the peak a
frame later, and where the camera was found to be zoomed, which costs sharpness."""
_RARELY, _FALLEN = 12, 0.01
"""Frames between looks for a zoom, once one found none and unless the fit falls further."""
_STRIDE, _KEPT = 0.025, 0.7
"""A zoom moves no edge by more than this part of the picture from one frame to the next, and leaves
this part of the fit; what moves further was cut to."""
_LOST = 0.5
"""Below this part of its recent peak the zoom is lost."""
_MISSED, _SPEED_MS = 4, 200.0
"""Frames that a zoom may be lost for and still be followed, and how long its speed is believed."""

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
        self._place = place
        self._camera: int | None = None
        """The camera that explains best, for how many frames, and its best fit in them."""
        self._frames, self._peak = 0, 0.0
        self._itself = False
        """Whether the picture was that camera's beyond doubt in one of them."""
        self._twins: list[Camera] = []
        """It, and those that can't be told from it."""
        self._from, self._tried = 0, 1.0
        self._speed: Edges | None = None
        """How fast the edges of the camera's part move, per ms, while a zoom is on."""
        self._last: Placement | None = None
        """Where the camera was seen to lie last, when, and in which frame."""
        self._since_ms, self._moved_at = 0.0, 0

    @property
    def steady(self) -> bool:
        """Whether one camera has explained the picture for some frames."""
        return self._frames >= _STEADY

    def watch(self, evidence: Evidence) -> float:
        """Note which camera explains the picture; returns the peak of its fit before."""
        best = evidence.best
        if best is not None and self._camera is not None:
            alike = twins(self._cameras, evidence, best)
            best = self._camera if self._cameras[self._camera] in alike else best
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None or best != self._camera:
            zooms = best is not None and match is not None and self._goes_on_with(best)
            self._camera, self._frames, self._peak, self._tried = best, 0, 0.0, 1.0
            self._itself = False
            if zooms and best is not None and match is not None:
                self._hand_over(best, match.fit, evidence)
                return match.fit
            self._speed, self._last, self._moved_at = None, None, 0
            return 0.0
        self._frames += 1
        self._itself = self._itself or (evidence.on_camera and evidence.odd < UNLIKE)
        self._twins = twins(self._cameras, evidence, best)
        before, self._peak = self._peak, max(_PEAK_DECAY * self._peak, match.fit)
        return before

    def follow(self, evidence: Evidence, before: float) -> Placement | None:
        """Where the camera now lies if the program zooms; it has been placed there. `before` is the
        peak of its fit."""
        match = evidence.matches[self._camera] if self._camera is not None else None
        if self._camera is None or match is None:
            return None
        if match.fit < _LOST * before:
            self._speed = None  # wherever it went, it was not there
        if self._speed is not None and match.fit > _TRACKED * before:
            now = self._cameras[self._camera].memory.placement
            self._moved_at, self._since_ms, self._last = evidence.index, evidence.at_ms, now
        usual = usual_level(self._cameras) or WORTH
        poor = before < AS_USUAL * usual and not self._itself
        if not self.steady or poor or match.fit > _TRACKED * before:
            return None
        if evidence.index < self._from and match.fit > self._tried - _FALLEN:
            return None
        camera = self._cameras[self._camera]
        if self._camera in (*evidence.lacking, *evidence.blind):
            return None  # its very picture is missing: another one would be bent into that
        if camera.still.repeats(evidence.at_ms - match.lag_ms):
            return None  # a feed that freezes would be bent into what it no longer shows
        now = camera.memory.placement
        placement, fit = refine(
            self._eye, camera, Views(evidence.luma), now, index=match.index, rounds=ROUNDS
        )
        frames = min(_MISSED, evidence.index - self._moved_at) if self._moved_at else 1
        small = step(now, placement) <= _STRIDE * frames and placement.possible
        if fit < match.fit + STEP_GAIN or not small or fit < _KEPT * before:
            self._from, self._tried = evidence.index + _RARELY, match.fit
            self._speed = None
            return None
        self._moved(evidence, placement, fit)
        self._place_twins(placement)
        return placement

    def found(self, number: int, placement: Placement, fit: float, evidence: Evidence) -> None:
        """A camera was found to lie elsewhere than thought: that may be a zoom under way."""
        if number != self._camera:
            zooms = self._goes_on_with(number)
            self._camera = number
            if zooms:
                self._hand_over(number, fit, evidence)
            else:
                self._speed, self._last = None, None
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
        self._twins = twins(self._cameras, evidence, number)
        self._last = self._cameras[number].memory.placement
        self._moved_at, self._since_ms = evidence.index, evidence.at_ms

    def predict(self, at_ms: float) -> None:
        """Before a program picture is looked at: a zoom that is under way will have gone on."""
        if self._speed is None or self._camera is None or self._last is None:
            return
        dt = at_ms - self._since_ms
        if not 0 < dt < _SPEED_MS:
            self._speed = None
            return
        of = self._last.of
        ahead = Rect(*(v + s * dt for v, s in zip(edges(of), self._speed, strict=True)))
        placement = Placement(self._last.on, ahead, self._last.mirror)
        if ahead.x1 - ahead.x0 > 1 or ahead.y1 - ahead.y0 > 1 or not placement.possible:
            self._speed = None
            return
        self._place_twins(placement)

    def _place_twins(self, placement: Placement) -> None:
        for camera in self._twins:
            self._place(camera, placement)

    def _moved(self, evidence: Evidence, placement: Placement, fit: float) -> None:
        dt, last = evidence.at_ms - self._since_ms, self._last
        # What jumped was no zoom.
        near = last is not None and step(last, placement) <= _MISSED * _STRIDE
        if last is not None and near and 0 < dt < _SPEED_MS and last.on == placement.on:
            now = speed(last.of, placement.of, dt)
            before = self._speed or now
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
