"""Proposes where a camera may lie in the program, so that it explains what nothing does.

What switchers do is tried first, then zooms into the middle, then any crop. How well a proposal
must fit depends on what else speaks for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tap.sight.camera import Camera
from tap.sight.crowd import groups
from tap.sight.doubt import usual_level
from tap.sight.evidence import Evidence, Match
from tap.sight.eye import Eye
from tap.sight.habits import Habits
from tap.sight.placement import Placement, search_placements, zoomed
from tap.sight.refine import refine
from tap.sight.views import Views
from tap.sight.zoom import AS_USUAL, ROUNDS, WORTH

_BETTER = 0.12
"""A placement must explain so much more of the picture than the best does now."""
_GAIN = 0.03
"""Where it is known how well cameras fit: so much more than now."""
_ZOOMED = 0.5
"""Within a zoom that the program is in: this part of how cameras fit."""
_NEARLY, _NEXT_TO = 0.93, 0.05
"""A placement next to the usual one must fit to this part as cameras usually do: it costs no
sharpness, and a camera beside this one would fit nearly as well."""
_MISSING = 0.9
"""So well must one fit that is thought to explain what may as well be the picture of a camera that
gave none: only what is its very own does."""
_ASIDE, GOES_ON = 0.18, 0.06
"""Fit that a crop aside of the middle must make up for: cameras near each other are such crops."""
_PARTLY, _STANDS_OUT, _AMONG_ALIKE = 0.4, 2.5, 1.5
"""Part of how cameras fit that one must reach of which a part is covered, and how many times better
than all others it must fit where they lie, and where it does: those may look much like it."""
_ZOOMS = tuple(1.045**n for n in range(1, 17))
_REFINED = 3
"""Best of the usual placements that are refined: bars are known to a pixel or two."""
_CLIMBED = 6
"""Best hits of a search that are refined."""
_SOME_DELAY_MS = 200.0


class _Worth(NamedTuple):
    """The fit that a placement must reach: any; one that goes on with a zoom of the program, which
    blurs its picture and is never quite where it was a frame ago; and one next to the usual one."""

    plain: float
    zoomed: float
    close: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A camera, by number, a placement for it, and how well it fits there: 0 .. 1."""

    camera: int
    placement: Placement
    fit: float
    worth: float
    """That, less what speaks against the placement."""


class Proposer:
    """Looks for placements; keeps nothing but the zoom that the program may be in."""

    def __init__(self, eye: Eye, cameras: Sequence[Camera], habits: Habits) -> None:
        self._eye = eye
        self._cameras = cameras
        self._habits = habits
        self.zoomed: Placement | None = None
        """The placement found last."""

    def propose(self, evidence: Evidence, turn: int, *, thorough: bool) -> Proposal | None:
        """The placement that explains the picture best, if it does so much better than now.

        `turn`: of many cameras which few are asked; `thorough`: search for any crop, too.
        """
        best = evidence.best
        match = evidence.matches[best] if best is not None else None
        now = match.fit if match is not None else 0.0
        usual = usual_level(self._cameras)
        worth = _Worth(*[max(WORTH, now + _BETTER)] * 3)
        if usual is not None:
            parts = AS_USUAL, _ZOOMED, _NEARLY
            least = _MISSING if evidence.missing else 0.0
            worth = _Worth(*(max(max(part, least) * usual, now + _GAIN) for part in parts))
        views, asked = Views(evidence.luma), self._asked(evidence, turn)
        rough: list[tuple[float, int, Placement, int]] = []
        for number, camera in asked:
            there = evidence.matches[number]
            if there is not None and usual is not None and there.fit >= _ZOOMED * usual:
                # The program may have zoomed on since it was placed.
                rough.append((there.fit, number, camera.memory.placement, there.index))
            for placement in self._habits.candidates(camera):
                fit, index = self._eye.fit(camera, evidence.at_ms, views, placement)
                if index >= 0:
                    rough.append((fit, number, placement, index))
        rough.sort(key=lambda hit: -hit[0])
        found = self._best_refined(evidence, views, worth, rough[:_REFINED])
        found = found or self._partly_seen(evidence, rough)
        found = found or self._zoomed_in(asked, evidence, views, worth)
        if found is None and thorough:
            found = self._search(asked, evidence, views, worth)
        return found

    def _partly_seen(
        self, evidence: Evidence, rough: list[tuple[float, int, Placement, int]]
    ) -> Proposal | None:
        """A camera that was never seen, laid out otherwise than thought, but as switchers do, and
        that fits many times better than all others: something covers the rest of it."""
        usual = usual_level(self._cameras)
        if usual is None or not rough or self._cameras[rough[0][1]].confirmed:
            return None
        fit, number, placement, _ = rough[0]
        now = [match.fit for match in evidence.matches if match is not None]
        others = [(other, p.mirror) for other, n, p, _ in rough if n != number]
        alike = [other for other, mirror in others if mirror == placement.mirror]
        apart = [*now, *(other for other, mirror in others if mirror != placement.mirror)]
        least = max(_STANDS_OUT * max(apart, default=0.0), _AMONG_ALIKE * max(alike, default=0.0))
        if fit < max(_PARTLY * usual, least):
            return None
        return Proposal(number, placement, fit, fit)

    def _zoomed_in(
        self, asked: Sequence[tuple[int, Camera]], evidence: Evidence, views: Views, worth: _Worth
    ) -> Proposal | None:
        """Try every camera zoomed into its middle, as switchers and directors do."""
        rough: list[tuple[float, int, Placement, int]] = []
        for number, camera in asked:
            if camera.size is None or self._habits.program is None:
                continue
            index = self._index_at(camera, evidence, evidence.matches[number])
            if index is None:
                continue
            for base in self._habits.bases(camera):
                tried = [self._habits.lit(zoomed(base, scale)) for scale in _ZOOMS]
                fits = [self._eye.fit_at(camera, views, p, index) for p in tried]
                best = max(range(len(tried)), key=fits.__getitem__)
                rough.append((fits[best], number, tried[best], index))
        rough.sort(key=lambda hit: -hit[0])
        return self._best_refined(evidence, views, worth, rough[:2])

    def _asked(self, evidence: Evidence, turn: int) -> list[tuple[int, Camera]]:
        """The cameras that may be looked for elsewhere: of many a few in turn; and the old picture
        of one that freezes would be bent into what it films now."""
        crowd = groups(len(self._cameras))
        return [
            (n, camera)
            for n, camera in list(enumerate(self._cameras))[turn % crowd :: crowd]
            if n not in evidence.frozen
            and not camera.still.repeats(evidence.at_ms - (camera.delay.ms or 0.0))
        ]

    def _best_refined(
        self,
        evidence: Evidence,
        views: Views,
        worth: _Worth,
        rough: list[tuple[float, int, Placement, int]],
    ) -> Proposal | None:
        found: Proposal | None = None
        for _, number, start, index in rough:
            camera = self._cameras[number]
            placement, _ = refine(self._eye, camera, views, start, index=index, rounds=ROUNDS)
            fit, better = self._eye.fit(camera, evidence.at_ms, views, placement)
            if better not in (index, -1):
                # Found by the picture of another moment: it may lie yet better now.
                placement, _ = refine(self._eye, camera, views, placement, index=better, rounds=2)
                fit = max(fit, self._eye.fit_at(camera, views, placement, better))
            if not placement.possible:
                continue
            score = fit
            if not self._habits.in_middle(camera, placement) and not self._goes_on(placement):
                score -= _ASIDE
            goes_on = self._habits.is_zoomed(camera, placement) and self._goes_on(placement)
            least = worth.zoomed if goes_on else worth.plain
            if not goes_on and self._is_next_to_usual(camera, placement):
                least = max(least, worth.close)
            if score > max(least, found.worth if found else 0.0):
                found = Proposal(number, placement, fit, score)
        return found

    def _is_next_to_usual(self, camera: Camera, placement: Placement) -> bool:
        """Whether a placement is but a little beside the usual one."""
        usual = self._habits.base(camera)
        return (
            usual is not None
            and usual.mirror == placement.mirror
            and usual.on.near(placement.on)
            and usual.of.near(placement.of, _NEXT_TO)
            and usual != placement
        )

    def _goes_on(self, placement: Placement) -> bool:
        """Whether a zoom that the program is in goes on with this camera."""
        zoom = self.zoomed
        return (
            zoom is not None and zoom.on.near(placement.on) and zoom.of.near(placement.of, GOES_ON)
        )

    @staticmethod
    def _index_at(camera: Camera, evidence: Evidence, match: Match | None) -> int | None:
        """Where in a camera's memory the picture most likely is."""
        if match is not None and camera.delay.locked:
            return match.index
        delay = camera.delay.ms if camera.delay.ms is not None else _SOME_DELAY_MS
        at = camera.memory.within(evidence.at_ms - delay - 1000, evidence.at_ms - delay)
        return at.stop - 1 if at.stop > at.start else None

    def _search(
        self, asked: Sequence[tuple[int, Camera]], evidence: Evidence, views: Views, worth: _Worth
    ) -> Proposal | None:
        """Search every camera for the part of it that the program shows."""
        rough: list[tuple[float, int, Placement, int]] = []
        for number, camera in asked:
            index = self._index_at(camera, evidence, None)
            if camera.size is None or self._habits.program is None or index is None:
                continue
            luma = camera.memory.luma(index)
            for base in self._habits.usual(camera):
                hits = search_placements(luma, evidence.luma, self._habits.lit(base))[:2]
                rough += [(correlation, number, place, index) for correlation, place in hits]
        rough.sort(key=lambda hit: -hit[0])
        starts: list[tuple[float, int, Placement, int]] = []
        for _, number, start, _ in rough[:_CLIMBED]:
            fit, index = self._eye.fit(self._cameras[number], evidence.at_ms, views, start)
            if index >= 0:
                starts.append((fit, number, start, index))
        return self._best_refined(evidence, views, worth, starts)
