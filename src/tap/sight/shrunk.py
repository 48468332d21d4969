"""Where in a program's picture another camera's whole picture lies, shrunk: by correlation."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from tap.sight.covering import Covering
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
    def part(self) -> int:
        """The rows of its core, of which either end is looked for as well: what runs along the foot
        of the program may lie over that of the inset, and what stands at its head, as a clock."""
        return round(_PART * (self.high - 2 * self.rim[1]))

    def may_be(self, covering: Covering, within: Rect) -> bool:
        """Whether there is a place for it, of those in which it is looked for in a part of the
        picture, in which it covers what it must."""
        (w, h), (rim_x, rim_y) = self.of, self.rim
        left, top, right, bottom = _px(within, self.of)
        missing = self.high - 2 * rim_y - self.part
        lefts = np.arange(left - rim_x, right - self.wide + rim_x + 1)
        tops = np.arange(top - rim_y - missing, bottom - self.high + rim_y + missing + 1)
        return covering.can_be(self.wide / w, self.high / h, lefts / w, tops / h)


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
    program: Luma, camera: Luma, within: Rect, sizes: Iterable[Shape]
) -> list[tuple[float, Rect]]:
    """Where in a part of the program's picture the camera's, shrunk to those sizes, may lie:
    correlation and rect, the best of each."""
    h, w = program.shape
    x0, y0, x1, y1 = _px(within, (w, h))
    searched = program[y0:y1, x0:x1]
    found: list[tuple[float, Rect]] = []
    for shape in sizes:
        wide, high = shape.wide, shape.high
        small = cv2.resize(camera, (wide, high), interpolation=cv2.INTER_AREA)
        rim_x, rim_y = shape.rim
        core: Any = small[rim_y : high - rim_y, rim_x : wide - rim_x]
        fits_in = core.shape[0] <= searched.shape[0] and core.shape[1] <= searched.shape[1]
        if not fits_in or float(core.std()) < 4.0:
            continue
        part = shape.part
        tried = [(core, 0), (core[:part], 0), (core[-part:], len(core) - part)]
        peak, (x, y), above = max((*_peak(searched, one), rows) for one, rows in tried)
        if peak >= _CORRELATED:
            left, top = x0 + x - rim_x, y0 + y - above - rim_y
            found.append((peak, Rect(left / w, top / h, (left + wide) / w, (top + high) / h)))
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


def _peak(searched: Luma, template: Luma) -> tuple[float, tuple[int, int]]:
    """The highest correlation of a template, and where."""
    surface = cv2.matchTemplate(searched, template, cv2.TM_CCOEFF_NORMED)
    _, peak, _, (x, y) = cv2.minMaxLoc(surface)
    return float(peak), (int(x), int(y))


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
