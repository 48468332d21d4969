"""What a production does to its pictures: fit, grade, graphics, zoom."""

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from tap.rig.plan import Fit, Look
from tap.rig.source import Picture

_INK = (245, 245, 245)
_PANEL = (70, 38, 20)
_ACCENT = (60, 120, 235)
SLIDE_MS = 400.0
"""Time a lower third takes to slide in and out."""


def fitted(picture: Picture, size: tuple[int, int], fit: Fit) -> Picture:
    """The picture on a canvas of `size`: with black bars (FIT) or cropped (FILL)."""
    width, height = size
    high, wide = picture.shape[:2]
    ratios = (width / wide, height / high)
    scale = min(ratios) if fit is Fit.FIT else max(ratios)
    if fit is Fit.FILL:
        # Cut to the program's shape first: scaling what is then thrown away is the dearer way.
        kept_wide, kept_high = round(width / scale), round(height / scale)
        left, top = (wide - kept_wide) // 2, (high - kept_high) // 2
        picture = picture[top : top + kept_high, left : left + kept_wide]
        to = size
    else:
        to = (max(1, round(wide * scale)), max(1, round(high * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = picture if to == (wide, high) else cv2.resize(picture, to, interpolation=how)
    if to == size:
        return cast("Picture", scaled)
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - to[0]) // 2, (height - to[1]) // 2
    canvas[top : top + to[1], left : left + to[0]] = scaled
    return canvas


def mixed(before: Picture, after: Picture, weight: float) -> Picture:
    """A dissolve: `weight` of `after`, the rest of `before`."""
    return cast("Picture", cv2.addWeighted(before, 1.0 - weight, after, weight, 0.0))


def faded(before: Picture, after: Picture, progress: float) -> Picture:
    """A fade through black: `before` goes down, then `after` comes up."""
    if progress < 0.5:
        return cast("Picture", cv2.convertScaleAbs(before, alpha=1.0 - 2.0 * progress))
    return cast("Picture", cv2.convertScaleAbs(after, alpha=2.0 * progress - 1.0))


def wiped(before: Picture, after: Picture, progress: float) -> Picture:
    """A wipe from the left with a soft edge."""
    width = before.shape[1]
    soft = max(2.0, width * 0.02)
    edge = progress * (width + 2 * soft) - soft
    ramp = np.clip((edge - np.arange(width)) / soft + 0.5, 0.0, 1.0)
    weight = ramp.astype(np.float32)[None, :, None]
    return cast("Picture", (before + (after.astype(np.float32) - before) * weight).astype(np.uint8))


def side_by_side(left: Picture, right: Picture) -> Picture:
    """A split screen: the middle half of each picture."""
    width = left.shape[1]
    quarter, half = width // 4, width // 2
    out = left.copy()
    out[:, :half] = left[:, quarter : quarter + half]
    out[:, half:] = right[:, quarter : quarter + width - half]
    cv2.line(out, (half, 0), (half, out.shape[0]), _INK, 2)
    return out


def inset(big: Picture, small: Picture, share: float) -> Picture:
    """A picture in picture, its sides `share` of the big one's, at the lower right."""
    height, width = big.shape[:2]
    wide, high = round(width * share), round(height * share)
    margin = round(min(width, height) * 0.03)
    left, top = width - wide - margin, height - high - margin
    out = big.copy()
    out[top : top + high, left : left + wide] = cv2.resize(
        small, (wide, high), interpolation=cv2.INTER_AREA
    )
    cv2.rectangle(out, (left, top), (left + wide, top + high), _INK, 2)
    return out


@lru_cache(maxsize=8)
def slate(size: tuple[int, int], title: str) -> Picture:
    """A title card with colour bars. Callers must not write into it."""
    width, height = size
    card = np.empty((height, width, 3), np.uint8)
    card[:] = np.linspace(60, 20, height, dtype=np.uint8)[:, None, None]
    colours = ((190,) * 3, (0, 190, 190), (190, 190, 0), (0, 190, 0), (190, 0, 190), (0, 0, 190))
    for index, colour in enumerate(colours):
        left, right = index * width // 6, (index + 1) * width // 6
        card[int(height * 0.72) :, left:right] = colour
    _text(card, title, (0.5, 0.42), height / 520)
    return card


def _text(picture: Picture, text: str, centre: tuple[float, float], scale: float) -> None:
    face, weight = cv2.FONT_HERSHEY_DUPLEX, max(1, round(scale * 1.6))
    (wide, high), _ = cv2.getTextSize(text, face, scale, weight)
    x = round(picture.shape[1] * centre[0] - wide / 2)
    y = round(picture.shape[0] * centre[1] + high / 2)
    cv2.putText(picture, text, (x, y), face, scale, _INK, weight, cv2.LINE_AA)


@lru_cache(maxsize=8)
def _tones(grade: float, gamma: float) -> npt.NDArray[np.uint8]:
    level = np.linspace(0.0, 1.0, 256)
    curve = level * level * (3.0 - 2.0 * level)
    bent = (level + (curve - level) * grade) ** gamma
    tint = np.array([1.0 - 0.14 * grade, 1.0 - 0.02 * grade, 1.0 + 0.10 * grade])
    lifted = bent[:, None] * tint[None, :] + 0.03 * grade
    return np.asarray(np.rint(np.clip(lifted, 0.0, 1.0) * 255.0), dtype=np.uint8)[None]


def dressed(picture: Picture, look: Look, program_ms: float) -> Picture:
    """The picture as it leaves the production at `program_ms`. The input is not written to."""
    out = _framed(picture, look, program_ms)
    if look.grade or look.gamma != 1.0:
        out = cast("Picture", cv2.LUT(out, _tones(look.grade, look.gamma)))
    if look.saturation != 1.0:
        grey = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        out = mixed(cast("Picture", grey), out, look.saturation)
    out = out.copy() if out is picture else out
    if look.bug:
        _bug(out)
    for start, end in look.lower_thirds:
        if start <= program_ms < end:
            shown = min((program_ms - start) / SLIDE_MS, (end - program_ms) / SLIDE_MS, 1.0)
            _lower_third(out, shown)
    if look.bars:
        bar = round(out.shape[0] * look.bars / 2)
        out[:bar] = 0
        out[-bar:] = 0
    return out


def _framed(picture: Picture, look: Look, program_ms: float) -> Picture:
    factor = 1.0 / (1.0 - 2.0 * look.crop)
    for start, end, zoom in look.zooms:
        if start <= program_ms < end:
            factor *= zoom
    if factor == 1.0 and not look.mirror:
        return picture
    height, width = picture.shape[:2]
    sign = -1.0 if look.mirror else 1.0
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    matrix = np.array(
        [
            [sign * factor, 0.0, centre_x - sign * factor * centre_x],
            [0.0, factor, centre_y - factor * centre_y],
        ]
    )
    return cast("Picture", cv2.warpAffine(picture, matrix, (width, height)))


def _bug(picture: Picture) -> None:
    height, width = picture.shape[:2]
    radius = round(height * 0.045)
    centre = (width - 2 * radius, 2 * radius)
    cv2.circle(picture, centre, radius, _ACCENT, -1, cv2.LINE_AA)
    cv2.circle(picture, centre, round(radius * 0.55), _INK, max(2, radius // 5), cv2.LINE_AA)


def _lower_third(picture: Picture, shown: float) -> None:
    height, width = picture.shape[:2]
    top, bottom = round(height * 0.74), round(height * 0.90)
    right = round(width * 0.72 * max(0.0, shown))
    if right < 8:
        return
    panel = picture[top:bottom, :right]
    cover = np.empty_like(panel)
    cover[:] = _PANEL
    panel[:] = cv2.addWeighted(panel, 0.12, cover, 0.88, 0.0)
    picture[top:bottom, max(0, right - 10) : right] = _ACCENT
    if shown >= 1.0:
        scale = height / 640
        face = cv2.FONT_HERSHEY_DUPLEX
        left = round(width * 0.05)
        first, second = round(height * 0.81), round(height * 0.87)
        cv2.putText(picture, "ALEX MORGAN", (left, first), face, scale, _INK, 1, cv2.LINE_AA)
        cv2.putText(
            picture, "Dancer, Studio B", (left, second), face, scale * 0.6, _INK, 1, cv2.LINE_AA
        )
