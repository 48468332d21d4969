"""The line-up: which frames of which cameras are held against a program picture.

Everybody's, all around where they are due, is the reference. Lazily only those in the race are; or,
where something else is on, those whose one frame that is due tells that they may be it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tap.sight.camera import Camera, usual_delay
from tap.sight.crowd import FEW
from tap.sight.doubt import UNLIKE, usual_level
from tap.sight.evidence import Match
from tap.sight.look import Cells, Floats, Rect
from tap.sight.match import Seen, gains
from tap.sight.race import Race
from tap.sight.settings import JUMP_MS, SightSettings
from tap.sight.views import Views
from tap.vocabulary import LookAt

EXPLAINED = 0.9
"""From this part of its usual fit on, a camera explains the picture alone: no pairs are tried."""
_BARE = 0.7
"""Quantile of the blocks' contrast that stands for the picture's: graphics hide it elsewhere."""
_CALLED, _CALLED_OF_MANY = 0.7, 0.3
"""Part of the usual fit that the picture that is due must reach, to look more closely at those only
that may be it."""
_AROUND_MS = 250.0
"""How far around the frame that is due a camera is looked for whose delay is not known well."""
_STRIDE, _STRIDE_MS, _HINT = 4, 160.0, 0.15
"""Where a camera may be anywhere in its past, one of so many frames is tried first, but no fewer
than one in so many ms: pictures further apart need not be alike. Then those around the best, if it
fits so well."""
_SLACK_MS = 120.0
"""How far outside the interval of a known delay a camera is looked for."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of it: a match for each camera that has frames and was looked at."""

    matches: list[Match | None]
    replayed: int | None = None
    """The camera whose older pictures fit as well as its own always do."""
    raced: bool = False
    """Only those were looked at who are in the race, and all is as it was."""
    left_out: tuple[int, ...] = ()
    """Cameras that were not looked at."""


class Lineup:
    """Holds cameras against program pictures."""

    def __init__(
        self, cameras: Sequence[Camera], settings: SightSettings, race: Race, look_at: LookAt
    ) -> None:
        self._cameras = cameras
        self._look_at = look_at
        self._settings = settings
        self._race = race
        self._crowded = race.is_lazy and len(cameras) > FEW
        self._usual_ms: float | None = None
        """The usual delay, as of the picture that is looked at."""

    def match(self, at_ms: float, views: Views, *, repeat: bool) -> Looked:
        """Match the cameras that must be; `repeat`: the program shows its last picture again."""
        self._usual_ms = usual_delay(self._cameras)
        raced = self._match_racing(at_ms, views, repeat=repeat)
        matches = raced or self._match_called(at_ms, views)
        if matches is None:
            return Looked(*self._match_all(at_ms, views))
        left_out = tuple(i for i, match in enumerate(matches) if match is None)
        return Looked(matches, raced=raced is not None, left_out=left_out)

    def window(self, camera: Camera, at_ms: float, *, wide: bool) -> slice:
        """The part of a camera's memory that a picture at `at_ms` may show: around its delay, or
        (`wide`, or where none is known) at all delays that may be."""
        s = self._settings
        if not wide and camera.delay.ms is not None:
            low, high = camera.delay.interval_ms
            return camera.memory.within(at_ms - high - _SLACK_MS, at_ms - low + _SLACK_MS)
        return camera.memory.within(at_ms - s.max_delay_ms, at_ms + s.max_lookahead_ms)

    def _match_all(self, at_ms: float, views: Views) -> tuple[list[Match | None], int | None]:
        """Near each known delay first; everywhere if no camera explains the picture so.

        A camera with a known delay may be found somewhat off it (delays jump); a match far in its
        past is a replay of older pictures. Returns the matches, and the camera replayed if one is.
        """
        cameras = self._cameras
        unknown = self._race.is_lazy and usual_level(cameras) is None
        near = [self._match_first(camera, at_ms, views, unknown=unknown) for camera in cameras]
        if unknown or any(self._is_itself(c, m) for c, m in zip(cameras, near, strict=True)):
            return near, None
        matches, replayed = list(near), None
        for i, camera in enumerate(cameras):
            far = self._match_far(camera, at_ms, views)
            if far is None:
                continue
            # A replay is late. What comes sooner than it should shows that the delay has changed.
            if not camera.delay.locked or far.lag_ms - (camera.delay.ms or 0.0) <= JUMP_MS:
                matches[i] = _better(near[i], far)
            elif far.fit >= 0.8 * camera.level and self._is_itself(camera, far):
                replayed = i
        return matches, replayed

    def _match_first(
        self, camera: Camera, at_ms: float, views: Views, *, unknown: bool
    ) -> Match | None:
        """A camera around its delay; where that isn't known, at all delays that may be: roughly as
        long as all are `unknown`. Of many cameras around what is supposed, once any is known."""
        if self._crowded and not unknown:
            return self._match_near(camera, at_ms, views)
        if unknown and not camera.delay.locked:
            return self._match_anywhere(camera, at_ms, views)
        return self._match_in(camera, at_ms, views, wide=not camera.delay.locked)

    def _match_far(self, camera: Camera, at_ms: float, views: Views) -> Match | None:
        """A camera where it was not looked for at first; None if that was everywhere."""
        if not (camera.delay.locked or self._crowded):
            return None
        far, late_ms = self._match_anywhere(camera, at_ms, views), camera.elsewhen.lag_ms
        if late_ms is None:
            return far
        # A rough look may miss where it was a moment ago.
        part = camera.memory.within(at_ms - late_ms - _AROUND_MS, at_ms - late_ms + _AROUND_MS)
        return _better(
            far, self._match_of(camera, at_ms, views, part) if part.stop > part.start else None
        )

    def _match_racing(
        self, at_ms: float, views: Views, *, repeat: bool
    ) -> list[Match | None] | None:
        """Only those in the race, if that is enough."""
        race, cameras = self._race, self._cameras
        if race.leader is None:
            return None
        leader, rivals = cameras[race.leader], race.rivals()
        match: Match | None = None
        if not rivals and not race.is_followed and not repeat:
            match = self._match_due(leader, at_ms, views)
            if match is not None and not race.goes_on(match, just_as=True):
                match = None
        match = match or self._match_in(leader, at_ms, views, wide=False)
        if match is None or not race.goes_on(match) or not self._is_itself(leader, match):
            return None
        if race.is_call_due:
            others = [i for i in range(len(cameras)) if i not in (race.leader, *rivals)]
            if not race.called(self._fits_due(others, at_ms, views)):
                return None
        matches: list[Match | None] = [None] * len(cameras)
        matches[race.leader] = match
        for i in rivals:
            camera = cameras[i]
            matches[i] = self._match_in(camera, at_ms, views, wide=not camera.delay.locked)
        return matches

    def _match_called(self, at_ms: float, views: Views) -> list[Match | None] | None:
        """Something else is on: call up everybody with the one picture that is due; if that tells
        who it is, only those who may be it are looked at more closely."""
        cameras, usual = self._cameras, usual_level(self._cameras)
        if not self._race.is_lazy or usual is None:
            return None
        presumed = self._race.presumed() if self._crowded else None
        if presumed is not None:
            racers = [presumed, *self._race.rivals(presumed)]
            matches = self._match_racers(racers, at_ms, views, usual)
            if matches is not None:
                return matches
        fits = self._fits_due(range(len(cameras)), at_ms, views)
        best = max(fits.values(), default=0.0)
        racers = self._race.racers(fits, best)
        if best < (_CALLED_OF_MANY if self._crowded else _CALLED) * usual:
            return None
        return self._match_racers(racers, at_ms, views, usual)

    def _match_racers(
        self, racers: Sequence[int], at_ms: float, views: Views, usual: float
    ) -> list[Match | None] | None:
        """Some cameras around where they are due; None if none of them explains the picture."""
        cameras = self._cameras
        matches: list[Match | None] = [None] * len(cameras)
        for i in racers:
            matches[i] = self._match_near(cameras[i], at_ms, views)
        for camera, match in zip(cameras, matches, strict=True):
            level = camera.level if camera.chart.known else usual
            if match is None or match.fit < EXPLAINED * level:
                continue
            if self._is_itself(camera, match):
                return matches
        return None

    def _match_near(self, camera: Camera, at_ms: float, views: Views) -> Match | None:
        """A camera's frames at the delays that it may have; around what is supposed where it has
        not been seen."""
        if camera.delay.ms is not None:
            return self._match_in(camera, at_ms, views, wide=False)
        due_ms = at_ms - camera.supposed_ms(self._usual_ms)
        part = camera.memory.within(due_ms - _AROUND_MS, due_ms + _AROUND_MS)
        return self._match_of(camera, at_ms, views, part) if part.stop > part.start else None

    def _match_anywhere(self, camera: Camera, at_ms: float, views: Views) -> Match | None:
        """A camera's frames at all delays that may be: lazily a rough look, then a close one."""
        if not self._race.is_lazy:
            return self._match_in(camera, at_ms, views, wide=True)
        part = self.window(camera, at_ms, wide=True)
        stride = _stride(camera.memory.times(part))
        first = part.start + -part.start % stride  # always the same frames: they are decoded once
        if first >= part.stop:
            return self._match_in(camera, at_ms, views, wide=True)
        memory, indices = camera.memory, np.arange(first, part.stop, stride)
        seen, _ = views.through(memory.placement.on, memory.cells)
        nats = gains(seen, memory.units_at(indices))[0].sum(axis=0)
        best = int(np.argmax(nats - camera.delay.toll(at_ms - memory.times(indices))))
        around = stride if nats[best] >= _HINT * float(seen.information.sum()) else 1
        best = int(indices[best])
        part = slice(max(part.start, best - around + 1), min(part.stop, best + around))
        return self._match_of(camera, at_ms, views, part)

    def _due(self, camera: Camera, at_ms: float) -> int:
        """The index of the one frame of a camera that is due."""
        return camera.memory.due(at_ms - camera.supposed_ms(self._usual_ms))

    def _match_due(self, camera: Camera, at_ms: float, views: Views) -> Match | None:
        """How the one frame of a camera that is due explains the picture."""
        if not len(camera.memory):
            return None
        due = self._due(camera, at_ms)
        return self._match_of(camera, at_ms, views, slice(due, due + 1))

    def _fits_due(self, numbers: Sequence[int], at_ms: float, views: Views) -> dict[int, float]:
        """How the one frame that is due of each of some cameras fits; many are matched at once."""
        cameras = self._cameras
        due_of = [(c.memory, self._due(c, at_ms)) for i in numbers if len((c := cameras[i]).memory)]
        stale = [memory.stale(due) for memory, due in due_of]
        self._look_at([picture for picture in stale if picture is not None])
        if len(cameras) <= FEW:
            due = {i: self._match_due(cameras[i], at_ms, views) for i in numbers}
            return {i: match.fit if match else 0.0 for i, match in due.items()}
        fits = dict.fromkeys(numbers, 0.0)
        alike: dict[tuple[Rect, Cells | None], list[int]] = {}
        for i in numbers:
            memory = cameras[i].memory
            if len(memory):
                alike.setdefault((memory.placement.on, memory.cells), []).append(i)
        for (on, cells), group in alike.items():
            seen, penalty = views.through(on, cells)
            information = float(seen.information.sum())
            if information <= 1:
                continue
            units = np.concatenate([self._units_due(cameras[i], at_ms) for i in group], axis=1)
            nats = gains(seen, units)[0].sum(axis=0)
            fits.update(
                (i, penalty * float(n) / information) for i, n in zip(group, nats, strict=True)
            )
        return fits

    def _units_due(self, camera: Camera, at_ms: float) -> Floats:
        due = self._due(camera, at_ms)
        return camera.memory.units(slice(due, due + 1))

    @staticmethod
    def _is_itself(camera: Camera, match: Match | None) -> bool:
        """Whether a match is as good as the camera's always are, in what moves too."""
        if match is None or match.fit < 0.8 * camera.level:
            return False
        if not camera.chart.settled:
            return True
        match.motion = camera.memory.motion(match.index)
        untimely = camera.chart.untimely(match.blocks, match.information, match.motion)
        return untimely < UNLIKE

    def _match_in(self, camera: Camera, at_ms: float, views: Views, *, wide: bool) -> Match | None:
        part = self.window(camera, at_ms, wide=wide)
        return self._match_of(camera, at_ms, views, part) if part.stop > part.start else None

    @staticmethod
    def _match_of(camera: Camera, at_ms: float, views: Views, part: slice) -> Match:
        """The best of some frames of a camera."""
        seen, penalty = views.through(camera.memory.placement.on, camera.memory.cells)
        memory = camera.memory
        per_block, along = gains(seen, memory.units(part))
        curve = per_block.sum(axis=0)
        times = memory.times(part)
        tolled = curve - camera.delay.toll(at_ms - times)
        best = int(np.argmax(tolled))
        information = float(seen.information.sum())
        fit = penalty * float(curve[best]) / information if information > 1 else 0.0
        gain = _gain(seen, along[:, best], memory.lengths(part)[best], camera.chart.bare)
        return Match(
            fit=fit,
            toll=float(curve[best] - tolled[best]),
            lag_ms=at_ms - float(times[best]),
            gain=gain,
            index=part.start + best,
            blocks=per_block[:, best] / np.maximum(seen.information, 1e-6),
            information=seen.information,
            times=times,
            curve=curve,
        )


def _stride(times: npt.NDArray[np.float64]) -> int:
    """Of frames of these times (n,) in ms, one of how many is tried first."""
    if len(times) < 2:
        return 1
    step_ms = float(times[-1] - times[0]) / (len(times) - 1)
    return max(1, min(_STRIDE, round(_STRIDE_MS / max(step_ms, 1.0))))


def _gain(seen: Seen, along: Floats, lengths: Floats, bare: npt.NDArray[np.float64]) -> float:
    """Contrast of a program's blocks (32,), relative to the camera's, where it is least covered.

    What lies over the camera has contrast of its own, but is like it by chance only. `bare` as
    `Chart.bare`.
    """
    like = along * along / np.maximum(seen.energy, 1e-3)
    order = np.argsort(along / np.maximum(lengths, 1e-3))
    weights = np.cumsum((bare * lengths * like)[order])
    if weights[-1] <= 1:
        return 0.0
    at = order[min(len(order) - 1, int(np.searchsorted(weights, _BARE * weights[-1])))]
    return float(along[at] / max(float(lengths[at]), 1e-3))


def _better(a: Match | None, b: Match | None) -> Match | None:
    if a is None or b is None:
        return a or b
    return a if a.fit >= b.fit else b
