"""Where in a program's picture the whole picture of another camera may lie: found by correlation.

What correlates but does not cover what is hidden of the big camera rules out what does and
correlates clearly worse; of each size, the best place of all and the best that does are looked at,
as a camera correlates with the big one, too, where both see the same. First those sizes that may
cover it: as a rule nothing is there, and the others need not be looked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tap.sight.camera import Camera
from tap.sight.covering import Covering
from tap.sight.look import Rect
from tap.sight.shrunk import NEARLY, find_shrunk, near_the_best, shapes
from tap.vocabulary import Luma

_COMPOSED_AREA = 0.18
"""Part of the picture from which an inset counts; found to a per cent or two."""
_FALLBACK_DELAY_MS, _APART_MS = 200.0, 450.0
_SIZES = 5
"""So many sizes of a camera that correlate are tried more closely."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What of a camera's frame `index` the program shows where that camera is on."""

    number: int
    mirror: bool
    index: int
    luma: Luma


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a camera may lie: found by its frame `index`."""

    peak: float
    number: int
    mirror: bool
    rect: Rect
    index: int


def seek(program: Luma, pictures: Sequence[Picture], within: Rect, covering: Covering) -> list[Hit]:
    """Where in a part of the program's picture cameras may lie so that they cover what they must,
    in which sizes: each by that picture of it which correlates best."""
    sought = [(picture, shapes(program, picture.luma)) for picture in pictures]
    places = {
        shape: shape.covering(covering, within) if shape.area >= _COMPOSED_AREA else []
        for shape in {shape for _, sizes in sought for shape in sizes}
    }
    able = {shape for shape, parts in places.items() if any(part.any() for part in parts)}
    found = [list[tuple[float, Rect]]() for _ in sought]
    for covers in (True, False):
        for at, (picture, sizes) in enumerate(sought):
            chosen = {shape: places[shape] for shape in sizes if (shape in able) == covers}
            found[at] += find_shrunk(program, picture.luma, within, chosen)
        if covers and not any(covering.by(rect) for hits in found for _, rect in hits):
            return []
    best: dict[tuple[int, bool], list[Hit]] = {}
    most = 0.0
    for picture, hits in zip(pictures, found, strict=True):
        number, mirror, index = picture.number, picture.mirror, picture.index
        large = [hit for hit in near_the_best(hits) if _area(hit[1]) >= _COMPOSED_AREA]
        most = max([most, *(peak for peak, _ in large)])
        able_hits = [
            Hit(peak, number, mirror, rect, index) for peak, rect in large if covering.by(rect)
        ]
        before = best.get((number, mirror))
        if able_hits and (before is None or able_hits[0].peak > before[0].peak):
            best[number, mirror] = able_hits
    return [hit for hits in best.values() for hit in hits[:_SIZES] if hit.peak >= most - NEARLY]


def pictures_of(number: int, camera: Camera, at_ms: float, max_delay_ms: float) -> list[Picture]:
    """The pictures of a camera by which it is sought: the one that is due; or, where it is not
    known how late it is, some all along its past: a head has turned by then. All at once: else one
    that looks alike wins. A camera never seen may well be mirrored where the others are not."""
    usual = camera.memory.placement.mirror
    if camera.delay.ms is not None:
        lags_ms = [camera.delay.ms]
    else:
        lags_ms = list(np.arange(_FALLBACK_DELAY_MS, max_delay_ms, _APART_MS))
    parts = [_until(camera, at_ms - lag) for lag in lags_ms]
    indices = list(dict.fromkeys(part.stop - 1 for part in parts if part is not None))
    return [
        Picture(number, mirror, index, luma)
        for mirror in ((usual,) if camera.confirmed else (usual, not usual))
        for index in indices
        if (luma := _whole(camera, index, mirror=mirror)).size
    ]


def _until(camera: Camera, taken_ms: float) -> slice | None:
    """The pictures of a camera of half a second until then; None if there are none."""
    part = camera.memory.within(taken_ms - 500.0, taken_ms + 20.0)
    return part if part.stop > part.start else None


def _whole(camera: Camera, index: int, *, mirror: bool) -> Luma:
    """What of a camera's picture the program shows where it is on."""
    luma, of = camera.memory.luma(index), camera.memory.placement.of
    h, w = luma.shape
    rows = slice(max(0, round(of.y0 * h)), round(of.y1 * h))
    part = luma[rows, max(0, round(of.x0 * w)) : round(of.x1 * w)]
    return np.ascontiguousarray(part[:, ::-1] if mirror else part)


def _area(rect: Rect) -> float:
    return (rect.x1 - rect.x0) * (rect.y1 - rect.y0)
