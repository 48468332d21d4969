"""The eye: turns each program picture into evidence for every state of the sequence model."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from tap.sight.camera import LEVEL_START, Camera, usual_delay
from tap.sight.doubt import UNLIKE, Doubt, level_of, usual_fit
from tap.sight.evidence import REPEAT_WEIGHT, Evidence, Match
from tap.sight.infer import States
from tap.sight.lineup import EXPLAINED, Lineup
from tap.sight.look import Floats, Rect, unit
from tap.sight.match import gains, part_of
from tap.sight.pairs import Pairs
from tap.sight.placement import Placement
from tap.sight.race import Race
from tap.sight.replays import Replays
from tap.sight.settings import SightSettings
from tap.sight.views import Light, Views, is_portrait
from tap.vocabulary import LookAt, Luma, when_asked

_BLACK_MEAN, _WHITE_MEAN, _FLAT_STD, _PLAIN_STD = 30.0, 225.0, 5.0, 1.0
_SHINES, _SHINING = 0.85, 40.0
"""Part of a camera's usual fit, and nats, by which it is seen in a picture that is nearly black."""
_CERTAIN = 60.0
"""Nats for what needs no matching: black is black."""
_REPEAT = 0.02
"""Mean grey-level difference below which a program picture is the last one again."""
_ALIKE = 0.5
"""Part of the best fit from which on a second camera is much like the first."""
_TRIED, _HINT = 30, 0.1
"""Frames of a camera's past that a new placement is tried on first; from this fit of the best of
them on, those around it are tried as well."""
_HIDDEN = 0.8
"""A camera that fits to less than this part as it usually does is partly hidden."""
_DARKEST = 0.01
"""The part of a picture by which it is told how dark the program's darkest is."""
_FLOOR_PACE, _ABOVE, _HIGHEST = 0.002, 12.0, 60.0
"""A grade may lift black: grey levels above the program's own darkest that still are black, and the
highest that can be."""


class Eye:
    """Looks at program pictures through the cameras' memories."""

    def __init__(
        self,
        states: States,
        cameras: list[Camera],
        settings: SightSettings,
        look_at: LookAt = when_asked,
    ) -> None:
        self._states = states
        self._cameras = cameras
        self._settings = settings
        self._doubt = Doubt(states, cameras)
        self._pairs = Pairs(states, cameras)
        self._race = Race(cameras, settings)
        self._replays = Replays(states, cameras, settings.max_delay_ms)
        self._lineup = Lineup(cameras, settings, self._race, look_at)
        self._last: Luma | None = None
        self._floor = _BLACK_MEAN
        """Grey level of the darkest that the program shows."""
        self._new: Evidence | None = None
        """Evidence of the last picture that was no repetition."""
        self._newest: Evidence | None = None
        self._before: tuple[Rect, Floats] | None = None
        """The part of the last picture that shows the leader, as unit blocks."""

    def call_up(self) -> None:
        """In the next picture look at those cameras as well that are usually left out."""
        self._race.call()

    def look(self, index: int, at_ms: float, luma: Luma) -> Evidence:
        """Evidence of one (h, w) program picture, taken in order."""
        if self._newest is not None:
            self._race.note(self._newest, explained=self.explained(self._newest))
        repeat, views = self._is_repeat(luma), Views(luma)
        self._last = luma
        self._look_for_floor(views)
        skipped = None if repeat else self._pass_over(index, at_ms, views)
        evidence = skipped or self._look_at(index, at_ms, views, repeat=repeat)
        new = self._new
        if not repeat or new is None:
            self._new = evidence
        else:
            evidence.say_again(new)
        self._newest = evidence
        return evidence

    def _pass_over(self, index: int, at_ms: float, views: Views) -> Evidence | None:
        """Evidence of a picture that flows on from the one before; None if it must be looked at."""
        before, self._before = self._before, None
        number = self._race.leader
        if number is None or _flat(views.light, self._black()):
            return None
        camera = self._cameras[number]
        on = camera.memory.placement.on
        seen, _ = views.through(on)
        self._before = on, unit(seen.blocks)[0]
        if before is None or before[0] != on:
            return None
        flow = part_of(seen, before[1])
        blind = self._blind_at(at_ms)
        due_ms = at_ms - (camera.delay.ms or 0.0)
        if number in blind or camera.memory.lacks(due_ms):
            return None
        contrast = _contrast(views.light)
        if not self._race.may_skip(flow, contrast):
            return None
        states, count = self._states, len(self._cameras)
        nats = np.full(states.count, -_CERTAIN)
        nothing: list[Match | None] = [None] * count
        evidence = Evidence(index, at_ms, views.luma, nats, nothing, skipped=True, blind=blind)
        evidence.places = self._places()
        evidence.left_out = tuple(range(count))
        evidence.information = views.information
        for i in range(count):
            held = self._race.carried(i, views.information)
            nats[i] = 0.0 if i in blind else held
        nats[states.off] = self._race.off(views.information)
        evidence.contrast, evidence.gain = contrast, self._race.gain
        return evidence

    def look_again(self, index: int, at_ms: float, luma: Luma, *, repeat: bool) -> Evidence:
        """The same without noticing the order: after a placement has changed."""
        return self._look_at(index, at_ms, Views(luma), repeat=repeat)

    def _look_at(self, index: int, at_ms: float, views: Views, *, repeat: bool) -> Evidence:
        looked = self._lineup.match(at_ms, views, repeat=repeat)
        evidence = Evidence(
            index, at_ms, views.luma, np.zeros(self._states.count), looked.matches, repeat=repeat
        )
        evidence.replayed, evidence.raced = looked.replayed, looked.raced
        evidence.left_out, evidence.places = looked.left_out, self._places()
        evidence.flat = _flat(views.light, self._black())
        if evidence.flat == "black" and self._shines_through(evidence):
            evidence.flat = None
        evidence.contrast = _contrast(views.light)
        evidence.blind = self._blind_at(at_ms)
        self._weigh(evidence, views)
        return evidence

    def look_back(self, earlier: Iterable[Evidence]) -> bool:
        """See whether a replay that was found just now is in earlier pictures, too, the newest of
        them first. True if one of them says something else now."""
        return self._replays.look_back(earlier)

    def _places(self) -> tuple[Placement, ...]:
        return tuple(camera.memory.placement for camera in self._cameras)

    def _shines_through(self, evidence: Evidence) -> bool:
        """Whether a camera is still to be seen in a picture that is nearly black: a fade."""
        return any(
            match is not None
            and match.fit >= _SHINES * camera.level
            and float(match.information.sum()) >= _SHINING
            for match, camera in zip(evidence.matches, self._cameras, strict=True)
        )

    def explained(self, evidence: Evidence) -> bool:
        """Whether some camera, or black, explains the picture as well as cameras usually do."""
        if evidence.flat or evidence.skipped or evidence.replayed is not None:
            return True
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None:
            return False
        if usual_fit(self._cameras) is not None:
            return evidence.odd < UNLIKE or self._pairs.explain(evidence)
        return match.fit >= EXPLAINED * 0.85 * self._cameras[best].level

    def is_partly_hidden(self, evidence: Evidence) -> bool:
        """Whether the camera that explains a picture best explains much less than it usually does:
        what hides it may be one that is yet to be found."""
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None:
            return False
        return match.fit < _HIDDEN * self._cameras[best].level

    def fit(
        self, camera: Camera, at_ms: float, views: Views, placement: Placement
    ) -> tuple[float, int]:
        """Best fit of a camera under another placement, and the index of the frame that has it."""
        part = self._lineup.window(camera, at_ms, wide=not camera.delay.locked)
        fit, best = self.search_inside(camera, views, placement, part, most=_TRIED)
        return views.through(placement.on)[1] * fit, best

    def fit_at(self, camera: Camera, views: Views, placement: Placement, index: int) -> float:
        """Fit of one frame of a camera's memory under another placement."""
        fit, _ = self.fit_inside(camera, views, placement, [index])
        return views.through(placement.on)[1] * fit

    def search_inside(
        self, camera: Camera, views: Views, placement: Placement, part: slice, *, most: int
    ) -> tuple[float, int]:
        """Best fit of the frames in a part of a camera's memory, whatever lies outside of the
        placement: about `most` of them first, then those around the best. (0, -1) for none."""
        count = part.stop - part.start
        if count <= 0:
            return 0.0, -1
        stride = -(-count // most)
        found = self.fit_inside(camera, views, placement, range(part.start, part.stop, stride))
        if stride == 1 or found[0] < _HINT:
            return found
        first, last = max(part.start, found[1] - stride + 1), min(part.stop, found[1] + stride)
        around = [index for index in range(first, last) if index != found[1]]
        return max(found, self.fit_inside(camera, views, placement, around))

    def fit_inside(
        self, camera: Camera, views: Views, placement: Placement, chosen: Sequence[int]
    ) -> tuple[float, int]:
        """Best fit of some frames of a camera's memory, whatever lies outside of the placement."""
        seen, _ = views.through(placement.on, camera.memory.cells_in(placement))
        total = float(seen.information.sum())
        if total <= 1:
            return 0.0, -1
        nats = self.per_block(camera, views, placement, chosen).sum(axis=0)
        best = int(np.argmax(nats))
        return float(nats[best]) / total, chosen[best]

    def per_block(
        self, camera: Camera, views: Views, placement: Placement, chosen: Sequence[int]
    ) -> npt.NDArray[np.float64]:
        """(32, n) nats that each of some frames of a camera's memory gains in each block of a
        placement."""
        seen, _ = views.through(placement.on, camera.memory.cells_in(placement))
        portrait = is_portrait(placement.on, views.luma.shape)
        units = np.stack(
            [camera.memory.look(camera.memory.luma(i), placement, portrait)[0] for i in chosen],
            axis=1,
        )
        return gains(seen, units)[0]

    # ------------------------------------------------------------------ one camera

    def _blind_at(self, at_ms: float) -> tuple[int, ...]:
        """The cameras without pictures around the moment that this program picture was taken."""
        usual = usual_delay(self._cameras) or 0.0
        return tuple(
            i for i, camera in enumerate(self._cameras) if self._is_blind(camera, at_ms, usual)
        )

    def _is_blind(self, camera: Camera, at_ms: float, usual_ms: float) -> bool:
        delay = camera.delay.ms if camera.delay.ms is not None else usual_ms
        gap_ms = self._settings.gap_ms
        part = camera.memory.within(at_ms - delay - gap_ms, at_ms - delay + gap_ms)
        return bool(part.stop <= part.start)

    # ------------------------------------------------------------------ all together

    def _weigh(self, evidence: Evidence, views: Views) -> None:
        states, nats = self._states, evidence.nats
        information = evidence.information = views.information
        for i, match in enumerate(evidence.matches):
            if match is not None:
                nats[i] = match.fit * information - match.toll
            elif i in evidence.left_out and i not in evidence.blind:
                nats[i] = self._race.carried(i, information)
        best = evidence.best
        level = level_of(best, self._cameras) if best is not None else LEVEL_START
        nats[states.off] = self._doubt.off(evidence, views, best, level)
        if not (evidence.on_camera and evidence.odd < UNLIKE) and self._leave_out_frozen(evidence):
            best = evidence.best
            level = level_of(best, self._cameras) if best is not None else LEVEL_START
            evidence.odd = -1.0
            nats[states.off] = self._doubt.off(evidence, views, best, level)
        usual = usual_delay(self._cameras)
        for i, camera in enumerate(self._cameras):
            # The very picture may be one of those missing: then no match is no evidence.
            delay = camera.delay.ms if camera.delay.ms is not None else usual
            if i in evidence.blind or delay is None:
                continue
            if camera.memory.lacks(evidence.at_ms - delay):
                evidence.lacking += (i,)
                nats[i] = max(nats[i], nats[states.off])
        nats[states.black] = -_CERTAIN
        nats[states.first_pair :] = -_CERTAIN
        if evidence.flat == "black":
            nats[states.black] = nats.max() + _CERTAIN
        elif evidence.flat == "plain" or (best is None and evidence.blind):
            nats[states.off] = nats.max() + _CERTAIN
        elif best is not None:
            match = evidence.matches[best]
            if match is not None and match.fit < EXPLAINED * level:
                self._pairs.weigh(evidence, views, self._pairs.likely(evidence))
                self._doubt.beside_pairs(evidence, best, level)
            elif (second := self._alike(evidence, best)) is not None:
                self._pairs.weigh(evidence, views, [(min(best, second), max(best, second))])
            self._replays.look(evidence, views)
        if evidence.repeat:
            nats *= REPEAT_WEIGHT

    def _leave_out_frozen(self, evidence: Evidence) -> bool:
        """A picture that no camera explains may be of one that is frozen: of that nothing is known.

        What a frozen camera explains all the same is still its picture. True if one is left out.
        """
        usual = usual_delay(self._cameras) or 0.0
        for i, camera in enumerate(self._cameras):
            delay = camera.delay.ms if camera.delay.ms is not None else usual
            if i in evidence.blind or not camera.still.is_frozen(evidence.at_ms - delay):
                continue
            evidence.frozen += (i,)
            evidence.matches[i] = None
            evidence.nats[i] = 0.0
        evidence.blind += evidence.frozen
        return bool(evidence.frozen)

    @staticmethod
    def _alike(evidence: Evidence, best: int) -> int | None:
        """The camera that explains the picture nearly as well as the best: a dissolve between two
        that are alike looks much like either."""
        fits = [(match.fit, i) for i, match in enumerate(evidence.matches) if match and i != best]
        fit, second = max(fits, default=(0.0, best))
        match = evidence.matches[best]
        return second if match is not None and fit > _ALIKE * match.fit else None

    def _look_for_floor(self, views: Views) -> None:
        """Learn how dark the program's darkest is, from pictures that have light and dark."""
        if views.light.deviation > 2 * _FLAT_STD:
            darkest = _dark(views.luma[::4, ::4])
            pace = 1.0 if darkest < self._floor else _FLOOR_PACE
            self._floor += pace * (darkest - self._floor)

    def _black(self) -> float:
        """Mean grey level below which an even picture is black."""
        return max(_BLACK_MEAN, min(_HIGHEST, self._floor + _ABOVE))

    def _is_repeat(self, luma: Luma) -> bool:
        if self._last is None or self._last.shape != luma.shape:
            return False
        # Every fourth row tells as well as all of them, at a quarter of the price.
        now = luma[::4]
        return cv2.norm(now, self._last[::4], cv2.NORM_L1) < _REPEAT * now.size


def _contrast(light: Light) -> float:
    return light.deviation / 64


def _dark(picture: Luma) -> float:
    """The grey level below which a hundredth of a picture is."""
    at = int(picture.size * _DARKEST)
    return float(np.partition(picture, at, axis=None)[at])


def _flat(light: Light, black: float) -> str | None:
    if light.deviation > _FLAT_STD:
        return None
    if light.mean < black:
        return "black"
    return "plain" if light.mean > _WHITE_MEAN or light.deviation < _PLAIN_STD else None
