"""How a placement differs from another: zooms, steps, speeds."""

from tap.sight.look import Rect
from tap.sight.placement import Placement

Edges = tuple[float, float, float, float]
"""Left, top, right and bottom, or how fast they move, per ms."""

_MIDDLE, _TOWARDS = 0.012, 0.22
"""A zoom may lie so far from the middle of the picture, and so much further for each part of the
picture that it leaves out."""

_ALIKE = 0.03
"""Edges of one place differ by less than this part of the picture."""


def same_place(one: Placement, other: Placement) -> bool:
    return one.mirror == other.mirror and one.on.near(other.on) and one.of.near(other.of, _ALIKE)


def edges(rect: Rect) -> Edges:
    return rect.x0, rect.y0, rect.x1, rect.y1


def speed(one: Rect, other: Rect, dt: float) -> Edges:
    """How fast the edges moved from one rect to another, per ms."""
    x0, y0, x1, y1 = ((b - a) / dt for a, b in zip(edges(one), edges(other), strict=True))
    return x0, y0, x1, y1


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
    wide, high = (of.x1 - of.x0) / (base.x1 - base.x0), (of.y1 - of.y0) / (base.y1 - base.y0)
    inside = min(of.x0 - base.x0, of.y0 - base.y0, base.x1 - of.x1, base.y1 - of.y1) > -_ALIKE
    return inside and abs(wide - high) < _ALIKE


def step(one: Placement, other: Placement) -> float:
    """The furthest that an edge moves from one placement to another, as a part of the picture."""
    w, h = one.of.x1 - one.of.x0, one.of.y1 - one.of.y0
    across = max(abs(one.of.x0 - other.of.x0), abs(one.of.x1 - other.of.x1)) / w
    return max(across, abs(one.of.y0 - other.of.y0) / h, abs(one.of.y1 - other.of.y1) / h)
