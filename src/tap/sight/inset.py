"""Finds a picture in a picture: a whole camera, shrunk, that covers part of another one.

Looked for where one camera explains most of the picture as well as ever, or, never seen before, as
cameras usually do, and a block of it not at all. A small inset is an overlay, as a logo is; see
`COMPOSED` in the witness format.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tap.sight.behind import Behind, across_of, comes_over, is_partly
from tap.sight.camera import Camera
from tap.sight.covering import Blocks, blocks_in
from tap.sight.crowd import groups, step_of
from tap.sight.doubt import usual_level
from tap.sight.evidence import Evidence
from tap.sight.eye import Eye
from tap.sight.look import BLOCKS, WHOLE, Rect
from tap.sight.outline import likely
from tap.sight.placement import Placement, clipped, shown_in, whole_of
from tap.sight.refine import refine
from tap.sight.seek import Hit, pictures_of, seek
from tap.sight.shrunk import BORDER, scaled
from tap.sight.views import Views

_NOTHING = np.zeros(BLOCKS, np.bool_)
_KEEN, _OFTEN, _EVERY = 4, 3, 12
"""Of the pictures with something covered, the first few are searched; then some, while the first is
not yet decided; then each twelfth."""
_FITS, _AS_USUAL, _GOES_ON = 0.18, 0.4, 0.5
"""Part of its nats that an inset must gain, and part of the camera's usual fit that it must reach;
one that was found goes on as long as it reaches this part of that."""
MISSING = 0.6
"""Part of its usual fit that a camera must reach in a part of the picture, if all of it may as well
be the picture of one that gave none."""
_PATIENCE = 5
"""Frames for which an inset that was found may not be recognised."""
_RISES = 1.04
"""A picture that gains so much contrast over the one before is of a fade, or was just cut to:
what is covered in it is to be seen in the next ones."""
_AROUND_MS = 120.0
_CANDIDATES = 32
"""Frames of a camera that are tried first."""
_TRIED_ROUNDS = 2
"""Sizes of a camera that correlate are tried more closely in so many refining steps."""
_ROUNDS, _CLOSE = 4, 0.08
"""Refining steps, and how far they may move the picture, as part of its sides: where the big
picture goes on behind, a camera near it would be bent into it."""
_DECIDES = 2
"""How well a camera fits block by block tells more than how well it correlates as a whole, or than
where the inset's edges are seen: it counts so many times."""
_MIDDLE = 0.12
"""An inset stands aside of what the big picture is about: its middle is not so near the picture's.
There, a lens that has changed or a zoom is found to be one of a camera that sees the same closer.
"""
_BLENDED = 0.05
"""Part of all nats by which a blend must explain more than the best camera to be one."""
_BEHIND = 0.5
"""Of what is in the inset the big camera explains at most this part of what the small one does."""
_ALONE = 0.9
"""If the small camera alone, laid out as in the inset, explains this part of what both do, it is no
inset."""


@dataclass(frozen=True, slots=True)
class Inset:
    """Camera `small`, `lag_ms` late, in a part of camera `big`'s picture; `blocks` (32,) are those
    it covers."""

    big: int
    small: int
    placement: Placement
    lag_ms: float
    blocks: Blocks
    fit: float
    rivals: Mapping[int, float] = field(default_factory=dict[int, float])
    """Other cameras that it may show, and how well they fit compared with the small one, 0 .. 1."""


class InsetFinder:
    """Follows program pictures in order."""

    def __init__(self, eye: Eye, cameras: list[Camera], max_delay_ms: float) -> None:
        self._eye = eye
        self._max_delay_ms = max_delay_ms
        self._cameras = cameras
        self._behind = Behind(cameras)
        self._covered = self._searches = 0
        self._before = _NOTHING
        """The blocks (32,) that were covered in the pictures of those that `_covered` counts."""
        self._found: Inset | None = None
        self._missed = 0
        self._contrast = 0.0
        """Of the picture before."""

    def look(self, evidence: Evidence) -> Inset | None:
        """The inset in this picture, if there is one that is large enough to count."""
        before, self._contrast = self._contrast, evidence.contrast
        big = evidence.best
        if self._found is not None and big in evidence.lacking:
            big = self._found.big  # the best is but one whose picture is missing
        match = evidence.matches[big] if big is not None else None
        if big is None or match is None or evidence.flat:
            self._forget()
            return None
        hidden = self._behind.hidden(big, match)
        if not is_partly(hidden):
            self._forget()
            return None
        if comes_over(hidden, self._before):
            self._covered = 0  # something has come over it
        self._before = self._before | hidden
        views = Views(evidence.luma)
        if self._found is not None and self._found.big == big:
            lacks = self._found.small in evidence.lacking
            if (
                lacks
                or self._is_in(evidence, self._found, views)
                or self._is_later(evidence, views)
            ):
                self._missed = 0
                return self._found
            self._missed += 1
            if self._missed <= _PATIENCE:
                # Most likely what still covers it there, and only there, is that.
                covering = self._behind.covering(big, evidence)
                there = covering is not None and covering.by(self._found.placement.on)
                return self._found if there else None
        self._found, self._missed = None, 0
        if _is_blend(big, evidence) or evidence.contrast > _RISES * before:
            return None
        self._covered += 1
        turn = step_of(self._covered, len(self._cameras))
        if turn is None or (turn > _KEEN and turn % (_OFTEN if turn < _EVERY else _EVERY)):
            return None
        self._found = self._search(big, evidence, views)
        return self._found

    def _forget(self) -> None:
        self._covered, self._found, self._before = 0, None, _NOTHING

    def look_back(self, evidence: Evidence) -> Inset | None:
        """The inset that was found just now, if it is in this earlier picture too."""
        found = self._found
        if found is None or evidence.flat or evidence.matches[found.big] is None:
            return None
        return found if self._is_in(evidence, found, Views(evidence.luma)) else None

    def _is_in(self, evidence: Evidence, inset: Inset, views: Views) -> bool:
        """Whether an inset that was found is in another picture."""
        fit = self._fit(inset, evidence.at_ms, views)
        return fit >= _GOES_ON * self._worth(inset.small)

    def _is_later(self, evidence: Evidence, views: Views) -> bool:
        """Whether the inset is there, but of another moment than was thought: where it is not known
        how late its camera is, heads that hold still fit for a while. Then that is noted."""
        inset = self._found
        if inset is None or self._cameras[inset.small].delay.locked:
            return False
        camera = self._cameras[inset.small]
        part = self._part(camera, evidence.at_ms)
        fit, index = self._eye.search_inside(camera, views, inset.placement, part, most=_CANDIDATES)
        if fit < _GOES_ON * self._worth(inset.small):
            return False
        self._found = replace(inset, lag_ms=evidence.at_ms - camera.memory.time(index))
        return True

    def _shows(self, big: int, evidence: Evidence, rect: Rect, views: Views) -> float:
        """How well the big camera still explains what is in an inset at `rect`: 0 .. 1."""
        match, camera = evidence.matches[big], self._cameras[big]
        if match is None:
            return 0.0
        behind = clipped(camera.memory.placement, rect)
        return self._eye.fit_inside(camera, views, behind, [match.index])[0]

    def _is_all(self, inset: Inset, index: int, evidence: Evidence, views: Views) -> bool:
        """Whether the small camera's picture, frame `index`, goes on beyond the inset, and explains
        about as much alone as both do: then the program is but zoomed otherwise than thought."""
        match, whole = evidence.matches[inset.big], shown_in(WHOLE, inset.placement)
        if match is None or not whole.possible:
            return False
        beside = float((match.blocks * match.information)[~inset.blocks].sum())
        both = beside + inset.fit * float(match.information[inset.blocks].sum())
        alone = self._eye.fit_at(self._cameras[inset.small], views, whole, index)
        return alone * evidence.information >= _ALONE * both

    def _worth(self, number: int, *, missing: bool = False) -> float:
        """The fit that an inset must reach; more, if a camera's picture is `missing`."""
        usual = self._cameras[number].level if self._cameras[number].confirmed else None
        usual = usual or usual_level(self._cameras) or 0.0
        return max(_FITS, (MISSING if missing else _AS_USUAL) * usual)

    def _search(self, big: int, evidence: Evidence, views: Views) -> Inset | None:
        covering = self._behind.covering(big, evidence)
        if covering is None:
            return None
        crowd = groups(len(self._cameras))
        self._searches += 1
        pictures = [
            picture
            for number, camera in list(enumerate(self._cameras))[self._searches % crowd :: crowd]
            if number != big
            for picture in pictures_of(number, camera, evidence.at_ms, self._max_delay_ms)
        ]
        within = self._behind.around(big, evidence)
        likely = seek(scaled(evidence.luma), pictures, within, covering)
        able: list[tuple[float, Inset]] = []
        for hit in self._closest([hit for hit in likely if not _is_central(hit.rect)], views):
            number, inside = hit.number, blocks_in(hit.rect, *across_of(evidence.luma))
            placed = self._placed(hit, evidence.at_ms, views)
            if placed is None:
                continue
            placement, index, fit = placed
            behind = self._shows(big, evidence, placement.on, views)
            if fit < max(self._worth(number, missing=evidence.missing), behind / _BEHIND):
                continue
            taken_ms = self._cameras[number].memory.time(index)
            inset = Inset(big, number, placement, evidence.at_ms - taken_ms, inside, fit)
            if not self._is_all(inset, index, evidence, views):
                able.append((hit.peak * fit**_DECIDES, inset))
        return _best_of(self._outlined(big, evidence, able))

    def _closest(self, hits: Sequence[Hit], views: Views) -> list[Hit]:
        """Of each camera, the one that fits best once it is moved a little."""
        best: dict[tuple[int, bool], tuple[float, Hit]] = {}
        for hit in hits:
            camera, key = self._cameras[hit.number], (hit.number, hit.mirror)
            start = self._start(hit)
            near, fit = refine(
                self._eye, camera, views, start, index=hit.index, rounds=_TRIED_ROUNDS
            )
            if is_close(near.of, start.of) and fit > best.get(key, (0.0, hit))[0]:
                best[key] = fit, hit
        return [hit for _, hit in best.values()]

    def _start(self, hit: Hit) -> Placement:
        """Where that is, without the rim, which may be a frame."""
        of = self._cameras[hit.number].memory.placement.of
        return Placement(hit.rect.core(BORDER), of.core(BORDER), hit.mirror)

    def _outlined(
        self, big: int, evidence: Evidence, able: list[tuple[float, Inset]]
    ) -> list[tuple[float, Inset]]:
        """Those that may be told apart by where the big camera's picture ends, so weighed."""
        match, camera = evidence.matches[big], self._cameras[big]
        if len({inset.small for _, inset in able}) < 2 or match is None:
            return able
        whole = [
            whole_of(inset.placement, self._cameras[inset.small].memory.placement.of)
            for _, inset in able
        ]
        luma, behind = camera.memory.luma(match.index), camera.memory.placement
        told = likely(evidence.luma, luma, behind, whole)
        return [(fit * part, inset) for (fit, inset), part in zip(able, told, strict=True)]

    def _placed(self, hit: Hit, at_ms: float, views: Views) -> tuple[Placement, int, float] | None:
        """How a camera lies in an inset that was found to a pixel or two, which of its frames is
        there, and how well it fits; None if it lies elsewhere after all."""
        camera, start = self._cameras[hit.number], self._start(hit)
        part = self._part(camera, at_ms)
        _, index = self._eye.search_inside(camera, views, start, part, most=_CANDIDATES)
        if index < 0:
            return None
        found, _ = refine(self._eye, camera, views, start, index=index, rounds=_ROUNDS)
        if not is_close(found.of, start.of):
            return None
        fit, index = self._eye.search_inside(camera, views, found, part, most=_CANDIDATES)
        return found, index, fit

    def _part(self, camera: Camera, at_ms: float) -> slice:
        """The part of a camera's memory that a picture at `at_ms` may show: cameras that look alike
        differ in what moves, so the very frame must be found."""
        if camera.delay.locked and camera.delay.ms is not None:
            return _around(camera, at_ms - camera.delay.ms)
        return camera.memory.within(at_ms - self._max_delay_ms, at_ms)

    def _fit(self, inset: Inset, at_ms: float, views: Views) -> float:
        """How well an inset that was found fits a later picture."""
        camera = self._cameras[inset.small]
        part = _around(camera, at_ms - inset.lag_ms)
        chosen = range(part.start, part.stop, max(1, (part.stop - part.start) // 6))
        return self._eye.fit_inside(camera, views, inset.placement, chosen)[0] if chosen else 0.0


def _is_blend(big: int, evidence: Evidence) -> bool:
    """Whether a blend explains a picture much better than its best camera: that is a dissolve."""
    blends = [mixed.nats for mixed in evidence.mixes.values() if not mixed.split]
    gained = max(blends, default=0.0) - float(evidence.nats[big])
    return gained > _BLENDED * evidence.information


def _best_of(able: Sequence[tuple[float, Inset]]) -> Inset | None:
    """The best inset, and how near the other cameras come to it. Each comes with how well it fits:
    as it was found, whole, and as closely as it can be laid."""
    best: dict[int, tuple[float, Inset]] = {}
    for fit, inset in able:
        if inset.small not in best or fit > best[inset.small][0]:
            best[inset.small] = fit, inset
    if not best:
        return None
    most, found = max(best.values(), key=lambda one: one[0])
    rivals = {small: fit / most for small, (fit, _) in best.items() if small != found.small}
    return replace(found, rivals=rivals)


def _around(camera: Camera, taken_ms: float) -> slice:
    return camera.memory.within(taken_ms - _AROUND_MS, taken_ms + _AROUND_MS)


def _is_central(rect: Rect) -> bool:
    """Whether a part of the picture is about its middle."""
    x, y = (rect.x0 + rect.x1) / 2, (rect.y0 + rect.y1) / 2
    return max(abs(x - 0.5), abs(y - 0.5)) < _MIDDLE


def is_close(one: Rect, other: Rect) -> bool:
    """Whether refining moved a picture but little, for its size."""
    w, h = other.x1 - other.x0, other.y1 - other.y0
    far_x = max(abs(one.x0 - other.x0), abs(one.x1 - other.x1)) / w
    far_y = max(abs(one.y0 - other.y0), abs(one.y1 - other.y1)) / h
    return max(far_x, far_y) < _CLOSE
