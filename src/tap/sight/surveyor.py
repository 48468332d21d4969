"""The surveyor: finds out how each camera lies in the program picture, and notices when it changes.

Works only while no camera explains the program. A placement is accepted when it explains several
frames much better than anything else does: one lucky pair of pictures must not bend one camera's
picture into another's.
"""

from dataclasses import dataclass

from tap.sight.eye import Camera, Evidence, Eye, is_portrait
from tap.sight.placement import Placement, refined, search_placements, usual_placements

_AGREE = 2
"""Surveys that must find the same placement."""
_WORTH = 0.3
_BETTER = 0.12
"""A placement must explain this part of the picture, and so much more than the best does now."""
_KEEN = 6
"""Unexplained frames that are all surveyed; after that ..."""
_EVERY = 30
"""... two in so many."""
_ONLY_MIRRORED = 2
"""Usual placements of a camera of the program's own shape: plain and mirrored."""
_ZOOM_FROM = 4
"""Unexplained frames before zooms are searched."""


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
        self._style = 0
        """Which of the usual placements this program uses: a switcher has one habit for all."""

    def reset(self, camera: Camera, program: tuple[int, int] | None) -> None:
        """The camera's or the program's picture size is new: start from the usual placement."""
        self._program = program
        if camera.size is not None and program is not None:
            usual = usual_placements(camera.size, program)
            camera.confirmed = False
            self._place(camera, usual[self._style % (len(usual) // 2)])

    def survey(self, evidence: Evidence) -> bool:
        """Look for better placements if the picture is unexplained. True if one was changed."""
        if self._program is None or evidence.repeat:
            return False
        if self._eye.explained(evidence):
            self._unexplained = 0
            self._votes.clear()
            return False
        self._unexplained += 1
        if self._unexplained > _KEEN and self._unexplained % _EVERY > 1:
            return False
        proposal = self._propose(evidence)
        if proposal is None:
            return False
        self._votes = [*self._votes[-3:], (proposal.camera, proposal.placement)]
        same = sum(
            1 for c, p in self._votes if c == proposal.camera and _alike(p, proposal.placement)
        )
        if same < _AGREE:
            return False
        self._votes.clear()
        camera = self._cameras[proposal.camera]
        self._place(camera, proposal.placement)
        camera.confirmed = True
        self._follow(camera, proposal.placement)
        return True

    def _follow(self, camera: Camera, placement: Placement) -> None:
        """Cameras not seen yet are expected to lie as this one does."""
        if camera.size is None or self._program is None:
            return
        usual = usual_placements(camera.size, self._program)
        if placement not in usual or len(usual) <= _ONLY_MIRRORED:
            return
        self._style = usual.index(placement) % (len(usual) // 2)
        for other in self._cameras:
            if not other.confirmed:
                self.reset(other, self._program)

    def _propose(self, evidence: Evidence) -> _Proposal | None:
        """The placement that explains the picture best, if it does so much better than now."""
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        now = match.fit if match is not None else 0.0
        found: _Proposal | None = None
        for number, camera in enumerate(self._cameras):
            for placement in self._candidates(camera):
                fit = self._fit(camera, evidence, placement)
                if fit > max(_WORTH, now + _BETTER, found.fit + 0.01 if found else 0.0):
                    found = _Proposal(number, placement, fit)
        if found is None and self._unexplained >= _ZOOM_FROM:
            found = self._zoom(evidence, max(_WORTH, now + _BETTER))
        return found

    def _candidates(self, camera: Camera) -> list[Placement]:
        """Usual placements, and how other cameras lie: a programme is often zoomed as a whole."""
        if camera.size is None or self._program is None:
            return []
        usual = usual_placements(camera.size, self._program)
        others = [
            other.memory.placement
            for other in self._cameras
            if other is not camera and other.confirmed and other.size == camera.size
        ]
        extra = [p for p in others if p not in usual]
        return [p for p in (*usual, *dict.fromkeys(extra)) if p != camera.memory.placement]

    def _zoom(self, evidence: Evidence, worth: float) -> _Proposal | None:
        found: _Proposal | None = None
        for number, camera in enumerate(self._cameras):
            if camera.size is None or self._program is None or not len(camera.memory):
                continue
            delay = camera.delay.ms if camera.delay.ms is not None else 200.0
            at = camera.memory.within(evidence.at_ms - delay - 1000, evidence.at_ms - delay)
            if at.stop <= at.start:
                continue
            luma = camera.memory.luma(at.stop - 1)
            for base in usual_placements(camera.size, self._program)[:1]:
                for flip in (False, True):
                    start = Placement(base.on, base.of, flip)
                    for _, rough in search_placements(luma, evidence.luma, start)[:2]:
                        fit = self._fit(camera, evidence, rough)
                        if fit > max(worth * 0.7, found.fit if found else 0.0):
                            placement, fit = self._climb(camera, evidence, rough, fit)
                            if fit > max(worth, found.fit if found else 0.0):
                                found = _Proposal(number, placement, fit)
        return found

    def _climb(
        self, camera: Camera, evidence: Evidence, placement: Placement, fit: float
    ) -> tuple[Placement, float]:
        """Refine a placement by small steps."""
        for step in (0.012, 0.006, 0.003):
            for _ in range(3):
                tried = [(self._fit(camera, evidence, p), p) for p in refined(placement, step)]
                best, where = max(tried, key=lambda pair: pair[0])
                if best <= fit + 0.002:
                    break
                placement, fit = where, best
        return placement, fit

    def _fit(self, camera: Camera, evidence: Evidence, placement: Placement) -> float:
        portrait, camera.memory.portrait = camera.memory.portrait, self._portrait(placement)
        fit = self._eye.fit(camera, evidence.at_ms, evidence.luma, placement)
        camera.memory.portrait = portrait
        return fit

    def _place(self, camera: Camera, placement: Placement) -> None:
        camera.memory.place(placement, portrait=self._portrait(placement))

    def _portrait(self, placement: Placement) -> bool:
        width, height = self._program or (16, 9)
        return is_portrait(placement.on, (height, width))


def _alike(a: Placement, b: Placement) -> bool:
    if a.mirror != b.mirror or a.on != b.on:
        return False
    return all(
        abs(p - q) < 0.03
        for p, q in zip(
            (a.of.x0, a.of.y0, a.of.x1, a.of.y1), (b.of.x0, b.of.y0, b.of.x1, b.of.y1), strict=True
        )
    )
