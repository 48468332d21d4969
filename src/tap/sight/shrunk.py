"""Where in a program's picture another camera's whole picture lies, shrunk: by correlation."""

from typing import Any

import cv2
import numpy as np

from tap.sight.look import Rect
from tap.vocabulary import Luma

_SCALES = tuple(0.32 * 1.06**n for n in range(15))
_WIDEST = 0.8
"""Heights that are looked for, and the widest, as parts of the program's."""
_SIDE = 160
"""Longer side, in px, of the program picture that is searched."""
_CORRELATED, _PART = 0.5, 0.7
"""Correlation from which on a camera may be there, of all of it or of its upper or lower part."""
NEARLY = 0.08
"""What correlates nearly as well as the best is tried, too."""
BORDER = 0.06
"""Part of the sides that may be a frame around it."""


def find_shrunk(program: Luma, camera: Luma, within: Rect) -> list[tuple[float, Rect]]:
    """Where in a part of the program's picture the camera's, shrunk, may lie: correlation and rect,
    the best of each size that correlates nearly as well as the best of all, which comes first. The
    largest shapes of a picture rule that, and correlate in other sizes too."""
    h, w = program.shape
    x0, y0 = round(within.x0 * w), round(within.y0 * h)
    searched = program[y0 : round(within.y1 * h), x0 : round(within.x1 * w)]
    found: list[tuple[float, Rect]] = []
    for scale in _SCALES:
        high = round(h * scale)
        wide = round(high * camera.shape[1] / camera.shape[0])
        if high < 12 or wide < 12 or wide > _WIDEST * w:
            continue
        small = cv2.resize(camera, (wide, high), interpolation=cv2.INTER_AREA)
        # A frame may be drawn around the inset.
        rim_x, rim_y = max(1, round(wide * BORDER)), max(1, round(high * BORDER))
        core: Any = small[rim_y : high - rim_y, rim_x : wide - rim_x]
        fits_in = core.shape[0] <= searched.shape[0] and core.shape[1] <= searched.shape[1]
        if not fits_in or float(core.std()) < 4.0:
            continue
        # What runs along the foot of the program may lie over that of the inset, and what stands
        # at its head, as a clock does.
        part = round(_PART * len(core))
        tried = [(core, 0), (core[:part], 0), (core[-part:], len(core) - part)]
        peak, (x, y), above = max((*_peak(searched, one), rows) for one, rows in tried)
        if peak >= _CORRELATED:
            left, top = x0 + x - rim_x, y0 + y - above - rim_y
            found.append((peak, Rect(left / w, top / h, (left + wide) / w, (top + high) / h)))
    found.sort(key=lambda hit: -hit[0])
    return [hit for hit in found if hit[0] >= found[0][0] - NEARLY]


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
