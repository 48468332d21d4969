"""The surveyor: finds out how each camera lies in the program picture, and notices when it changes.

Works only while no camera explains the program. A placement is accepted when it explains several
frames much better than anything else does: one lucky pair of pictures must not bend one camera's
picture into another's.
"""

from dataclasses import dataclass

from tap.sight.evidence import Evidence
from tap.sight.eye import Camera, Eye, Views, is_portrait
from tap.sight.placement import (
    Placement,
    refined,
    same_shape,
    search_placements,
    usual_placements,
)

_AGREE = 2
"""Surveys that must find the same placement."""
_WORTH = 0.3
_BETTER = 0.12
"""A placement must explain this part of the picture, and so much more than the best does now."""
_KEEN = 6
"""Unexplained frames that are all surveyed; after that ..."""
_EVERY = 15
"""... two at this many, at twice, four times as many, and so on."""
_ZOOM_FROM = 4
"""Unexplained frames before zooms are searched."""
_CLIMBED = 6
"""Best hits of a search that are refined."""
_WORTH_CLIMBING = 0.06
_STEPS = (0.012, 0.006, 0.003)
_STEPS_EACH = 4
_SOME_DELAY_MS = 200.0
_ADJUST_EVERY, _ADJUST_RARELY = 3, 30
"""Frames between looks for a slow zoom: while there is one, and while the last look found none."""
_WORSE = 0.9
"""A fit below this part of its recent peak: the program may be zooming."""
_ADJUSTED = 0.03
_ALIKE = 0.03


@dataclass(frozen=True, slots=True)
class _Proposal:
    camera: int
    placement: Placement
    fit: float


class Surveyor:
    """Proposes and confirms placements for all cameras."""

    def __init__(self, eye: Eye, cameras: list[Camera]) -> None:
        self._eye = eye
        self._cameras = cameras
        self._program: tuple[int, int] | None = None
        self._unexplained = 0
        self._votes: list[tuple[int, Placement]] = []
        self._adjust_from = 0
        self._style, self._mirror = 0, False
        """Which of the usual placements this program uses: a switcher has one habit for all."""

    def reset(self, camera: Camera, program: tuple[int, int] | None) -> None:
        """The camera's or the program's picture has a new shape: start from the usual placement.

        Sizes are (width, height) in px; `program` is None as long as it gave no picture.
        """
        self._program = program
        if camera.size is not None and program is not None:
            usual = usual_placements(camera.size, program)
            camera.confirmed = False
            plain = len(usual) // 2
            self._place(camera, usual[self._style % plain + plain * self._mirror])

    def survey(self, evidence: Evidence) -> bool:
        """Look for better placements if the picture is unexplained. True if one was changed."""
        if self._program is None or evidence.repeat or evidence.flat:
            return False
        if self._eye.explained(evidence):
            self._unexplained = 0
            self._votes.clear()
            return self._adjust(evidence)
        self._unexplained += 1
        if not _due(self._unexplained):
            return False
        proposal = self._propose(evidence)
        if proposal is None:
            return False
        self._votes = [*self._votes[-3:], (proposal.camera, proposal.placement)]
        if sum(_alike(vote, self._votes[-1]) for vote in self._votes) < _AGREE:
            return False
        self._votes.clear()
        camera = self._cameras[proposal.camera]
        self._place(camera, proposal.placement)
        camera.confirmed = True
        self._follow(camera, proposal.placement)
        return True

    def _adjust(self, evidence: Evidence) -> bool:
        """Follow a slow zoom: the picture is explained, but no longer as well as it was."""
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        if best is None or match is None or evidence.index < self._adjust_from:
            return False
        camera = self._cameras[best]
        if not camera.confirmed or match.fit > _WORSE * camera.peak:
            return False
        now = camera.memory.placement
        views = Views(evidence.luma)
        placement, fit = self._climb(camera, views, now, match.fit, match.index)
        better = fit >= match.fit + _ADJUSTED
        self._adjust_from = evidence.index + (_ADJUST_EVERY if better else _ADJUST_RARELY)
        if not better:
            return False
        self._place(camera, placement)
        return True

    def _follow(self, camera: Camera, placement: Placement) -> None:
        """Cameras not seen yet are expected to lie as this one does."""
        if camera.size is None or self._program is None:
            return
        usual = usual_placements(camera.size, self._program)
        if placement in usual:
            self._style = usual.index(placement) % (len(usual) // 2)
            self._mirror = placement.mirror
        for other in self._cameras:
            if other.confirmed or other.size is None:
                continue
            self.reset(other, self._program)
            if placement not in usual and same_shape(other.size, camera.size):
                self._place(other, placement)

    def _propose(self, evidence: Evidence) -> _Proposal | None:
        """The placement that explains the picture best, if it does so much better than now."""
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        now = match.fit if match is not None else 0.0
        views = Views(evidence.luma)
        found: _Proposal | None = None
        for number, camera in enumerate(self._cameras):
            for placement in self._candidates(camera):
                fit, _ = self._eye.fit(camera, evidence.at_ms, views, placement)
                if fit > max(_WORTH, now + _BETTER, found.fit + 0.01 if found else 0.0):
                    found = _Proposal(number, placement, fit)
        if found is None and self._unexplained >= _ZOOM_FROM:
            found = self._zoom(evidence, views, max(_WORTH, now + _BETTER))
        return found

    def _candidates(self, camera: Camera) -> list[Placement]:
        """Usual placements, and how other cameras lie: a programme is often zoomed as a whole."""
        if camera.size is None or self._program is None:
            return []
        usual = usual_placements(camera.size, self._program)
        others = [
            other.memory.placement
            for other in self._cameras
            if other is not camera
            and other.confirmed
            and other.size is not None
            and same_shape(other.size, camera.size)
        ]
        return [p for p in dict.fromkeys((*usual, *others)) if p != camera.memory.placement]

    def _zoom(self, evidence: Evidence, views: Views, worth: float) -> _Proposal | None:
        """Search every camera for the part of it that the program shows."""
        rough: list[tuple[float, int, Placement]] = []
        for number, camera in enumerate(self._cameras):
            if camera.size is None or self._program is None:
                continue
            delay = camera.delay.ms if camera.delay.ms is not None else _SOME_DELAY_MS
            at = camera.memory.within(evidence.at_ms - delay - 1000, evidence.at_ms - delay)
            if at.stop <= at.start:
                continue
            luma = camera.memory.luma(at.stop - 1)
            for base in usual_placements(camera.size, self._program):
                hits = search_placements(luma, evidence.luma, base)[:2]
                rough += [(correlation, number, placement) for correlation, placement in hits]
        rough.sort(key=lambda hit: -hit[0])
        found: _Proposal | None = None
        for _, number, start in rough[:_CLIMBED]:
            camera = self._cameras[number]
            fit, index = self._eye.fit(camera, evidence.at_ms, views, start)
            if fit < _WORTH_CLIMBING:
                continue
            placement, _ = self._climb(camera, views, start, fit, index)
            fit, _ = self._eye.fit(camera, evidence.at_ms, views, placement)
            if fit > max(worth, found.fit if found else 0.0):
                found = _Proposal(number, placement, fit)
        return found

    def _climb(
        self, camera: Camera, views: Views, placement: Placement, fit: float, index: int
    ) -> tuple[Placement, float]:
        """Refine a placement by small steps on one pair of pictures."""
        for step in _STEPS:
            for _ in range(_STEPS_EACH):
                tried = [
                    (self._eye.fit_at(camera, views, p, index), p) for p in refined(placement, step)
                ]
                best, where = max(tried, key=lambda pair: pair[0])
                if best <= fit + 0.002:
                    break
                placement, fit = where, best
        return placement, fit

    def _place(self, camera: Camera, placement: Placement) -> None:
        width, height = self._program or (16, 9)
        camera.memory.place(placement, portrait=is_portrait(placement.on, (height, width)))


def _due(unexplained: int) -> bool:
    """Whether to survey at this unexplained frame: the first few, then in pairs ever rarer."""
    if unexplained <= _KEEN:
        return True
    turn = unexplained // _EVERY
    return unexplained % _EVERY < _AGREE and turn & (turn - 1) == 0 and turn > 0


def _alike(a: tuple[int, Placement], b: tuple[int, Placement]) -> bool:
    (camera_a, one), (camera_b, two) = a, b
    if camera_a != camera_b or one.mirror != two.mirror or one.on != two.on:
        return False
    return all(
        abs(p - q) < _ALIKE
        for p, q in zip(
            (one.of.x0, one.of.y0, one.of.x1, one.of.y1),
            (two.of.x0, two.of.y0, two.of.x1, two.of.y1),
            strict=True,
        )
    )
