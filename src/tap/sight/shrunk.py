"""Where in a program's picture another camera's whole picture lies, shrunk: by correlation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tap.sight.covering import Covering, Places
from tap.sight.look import Rect
from tap.vocabulary import Luma

_SCALES = tuple(0.32 * 1.06**n for n in range(15))
_WIDEST = 0.8
"""Heights that are looked for, and the widest, as parts of the program's."""
_LEAST = 12
"""The least height and width, in px."""
_SIDE = 160
"""Longer side, in px, of the program picture that is searched."""
_CORRELATED, _PART = 0.5, 0.7
"""Correlation from which on a camera may be there, of all of it or of its upper or lower part."""
NEARLY = 0.08
"""What correlates nearly as well as the best is tried, too."""
BORDER = 0.06
"""Part of the sides that may be a frame around it."""

_Peak = tuple[float, int, int]


@dataclass(frozen=True, slots=True)
class Shape:
    """A size in which a camera is looked for, in px of a program picture of `of` (width, height)
    px."""

    wide: int
    high: int
    of: tuple[int, int]

    @property
    def area(self) -> float:
        """As a part of the program's."""
        return self.wide * self.high / (self.of[0] * self.of[1])

    @property
    def rim(self) -> tuple[int, int]:
        """The px at the sides, and above and below, that may be a frame drawn around it."""
        return max(1, round(self.wide * BORDER)), max(1, round(self.high * BORDER))

    @property
    def parts(self) -> list[slice]:
        """The rows of it that are looked for: all but the rim, and either end of that. What runs
        along the foot of the program may lie over that of the inset, and what stands at its head,
        as a clock does."""
        first, last = self.rim[1], self.high - self.rim[1]
        rows = round(_PART * (last - first))
        return [slice(first, last), slice(first, first + rows), slice(last - rows, last)]

    def covering(self, covering: Covering, within: Rect) -> list[Places]:
        """For each of those parts the places (down, across) in a part of the picture at which the
        whole covers what it must."""
        (w, h), rim = self.of, self.rim[0]
        left, top, right, bottom = _px(within, self.of)
        lefts = np.arange(left - rim, right - self.wide + rim + 1) / w
        return [
            covering.where(
                self.wide / w,
                self.high / h,
                lefts,
                np.arange(top - rows.start, bottom - rows.stop + 1) / h,
            )
            for rows in self.parts
        ]


def shapes(program: Luma, camera: Luma) -> list[Shape]:
    """The sizes in which a camera's picture is looked for in the program's, the smallest first."""
    h, w = program.shape
    found: list[Shape] = []
    for scale in _SCALES:
        high = round(h * scale)
        wide = round(high * camera.shape[1] / camera.shape[0])
        if high >= _LEAST and _LEAST <= wide <= _WIDEST * w:
            found.append(Shape(wide, high, (w, h)))
    return found


def find_shrunk(
    program: Luma, camera: Luma, within: Rect, sizes: Mapping[Shape, Sequence[Places]]
) -> list[tuple[float, Rect]]:
    """Where in a part of the program's picture the camera's, shrunk to those sizes, may lie:
    correlation and rect, the best of each, and the best of those places that are given with it, for
    each of its parts, as by `Shape.covering`."""
    h, w = program.shape
    x0, y0, x1, y1 = _px(within, (w, h))
    searched = program[y0:y1, x0:x1]
    found: list[tuple[float, Rect]] = []
    for shape, places in sizes.items():
        wide, high = shape.wide, shape.high
        small = cv2.resize(camera, (wide, high), interpolation=cv2.INTER_AREA)
        rim = shape.rim[0]
        core = np.asarray(small[shape.parts[0], rim : wide - rim], np.uint8)
        fits_in = core.shape[0] <= searched.shape[0] and core.shape[1] <= searched.shape[1]
        if not fits_in or float(core.std()) < 4.0:
            continue
        peaks: list[_Peak] = []
        chosen: list[_Peak] = []
        for number, rows in enumerate(shape.parts):
            part = np.asarray(small[rows, rim : wide - rim], np.uint8)
            surface = cv2.matchTemplate(searched, part, cv2.TM_CCOEFF_NORMED)
            peaks.append(_peak(surface, rows.start))
            if places and places[number].any():
                chosen.append(_peak(np.where(places[number], surface, -1.0), rows.start))
        for peak, x, y in dict.fromkeys(max(one) for one in (peaks, chosen) if one):
            left, top = x0 + x - rim, y0 + y
            if peak >= _CORRELATED:
                rect = Rect(left / w, top / h, (left + wide) / w, (top + high) / h)
                found.append((peak, rect))
    return found


def near_the_best(found: Iterable[tuple[float, Rect]]) -> list[tuple[float, Rect]]:
    """Those that correlate nearly as well as the best of all, which comes first: the largest shapes
    of a picture rule that, and correlate in other sizes too."""
    ordered = sorted(found, key=lambda hit: -hit[0])
    return [hit for hit in ordered if hit[0] >= ordered[0][0] - NEARLY]


def _px(within: Rect, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a part of a picture of (width, height) px."""
    w, h = size
    return round(within.x0 * w), round(within.y0 * h), round(within.x1 * w), round(within.y1 * h)


def _peak(surface: npt.NDArray[Any], row: int) -> _Peak:
    """The highest correlation of a template that begins in some row of the whole, and where that
    lies then, (x, y) in px."""
    _, peak, _, (x, y) = cv2.minMaxLoc(surface)
    return float(peak), int(x), int(y) - row


def scaled(luma: Luma) -> Luma:
    """A program picture as it is searched, (h, w)."""
    h, w = luma.shape
    shrink = _SIDE / max(h, w)
    if shrink >= 1:
        return luma
    return np.asarray(
        cv2.resize(luma, (round(w * shrink), round(h * shrink)), interpolation=cv2.INTER_AREA),
        np.uint8,
    )
