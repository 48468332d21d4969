"""The composer: finds two cameras standing side by side, each in a part of the picture.

A wipe or a split that leaves each camera where it is shows in the matching already (`match.mix`).
Here the cameras are moved or shrunk to fit their boxes, in the ways that switchers offer, or one is
looked for as an inset in the picture of another.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tap.sight.camera import Camera
from tap.sight.crowd import FEW, step_of
from tap.sight.evidence import Evidence
from tap.sight.eye import Eye
from tap.sight.infer import States
from tap.sight.inset import MISSING, Inset, InsetFinder, is_close
from tap.sight.look import WHOLE, Rect
from tap.sight.placement import Placement
from tap.sight.refine import refine
from tap.sight.views import Views

_KEEN, _EVERY = 6, 10
"""Of the pictures that nothing explains, the first few are searched, then each tenth."""
_SHOWN = 3
"""Once they were found in so many, it is looked whether they are in those before, too."""
_TRIED = 4
"""Of many cameras so many are looked at closely in each box."""
_CANDIDATES, _CANDIDATES_UNKNOWN = 4, 32
"""Frames of a camera that are tried in each box, where its delay is known and where it is not."""
_SLACK_MS = 40.0
_OFF_BELOW = 0.2
"""Part of all nats by which "off camera" is less likely than a picture in a picture that fits."""
_LIKE_ITSELF, _LEAST = 0.3, 0.12
"""A camera must fit its box to this part of its usual fit (it is small there), and to this."""
_SURE, _STANDS_OUT = 0.3, 2.5
"""From this fit on, or from so many times the second best on, a camera is believed to be there."""
_ALONE, _AT_HALF = 6.0, 0.5
"""One that fits so many times better than all others need but reach this part of those limits:
where its delay is not known, the frame that would fit best may not have been tried. So does one
that was found in its box a moment ago."""
_HINT, _WELL = 0.1, 0.6
"""Between this fit and this part of its usual one a camera's place in a box is looked for more
closely: boxes have margins."""
_ROUNDS = 4
_RIM = 0.04
"""Part of a box at each side that is left out."""


@dataclass(frozen=True, slots=True)
class Box:
    """The part `of` of what would fill the program, shown in its part `on`."""

    of: Rect
    on: Rect

    def through(self, usual: Placement) -> Placement | None:
        """How a camera that usually lies so lies in this box; None if it is cropped away."""
        x = _moved((usual.on.x0, usual.on.x1), (usual.of.x0, usual.of.x1), *self._across)
        y = _moved((usual.on.y0, usual.on.y1), (usual.of.y0, usual.of.y1), *self._down)
        if x is None or y is None:
            return None
        (on_x0, on_x1, of_x0, of_x1), (on_y0, on_y1, of_y0, of_y1) = x, y
        if usual.mirror:
            of_x0, of_x1 = usual.of.x0 + usual.of.x1 - of_x1, usual.of.x0 + usual.of.x1 - of_x0
        return Placement(
            on=Rect(on_x0, on_y0, on_x1, on_y1),
            of=Rect(of_x0, of_y0, of_x1, of_y1),
            mirror=usual.mirror,
        )

    @property
    def _across(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return (self.of.x0, self.of.x1), (self.on.x0, self.on.x1)

    @property
    def _down(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return (self.of.y0, self.of.y1), (self.on.y0, self.on.y1)


Layout = tuple[Box, Box]


def _box(of: Rect, on: Rect) -> Box:
    """A box without its rim: where a picture is plain, the line that is drawn around it may be most
    of what there is to see."""
    return Box(of.core(_RIM), on.core(_RIM))


_MIDDLE, _WAIST = Rect(0.25, 0, 0.75, 1), Rect(0, 0.25, 1, 0.75)
LAYOUTS: tuple[Layout, ...] = (
    (_box(_MIDDLE, Rect(0, 0, 0.5, 1)), _box(_MIDDLE, Rect(0.5, 0, 1, 1))),
    (_box(WHOLE, Rect(0, 0.25, 0.5, 0.75)), _box(WHOLE, Rect(0.5, 0.25, 1, 0.75))),
    (_box(_WAIST, Rect(0, 0, 1, 0.5)), _box(_WAIST, Rect(0, 0.5, 1, 1))),
)


class Composer:
    """Follows program pictures in order; adds to their evidence where two cameras share one."""

    def __init__(
        self, eye: Eye, cameras: list[Camera], states: States, max_delay_ms: float
    ) -> None:
        self._eye = eye
        self._max_delay_ms = max_delay_ms
        self._cameras = cameras
        self._states = states
        self._unexplained = 0
        self._shown = 0
        """In so many of the last pictures two cameras were found side by side."""
        self._found: Layout | None = None
        """The layout that was found last; looked for again while nothing else explains."""
        self._placed: dict[tuple[Box, int], tuple[Placement, Placement]] = {}
        """Where cameras were found in boxes, and where each usually lay then."""
        self._shared: set[tuple[Box, int]] = set()
        """The boxes of that layout, each with its camera."""
        self._insets = InsetFinder(eye, cameras, max_delay_ms)

    def look(self, evidence: Evidence) -> bool:
        """Weigh compositions if no camera explains the picture. True if one does."""
        if evidence.repeat or evidence.replayed is not None:
            return evidence.composed is not None
        self._shown = self._shown + 1 if self._look(evidence) else 0
        return self._shown > 0

    def look_back(self, earlier: Iterable[Evidence]) -> bool:
        """Weigh what was found just now in the pictures before, the newest of them first, as it
        may take some to be found. True if it is in one of them that it was not found in."""
        if self._shown != _SHOWN:
            return False
        found = False
        repeats: list[Evidence] = []
        """Those since the picture that they repeat."""
        for evidence in earlier:
            if evidence.repeat:
                repeats.append(evidence)
                continue
            if not (evidence.skipped or evidence.composed is not None):
                if not self._is_in(evidence):
                    break
                found = True
                for repeat in repeats:
                    repeat.say_again(evidence)
            repeats.clear()
        return found

    def _is_in(self, evidence: Evidence) -> bool:
        """Weigh what was found in another picture, if it is in it."""
        inset = self._insets.look_back(evidence)
        if inset is not None:
            self._weigh_inset(evidence, inset)
            return True
        if self._found is None or self._eye.explained(evidence):
            return False
        pair = self._pair_in(self._found, evidence, Views(evidence.luma))
        if pair is not None:
            self._weigh(evidence, *pair)
        return pair is not None

    def _look(self, evidence: Evidence) -> bool:
        if not self._states.pairs:
            return False
        explained = self._eye.explained(evidence)
        if explained:
            self._unexplained, self._found = 0, None
            self._shared.clear()
        views = Views(evidence.luma)
        if self._found is not None and self._is_laid_out(self._found, evidence, views):
            return True  # as before: of its own boxes none is an inset
        inset = self._insets.look(evidence)
        if inset is not None:
            self._weigh_inset(evidence, inset)
            return True
        if explained:
            return False
        self._unexplained += 1
        turn = step_of(self._unexplained, len(self._cameras))
        if turn is None or not (turn <= _KEEN or turn % _EVERY == 0):
            return False
        others = (layout for layout in LAYOUTS if layout != self._found)
        return any(self._is_laid_out(layout, evidence, views) for layout in others)

    def _is_laid_out(self, layout: Layout, evidence: Evidence, views: Views) -> bool:
        """Weigh two cameras in the boxes of a layout, if they are in them."""
        found = self._pair_in(layout, evidence, views)
        if found is None:
            return False
        self._found = layout
        self._shared = set(zip(layout, found[:2], strict=True))
        self._weigh(evidence, *found)
        return True

    def _weigh(self, evidence: Evidence, a: int, b: int, fit: float) -> None:
        state = self._states.pair(a, b)
        self._say(evidence, state, fit * evidence.information)

    def _weigh_inset(self, evidence: Evidence, inset: Inset) -> None:
        """The big camera outside of the inset, the small one inside it."""
        match = evidence.matches[inset.big]
        if match is None:
            return
        outside = float((match.blocks * match.information)[~inset.blocks].sum())
        inside = float(match.information[inset.blocks].sum())
        state = self._states.pair(inset.big, inset.small)
        inside *= max(inset.fit, _LIKE_ITSELF * self._cameras[inset.small].level)
        for rival, part in inset.rivals.items():
            other = self._states.pair(inset.big, rival)
            evidence.nats[other] = max(evidence.nats[other], outside + part * inside)
            evidence.rivals += (other,)
        self._say(evidence, state, outside + inside)

    def _say(self, evidence: Evidence, state: int, nats: float) -> None:
        evidence.nats[state] = max(evidence.nats[state], nats)
        off = self._states.off
        evidence.nats[off] = min(evidence.nats[off], nats - _OFF_BELOW * evidence.information)
        for i in evidence.lacking:
            # It was held to be as likely as none: it still is, unless what there is of it fits.
            match = evidence.matches[i]
            own = match.fit * evidence.information if match is not None else 0.0
            evidence.nats[i] = max(own, float(evidence.nats[off]))
        evidence.composed = state

    def _pair_in(
        self, layout: Layout, evidence: Evidence, views: Views
    ) -> tuple[int, int, float] | None:
        """Two cameras that fill the boxes of a layout, and their mean fit."""
        first, second = (self._cameras_in(box, evidence, views) for box in layout)
        pairs = [
            ((fit_a + fit_b) / 2, a, b)
            for a, fit_a in first.items()
            for b, fit_b in second.items()
            if a != b
        ]
        if not pairs:
            return None
        fit, a, b = max(pairs)
        return a, b, fit

    def _cameras_in(self, box: Box, evidence: Evidence, views: Views) -> dict[int, float]:
        """The cameras that may be what a box shows, with their fits."""
        fits = {
            number: self._fit_in(box, number, evidence, views)
            for number in self._worth_trying(box, evidence, views)
        }
        part = MISSING if evidence.missing else _LIKE_ITSELF
        # Of those that fit but poorly, one must stand out.
        second = sorted((0.0, 0.0, *fits.values()))[-2]
        least = {n: max(_LEAST, part * self._cameras[n].level) for n in fits}
        alone = {n for n, fit in fits.items() if fit > _ALONE * second and not evidence.missing}
        as_before = {n for n in fits if (box, n) in self._shared}
        return {
            number: fit
            for number, fit in fits.items()
            if fit > least[number] * (_AT_HALF if number in alone | as_before else 1.0)
            and (fit > _SURE or fit > _STANDS_OUT * second)
        }

    def _worth_trying(self, box: Box, evidence: Evidence, views: Views) -> Sequence[int]:
        """All cameras; of many, those whose one picture that is due fits best in the box."""
        if len(self._cameras) <= FEW:
            return range(len(self._cameras))
        fits: list[tuple[float, int]] = []
        for number, camera in enumerate(self._cameras):
            placement = box.through(camera.memory.placement)
            part, _ = self._candidates(camera, evidence.at_ms)
            if placement is not None and part.stop > part.start:
                due = (part.start + part.stop) // 2
                fits.append((self._eye.fit_at(camera, views, placement, due), number))
        return [number for _, number in sorted(fits, reverse=True)[:_TRIED]]

    def _fit_in(self, box: Box, number: int, evidence: Evidence, views: Views) -> float:
        """How well a camera fits in a box; one that was never seen may be mirrored or not."""
        camera = self._cameras[number]
        usual = camera.memory.placement
        fit = self._fit_as(box, number, usual, evidence, views)
        if camera.confirmed or fit > _SURE:
            return fit
        turned = replace(usual, mirror=not usual.mirror)
        return max(fit, self._fit_as(box, number, turned, evidence, views))

    def _fit_as(
        self, box: Box, number: int, usual: Placement, evidence: Evidence, views: Views
    ) -> float:
        """The same for a camera that usually lies so."""
        camera = self._cameras[number]
        part, most = self._candidates(camera, evidence.at_ms)
        found = self._placed.get((box, number))
        if found is not None and found[0] == usual:
            fit, _ = self._eye.search_inside(camera, views, found[1], part, most=most)
            if fit >= _WELL * camera.level:
                return fit
        placement = box.through(usual)
        if placement is None:
            return 0.0
        fit, index = self._eye.search_inside(camera, views, placement, part, most=most)
        if _HINT < fit < _WELL * camera.level:
            near, closer = refine(self._eye, camera, views, placement, index=index, rounds=_ROUNDS)
            if is_close(near.of, placement.of):
                fit = closer
                self._placed[box, number] = usual, near
        return fit

    def _candidates(self, camera: Camera, at_ms: float) -> tuple[slice, int]:
        """The frames in a camera's memory that a picture may show, and how many to try."""
        if camera.delay.locked:
            low, high = camera.delay.interval_ms
            return camera.memory.within(
                at_ms - high - _SLACK_MS, at_ms - low + _SLACK_MS
            ), _CANDIDATES
        return camera.memory.within(at_ms - self._max_delay_ms, at_ms), _CANDIDATES_UNKNOWN


def _moved(
    usual_on: tuple[float, float],
    usual_of: tuple[float, float],
    shown: tuple[float, float],
    box: tuple[float, float],
) -> tuple[float, float, float, float] | None:
    """Along one axis: the ends of `on` and of `of` after the program's `shown` went into `box`."""
    start, end = max(usual_on[0], shown[0]), min(usual_on[1], shown[1])
    if end - start < 0.05:
        return None
    zoom = (box[1] - box[0]) / (shown[1] - shown[0])
    grain = (usual_of[1] - usual_of[0]) / (usual_on[1] - usual_on[0])
    on_start, on_end = (box[0] + (t - shown[0]) * zoom for t in (start, end))
    of_start, of_end = (usual_of[0] + (t - usual_on[0]) * grain for t in (start, end))
    return on_start, on_end, of_start, of_end
