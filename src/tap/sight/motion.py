"""How a placement differs from another: zooms, steps, speeds."""

import math

from tap.sight.look import Rect
from tap.sight.placement import Placement

Edges = tuple[float, float, float, float]
"""Left, top, right and bottom, or how fast they move, per ms."""

_MIDDLE, _TOWARDS = 0.012, 0.22
"""A zoom may lie so far from the middle of the picture, and so much further for each part of the
picture that it leaves out."""

_ALONG = 0.5
"""Cosine from which on speeds are of one direction."""
_SCALES = 0.5
"""What zooms grows or shrinks by this part of the furthest that an edge of it moves."""
_ALIKE = 0.03
"""Edges of one place differ by less than this part of the picture."""


def laid_alike(one: Placement, other: Placement) -> bool:
    """Whether two placements differ but by what they show of a camera."""
    return one.mirror == other.mirror and one.on.near(other.on)


def same_place(one: Placement, other: Placement) -> bool:
    return laid_alike(one, other) and one.of.near(other.of, _ALIKE)


def edges(rect: Rect) -> Edges:
    return rect.x0, rect.y0, rect.x1, rect.y1


def speed(one: Rect, other: Rect, dt: float) -> Edges:
    """How fast the edges moved from one rect to another, per ms."""
    x0, y0, x1, y1 = ((b - a) / dt for a, b in zip(edges(one), edges(other), strict=True))
    return x0, y0, x1, y1


def same_way(one: Edges, other: Edges) -> bool:
    """Whether two speeds are about of one direction."""
    along = sum(a * b for a, b in zip(one, other, strict=True))
    return along > _ALONG * math.sqrt(sum(a * a for a in one) * sum(b * b for b in other))


def zooms(one: Placement, other: Placement) -> bool:
    """Whether a placement changes its size, not only where it lies."""
    wide, high = one.of.x1 - one.of.x0, one.of.y1 - one.of.y0
    wider = abs((other.of.x1 - other.of.x0) / wide - 1)
    higher = abs((other.of.y1 - other.of.y0) / high - 1)
    return min(wider, higher) > _SCALES * step(one, other)


def kept_inside(rect: Rect) -> Rect:
    """A part of a picture, pushed into it where it sticks out: at its edge a zoom goes along it."""
    x, y = max(0.0, -rect.x0) - max(0.0, rect.x1 - 1), max(0.0, -rect.y0) - max(0.0, rect.y1 - 1)
    return Rect(rect.x0 + x, rect.y0 + y, rect.x1 + x, rect.y1 + y)


def is_zoom(base: Rect, of: Rect) -> bool:
    """Whether a crop is a zoom: the further in, the further from the middle it may be."""
    w, h = base.x1 - base.x0, base.y1 - base.y0
    for low, high, start, end, side in (
        (of.x0, of.x1, base.x0, base.x1, w),
        (of.y0, of.y1, base.y0, base.y1, h),
    ):
        aside = abs(low + high - start - end) / 2 / side
        if aside > _MIDDLE + _TOWARDS * max(0.0, 1 - (high - low) / side):
            return False
    return True


def is_part(base: Rect, of: Rect) -> bool:
    """Whether a crop is a zoom to any point: of the same shape, and inside."""
    inside = min(of.x0 - base.x0, of.y0 - base.y0, base.x1 - of.x1, base.y1 - of.y1) > -_ALIKE
    return inside and _same_form(base, of)


def is_zoom_of(home: Placement, now: Placement) -> bool:
    """Whether a placement shows a part of another one's picture, or more of it, of the same shape
    and in the same part of the program."""
    return laid_alike(home, now) and _same_form(home.of, now.of)


def _same_form(base: Rect, of: Rect) -> bool:
    """Whether a rect is as much narrower than another as it is lower."""
    wide, high = (of.x1 - of.x0) / (base.x1 - base.x0), (of.y1 - of.y0) / (base.y1 - base.y0)
    return abs(wide - high) < _ALIKE


def step(one: Placement, other: Placement) -> float:
    """The furthest that an edge moves from one placement to another, as a part of the picture."""
    w, h = one.of.x1 - one.of.x0, one.of.y1 - one.of.y0
    across = max(abs(one.of.x0 - other.of.x0), abs(one.of.x1 - other.of.x1)) / w
    return max(across, abs(one.of.y0 - other.of.y0) / h, abs(one.of.y1 - other.of.y1) / h)
