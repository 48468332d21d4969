"""The outline of an inset, to a pixel: where the big camera's picture ends.

Cameras that look alike fit an inset about as well as each other, each with its picture shifted a
little; but only one of them ends where the inset does.
"""

import math

import cv2
import numpy as np

from tap.sight.look import WHOLE, Floats, Rect, render
from tap.sight.placement import Placement, shown_in
from tap.vocabulary import Luma

_REACH, _MIDDLE = 0.12, 0.6
"""How far an edge is looked for, and the part of the other side along which, of the inset's."""
_BESIDE = 0.05
"""Part of the inset's side that is compared on either side of an edge."""
_OUTSIDE = 2
"""Pixels that there must be: insets stand near the edge of the picture."""
_STEP = 2.0
"""So many times further off than outside is the big camera's picture inside, at least."""
_ALONG, _LINE, _FAINT = 0.4, 3.0, 2.0
"""All along an edge there is a line or a step: of this part of it at most it is less steep than is
told; at least so many times as steep as elsewhere, and in grey levels for two pixels."""
_WIDTH, _AS_STEEP = 4, 0.5
"""Most pixels that a frame is wide, and how steep its other side is as a part of its steepest."""
_FRAME = 0.016
"""An edge may lie so far outside of the inset's picture: it has a frame."""
_NEAR, _FAR = 0.015, 0.045
"""Spread of what is measured beyond that, as parts of the inset's sides; an edge that is further
off, or not to be seen, is something else's."""
_LEAST = 0.1
"""The outline tells no more than that: this part of the likelihood is left."""


def likely(program: Luma, big: Luma, behind: Placement, insets: list[Placement]) -> list[float]:
    """How likely, 0 .. 1, each of some insets is by where the big camera's picture ends.

    `behind` tells how that camera's picture lies, `insets` how the small ones' whole pictures do.
    """
    rest = _rest(program, big, behind)
    costs = [sum(map(_cost, _edges(rest, inset.on))) for inset in insets]
    return [max(_LEAST, math.exp(min(costs) - cost)) for cost in costs]


def _cost(outwards: float | None) -> float:
    """How unlikely it is, in nats, that an edge is seen so far outside of where it should be."""
    if outwards is None:
        return _FAR**2 / (2 * _NEAR**2)
    beyond = outwards - min(_FRAME, max(0.0, outwards))
    return min(abs(beyond), _FAR) ** 2 / (2 * _NEAR**2)


def _rest(program: Luma, big: Luma, behind: Placement) -> Floats:
    """(h, w) what each pixel differs by from the big camera's picture, in grey levels."""
    height, width = program.shape
    shown = render(big, shown_in(WHOLE, behind).of, (width, height), mirror=behind.mirror)
    x, y = shown.ravel().astype(np.float64), program.ravel().astype(np.float64)
    keep = np.ones(len(x), np.bool_)
    gain, offset = 1.0, 0.0
    for _ in range(4):
        gain, offset = (float(v) for v in np.polyfit(x[keep], y[keep], 1))
        rest = np.abs(y - gain * x - offset)
        keep = rest <= 2.0 * float(np.median(rest)) + 1.0
    return np.asarray(program - gain * shown - offset, np.float32)


def _edges(rest: Floats, rect: Rect) -> list[float | None]:
    """How far outside of those of a rect the edges near them are seen, in parts of its sides; None
    for each that is not."""
    found: list[float | None] = []
    for turned, (low, high), (start, end) in (
        (False, (rect.x0, rect.x1), (rect.y0, rect.y1)),
        (True, (rect.y0, rect.y1), (rect.x0, rect.x1)),
    ):
        picture = rest.T if turned else rest
        count, side = picture.shape[1], (high - low) * picture.shape[1]
        rim = (1 - _MIDDLE) / 2 * (end - start)
        first, last = (round(at * len(picture)) for at in (start + rim, end - rim))
        along = picture[max(0, first) : max(0, last)]
        if not len(along):
            found += [None, None]  # it lies outside of the picture
            continue
        steep = _steepness(along)
        off = cv2.blur(np.abs(along), (3, 3)).mean(axis=0)
        for edge, inwards in ((low * count, 1), (high * count, -1)):
            at = _line(steep, edge, inwards, side)
            if at is None:
                at = _edge(off, edge, inwards, side)
            found.append(None if at is None else (edge - at) * inwards / side)
    return found


def _steepness(along: Floats) -> Floats:
    """(w,) how steep a picture (h, w) is across each column, all along it."""
    steps = np.abs(along[:, 2:] - along[:, :-2])
    return np.pad(np.quantile(steps, _ALONG, axis=0), 1).astype(np.float32)


def _line(steep: Floats, thought: float, inwards: int, side: float) -> float | None:
    """Where a straight line or step begins, going inwards, about where it was thought to; None if
    there is none."""
    reach = max(3, round(_REACH * side))
    first, last = max(0, round(thought) - reach), min(len(steep), round(thought) + reach + 1)
    if last - first < _OUTSIDE:
        return None
    part = steep[first:last][::inwards]
    peak = int(part.argmax())
    if part[peak] < max(_FAINT, _LINE * float(np.median(part))):
        return None
    # A frame is as steep at its inner side.
    before = part[max(0, peak - _WIDTH) : peak + 1]
    at = peak - (len(before) - 1) + int((before >= _AS_STEEP * part[peak]).argmax())
    return float(first + at + 1 if inwards > 0 else last - 1 - at)


def _edge(profile: Floats, thought: float, inwards: int, side: float) -> float | None:
    """Where a profile steps up, going inwards, about where it was thought to; None if nowhere."""
    reach, beside = max(3, round(_REACH * side)), max(3, round(_BESIDE * side))
    best: tuple[float, float, float] | None = None
    for at in range(round(thought) - reach, round(thought) + reach + 1):
        low, high = max(0, at - beside), min(len(profile), at + beside)
        if min(at - low, high - at) < _OUTSIDE:
            continue
        one, two = float(profile[low:at].mean()), float(profile[at:high].mean())
        outside, inside = (one, two) if inwards > 0 else (two, one)
        if best is None or inside - outside > best[0]:
            best = inside - outside, float(at), inside / (outside + 1.0)
    return best[1] if best is not None and best[2] >= _STEP else None
