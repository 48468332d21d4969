"""The mixer of the switcher: wipes of every direction, fades of two colours, ways to share a
picture, and a full-screen graphic."""

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from tap.rig import look
from tap.rig.plan import Take
from tap.rig.source import Picture
from tap.vocabulary import EventType

WHITE = "white"
"""A fade's variant: through white instead of black."""
WIPES = ("", "right", "down", "up", "diagonal", "iris", "clock", "barn")
"""A wipe's variants; empty is from the left."""
SPLITS = ("", "whole", "stacked")
"""A split's layouts: the middle half of each; both whole, side by side; one above the other."""
CORNERS = ("", "top-left", "top-right", "bottom-left")
"""An inset's places; empty is the lower right."""

_SOFT = 0.02
"""Width of a wipe's edge, as a part of its way."""
_INK = (245, 245, 245)


def changed(before: Picture, after: Picture, progress: float, take: Take) -> Picture:
    """The picture while `take` is under way; `progress` in 0 … 1."""
    if take.how is EventType.FADE:
        if take.variant == WHITE:
            return faded_white(before, after, progress)
        return look.faded(before, after, progress)
    if take.how is EventType.WIPE:
        return wiped(before, after, progress, take.variant)
    return look.mixed(before, after, progress)


def faded_white(before: Picture, after: Picture, progress: float) -> Picture:
    """A fade through white: `before` goes up, then `after` comes down."""
    shown, white = (before, 2.0 * progress) if progress < 0.5 else (after, 2.0 - 2.0 * progress)
    return cast("Picture", cv2.convertScaleAbs(shown, alpha=1.0 - white, beta=255.0 * white))


def wiped(before: Picture, after: Picture, progress: float, variant: str) -> Picture:
    """A wipe with a soft edge. Raises ValueError for an unknown variant."""
    if not variant:
        return look.wiped(before, after, progress)
    reach = _reach(before.shape[1], before.shape[0], variant)
    edge = progress * (1.0 + 2.0 * _SOFT) - _SOFT
    weight = np.clip((edge - reach) / _SOFT + 0.5, 0.0, 1.0)
    rest = cast("npt.NDArray[np.float32]", 1.0 - weight)
    return cast("Picture", cv2.blendLinear(before, after, rest, weight))


@lru_cache(maxsize=16)
def _reach(width: int, height: int, variant: str) -> npt.NDArray[np.float32]:
    """When a wipe reaches each pixel: (height, width), 0 … 1 of its way."""
    x, y = np.meshgrid(np.linspace(0.0, 1.0, width), np.linspace(0.0, 1.0, height))
    ways = {
        "right": 1.0 - x,
        "down": y,
        "up": 1.0 - y,
        "diagonal": (x + y) / 2.0,
        "iris": np.hypot(x - 0.5, y - 0.5) / np.sqrt(0.5),
        "clock": (np.arctan2(x - 0.5, 0.5 - y) / (2.0 * np.pi)) % 1.0,
        "barn": np.abs(x - 0.5) * 2.0,
    }
    if variant not in ways:
        raise ValueError(f"there is no wipe '{variant}'")
    return np.asarray(ways[variant], dtype=np.float32)


def split(first: Picture, second: Picture, layout: str) -> Picture:
    """Two pictures that share the screen. Raises ValueError for an unknown layout."""
    if not layout:
        return look.side_by_side(first, second)
    height, width = first.shape[:2]
    if layout == "whole":
        out = np.full_like(first, 24)
        wide, high = width // 2 - 4, round(height * (width // 2 - 4) / width)
        top = (height - high) // 2
        for left, picture in ((2, first), (width - wide - 2, second)):
            small = cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA)
            out[top : top + high, left : left + wide] = small
        return out
    if layout == "stacked":
        quarter, half = height // 4, height // 2
        out = first.copy()
        out[:half] = first[quarter : quarter + half]
        out[half:] = second[quarter : quarter + height - half]
        cv2.line(out, (0, half), (width, half), _INK, 2)
        return out
    raise ValueError(f"there is no split '{layout}'")


def inset(big: Picture, small: Picture, share: float, corner: str) -> Picture:
    """A picture in picture; `share` of the big one's sides, in a corner."""
    turned = {"": None, "top-left": -1, "top-right": 0, "bottom-left": 1}
    if corner not in turned:
        raise ValueError(f"there is no corner '{corner}'")
    flip = turned[corner]
    if flip is None:
        return look.inset(big, small, share)
    # Turned over, made at the lower right, and turned back: every corner is drawn alike.
    made = look.inset(
        cast("Picture", cv2.flip(big, flip)), cast("Picture", cv2.flip(small, flip)), share
    )
    return cast("Picture", cv2.flip(made, flip))


def graphic(size: tuple[int, int], program_ms: float) -> Picture:
    """A moving full-screen graphic, as between the parts of a broadcast."""
    width, height = size
    turn = program_ms / 1000.0
    x = np.linspace(0.0, 2.0 * np.pi, width, dtype=np.float32)[None, :]
    y = np.linspace(0.0, 2.0 * np.pi, height, dtype=np.float32)[:, None]
    wave = np.sin(x * 1.5 + turn * 1.1) + np.cos(y * 1.2 - turn * 0.8)
    out = np.empty((height, width, 3), np.uint8)
    for channel, (base, swing) in enumerate(((120, 40), (60, 25), (40, 20))):
        out[..., channel] = np.clip(base + swing * wave, 0, 255)
    shift = round(height * 0.1 * np.sin(turn * 2.0))
    cv2.rectangle(out, (width // 5, height // 3 + shift), (width * 4 // 5, height // 2), _INK, -1)
    face, scale = cv2.FONT_HERSHEY_DUPLEX, height / 300
    cv2.putText(out, "ROUND TWO", (width // 4, height * 3 // 4), face, scale, _INK, 2, cv2.LINE_AA)
    return out
