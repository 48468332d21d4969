"""Placements: which part of a camera's picture fills which part of the program.

A program may scale, letterbox, pillarbox, crop, zoom or mirror a camera. Guesses come from the
aspect ratios (`usual_placements`) and from a search over scale and shift (`search_placements`);
which guess is right is for the matching to say, over several frames, never for one pair alone.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from tap.sight.look import WHOLE, Rect
from tap.vocabulary import Luma


@dataclass(frozen=True, slots=True)
class Placement:
    """Program rect `on` shows camera rect `of`, left-right flipped if `mirror`."""

    on: Rect = WHOLE
    of: Rect = WHOLE
    mirror: bool = False

    @property
    def possible(self) -> bool:
        """Whether it lies inside of the camera's picture, as exactly as that can be measured: a
        program can't show what the camera did not film. Another one beside it films it."""
        of = self.of
        return min(of.x0, of.y0, 1 - of.x1, 1 - of.y1) >= -_OUTSIDE


_OUTSIDE = 0.015
"""Part of a camera's picture by which a placement may be found to lie outside of it."""
_SAME_ASPECT = 0.02


def same_shape(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether two picture sizes, (width, height) in px, have one aspect ratio."""
    return abs(a[0] * b[1] / (a[1] * b[0]) - 1) < _SAME_ASPECT


def usual_placements(
    camera: tuple[int, int], program: tuple[int, int], inside: Rect = WHOLE
) -> list[Placement]:
    """What switchers do by default: fill the frame, fit with bars, crop to fill, stretch.

    `camera` and `program` are (width, height) in px; `inside` is the part of the program that is
    not bars. First the plain ones, then the same flipped.
    """
    plain = _fitted(camera, program, WHOLE)
    if not inside.whole:
        plain += _fitted(camera, program, inside)
        # The whole programme, squeezed into the part that is not bars.
        plain += [Placement(_within(p.on, inside), p.of) for p in plain[:3]]
    plain = list(dict.fromkeys(plain))
    return plain + [Placement(p.on, p.of, mirror=True) for p in plain]


def _fitted(camera: tuple[int, int], program: tuple[int, int], box: Rect) -> list[Placement]:
    """A camera fitted into, filling, and stretched to a part of the program."""
    wide, high = box.x1 - box.x0, box.y1 - box.y0
    ratio = (camera[0] / camera[1]) / (program[0] * wide / (program[1] * high))
    if abs(ratio - 1) <= _SAME_ASPECT:
        return [Placement(on=box)]
    if ratio < 1:  # the camera is narrower: bars left and right, or crop top and bottom
        side = (1 - ratio) / 2
        within, part = Rect(side, 0, 1 - side, 1), Rect(0, side, 1, 1 - side)
    else:
        side = (1 - 1 / ratio) / 2
        within, part = Rect(0, side, 1, 1 - side), Rect(side, 0, 1 - side, 1)
    return [Placement(on=_within(within, box)), Placement(on=box, of=part), Placement(on=box)]


def _within(part: Rect, box: Rect) -> Rect:
    """A part of a picture that is shown in a box."""
    wide, high = box.x1 - box.x0, box.y1 - box.y0
    return Rect(
        box.x0 + part.x0 * wide,
        box.y0 + part.y0 * high,
        box.x0 + part.x1 * wide,
        box.y0 + part.y1 * high,
    )


_SCALES = (1.0, 1.06, 1.12, 1.2, 1.28, 1.37, 1.47, 1.58, 1.7, 1.83)
_SEARCH_SIDE = 96
_WORTH_TRYING = 0.35
"""Correlation below which a search hit is chance."""
_FLAT = 2.0
"""Grey levels of standard deviation below which a picture has nothing to find."""


def search_placements(
    camera: Luma, program: Luma, base: Placement
) -> list[tuple[float, Placement]]:
    """Look for a zoom into the camera: where does the program picture lie in the camera's?

    For each scale the program picture, shrunk, is slid over the camera's (normalised correlation).
    `base` says what the program would show of the camera at scale 1, and whether it is flipped.
    Returns (correlation, placement), best first; the caller must confirm by matching.
    """
    shown = _crop(program, base.on)
    if base.mirror:
        shown = np.ascontiguousarray(shown[:, ::-1])
    if float(shown.std()) < _FLAT:
        return []
    h, w = camera.shape
    shrink = _SEARCH_SIDE / max(h, w)
    size = (max(8, round(w * shrink)), max(8, round(h * shrink)))
    within = cv2.resize(camera, size, interpolation=cv2.INTER_AREA)
    full = ((base.of.x1 - base.of.x0) * size[0], (base.of.y1 - base.of.y0) * size[1])
    found: list[tuple[float, Placement]] = []
    for scale in _SCALES:
        small = (max(6, round(full[0] / scale)), max(6, round(full[1] / scale)))
        if small[0] > size[0] or small[1] > size[1]:
            continue
        template = cv2.resize(shown, small, interpolation=cv2.INTER_AREA)
        surface = cv2.matchTemplate(within, template, cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(surface)
        if best >= _WORTH_TRYING:
            # The size of the rounded template, not the nominal scale.
            of = Rect(x / size[0], y / size[1], (x + small[0]) / size[0], (y + small[1]) / size[1])
            found.append((best, Placement(base.on, of, base.mirror)))
    found.sort(key=lambda hit: -hit[0])
    return found


@dataclass(frozen=True, slots=True)
class Displacement:
    """How far a program's picture lies beside a camera's at the middle, in fractions of it, and how
    much more per fraction away from the middle, across and down."""

    x: float
    y: float
    wider: float
    higher: float


def clipped(placement: Placement, box: Rect) -> Placement:
    """The part of a placement that lies inside `box`; all of it where that leaves next to nothing.

    What bars cover is part of no camera's picture.
    """
    on = placement.on
    inner = Rect(max(on.x0, box.x0), max(on.y0, box.y0), min(on.x1, box.x1), min(on.y1, box.y1))
    if inner.x1 - inner.x0 < 0.1 or inner.y1 - inner.y0 < 0.1 or inner == on:
        return placement
    return shown_in(inner, placement)


def shown_in(rect: Rect, placement: Placement) -> Placement:
    """What a camera that lies so shows in another part of the program, or would if it went on so
    beyond its own."""
    on, of = placement.on, placement.of
    x = [(v - on.x0) / (on.x1 - on.x0) for v in (rect.x0, rect.x1)]
    y = [(v - on.y0) / (on.y1 - on.y0) for v in (rect.y0, rect.y1)]
    if placement.mirror:
        x = [1 - x[1], 1 - x[0]]
    w, h = of.x1 - of.x0, of.y1 - of.y0
    part = Rect(of.x0 + x[0] * w, of.y0 + y[0] * h, of.x0 + x[1] * w, of.y0 + y[1] * h)
    return Placement(rect, part, placement.mirror)


def whole_of(placement: Placement, of: Rect) -> Placement:
    """Where a part of a camera's picture is, or would be, in the program, if the camera lies so."""
    there = shown_in(of, Placement(placement.of, placement.on, placement.mirror))
    return Placement(there.of, of, placement.mirror)


def zoomed(base: Placement, scale: float) -> Placement:
    """`base`, zoomed into its middle by `scale`."""
    of = base.of
    x, y = (of.x0 + of.x1) / 2, (of.y0 + of.y1) / 2
    w, h = (of.x1 - of.x0) / scale / 2, (of.y1 - of.y0) / scale / 2
    return Placement(base.on, Rect(x - w, y - h, x + w, y + h), base.mirror)


def window_of(base: Placement, now: Placement) -> Rect:
    """The part of the program of `base` that a zoom of the program leaves, where a camera that lay
    as `base` now lies as `now`."""
    w, h = base.of.x1 - base.of.x0, base.of.y1 - base.of.y0
    left, right = (now.of.x0 - base.of.x0) / w, (now.of.x1 - base.of.x0) / w
    if base.mirror:
        left, right = 1 - right, 1 - left
    return Rect(left, (now.of.y0 - base.of.y0) / h, right, (now.of.y1 - base.of.y0) / h)


def shown_of(base: Placement, window: Rect) -> Placement:
    """How a camera that lay as `base` lies once the program shows but a window of that."""
    w, h = base.of.x1 - base.of.x0, base.of.y1 - base.of.y0
    left, right = window.x0, window.x1
    if base.mirror:
        left, right = 1 - right, 1 - left
    of = base.of
    part = Rect(of.x0 + left * w, of.y0 + window.y0 * h, of.x0 + right * w, of.y0 + window.y1 * h)
    return Placement(base.on, part, base.mirror)


def moved(placement: Placement, by: "Displacement") -> Placement:
    """The placement under which a picture no longer lies displaced."""
    of = placement.of
    left, right = -by.x + by.wider * 0.5, 1 - by.x - by.wider * 0.5
    top, bottom = -by.y + by.higher * 0.5, 1 - by.y - by.higher * 0.5
    if placement.mirror:
        left, right = 1 - right, 1 - left
    w, h = of.x1 - of.x0, of.y1 - of.y0
    rect = Rect(of.x0 + left * w, of.y0 + top * h, of.x0 + right * w, of.y0 + bottom * h)
    return Placement(placement.on, rect, placement.mirror)


def _crop(luma: Luma, rect: Rect) -> Luma:
    if rect.whole:
        return luma
    h, w = luma.shape
    x0, x1 = max(0, round(rect.x0 * w)), min(w, round(rect.x1 * w))
    y0, y1 = max(0, round(rect.y0 * h)), min(h, round(rect.y1 * h))
    return np.ascontiguousarray(luma[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)])
