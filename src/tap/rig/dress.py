"""What a production can do to its program besides `look`: moving zooms, LUTs, bars, graphics.

Each is an `Effect` of `plan.Program`: called with a picture and the program time in ms.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from tap.rig.source import Picture

_INK = (245, 245, 245)
_PANEL = (30, 30, 30)
_FACE = cv2.FONT_HERSHEY_DUPLEX


def mirrored(picture: Picture, program_ms: float) -> Picture:
    """Left and right swapped."""
    return cast("Picture", cv2.flip(picture, 1))


def colourless(picture: Picture, program_ms: float) -> Picture:
    """Black and white."""
    return cast(
        "Picture", cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    )


@dataclass(frozen=True, slots=True)
class Zoom:
    """A digital zoom through key frames (ms, factor, x, y): straight in between, two keys at one
    time make a step; x and y are the middle, in fractions of the picture."""

    keys: tuple[tuple[float, float, float, float], ...]

    def __call__(self, picture: Picture, program_ms: float) -> Picture:
        """The part that the zoom shows."""
        times = [key[0] for key in self.keys]
        after = sum(time <= program_ms for time in times)
        if after in {0, len(times)}:
            _, factor, x, y = self.keys[max(0, after - 1)]
        else:
            one, two = self.keys[after - 1], self.keys[after]
            part = (program_ms - one[0]) / (two[0] - one[0])
            factor, x, y = (a + (b - a) * part for a, b in zip(one[1:], two[1:], strict=True))
        if abs(factor - 1.0) < 1e-6:
            return picture
        height, width = picture.shape[:2]
        # The window stays inside the picture.
        half = 0.5 / factor
        x, y = min(max(x, half), 1.0 - half), min(max(y, half), 1.0 - half)
        matrix = np.array(
            [
                [factor, 0.0, (width - 1) / 2 - factor * (x * width - 0.5)],
                [0.0, factor, (height - 1) / 2 - factor * (y * height - 0.5)],
            ]
        )
        return cast(
            "Picture",
            cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE),
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """The picture shrunk to `scale` of its sides on black, its middle moved by `shift` (fractions):
    letterboxed, pillarboxed and windowed at once. `squeeze` is its width against its height."""

    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    squeeze: float = 1.0

    def __call__(self, picture: Picture, program_ms: float) -> Picture:
        """The picture in its place."""
        height, width = picture.shape[:2]
        wide, high = round(width * self.scale * self.squeeze), round(height * self.scale)
        wide, high = min(wide, width), min(high, height)
        small = cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA)
        out = np.zeros_like(picture)
        left = round((width - wide) * (0.5 + self.shift[0]))
        top = round((height - high) * (0.5 + self.shift[1]))
        out[top : top + high, left : left + wide] = small
        return out


@dataclass(frozen=True, slots=True)
class Tones:
    """A film look: a table per channel (lifted blacks, bent mids, coloured ends) and a vignette
    that takes `vignette` of the light in the corners."""

    strength: float = 1.0
    vignette: float = 0.0
    seed: int = 0
    _table: npt.NDArray[np.uint8] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work the table out once."""
        random = np.random.default_rng((self.seed, 43))
        level = np.linspace(0.0, 1.0, 256)
        channels: list[npt.NDArray[np.float64]] = []
        for _ in range(3):
            gamma = 1.0 + self.strength * random.uniform(-0.35, 0.45)
            low, high = random.uniform(0.0, 0.12), random.uniform(0.82, 1.0)
            curve = level**gamma
            bent = curve + self.strength * 0.08 * np.sin(2.0 * np.pi * curve)
            channels.append(low * self.strength + bent * (1.0 - self.strength * (1.0 - high + low)))
        table = np.rint(np.clip(np.stack(channels, axis=-1), 0.0, 1.0) * 255.0)
        object.__setattr__(self, "_table", table.astype(np.uint8)[None])

    def __call__(self, picture: Picture, program_ms: float) -> Picture:
        """The picture graded."""
        out = cast("Picture", cv2.LUT(picture, self._table))
        if self.vignette:
            shade = _vignette(picture.shape[1], picture.shape[0], self.vignette)
            out = cast("Picture", cv2.multiply(out, shade, scale=1.0 / 255.0))
        return out


@lru_cache(maxsize=4)
def _vignette(width: int, height: int, depth: float) -> Picture:
    x, y = np.meshgrid(np.linspace(-1.0, 1.0, width), np.linspace(-1.0, 1.0, height))
    light = 1.0 - depth * np.clip((x * x + y * y) / 2.0, 0.0, 1.0) ** 1.3
    return np.repeat(np.rint(light * 255.0).astype(np.uint8)[..., None], 3, axis=-1)


@dataclass(frozen=True, slots=True)
class Graphics:
    """What lies on top: burnt-in `timecode`, a `ticker` along the bottom, `subtitles`."""

    timecode: bool = False
    ticker: bool = False
    subtitles: bool = False

    def __call__(self, picture: Picture, program_ms: float) -> Picture:
        """The picture with its graphics."""
        out = picture.copy()
        height, width = out.shape[:2]
        scale, weight = height / 520, max(1, height // 300)
        if self.timecode:
            seconds, rest = divmod(program_ms / 1000.0, 1.0)
            text = f"10:{int(seconds) // 60:02d}:{int(seconds) % 60:02d}:{int(rest * 25):02d}"
            right, bottom = round(width * 0.36), round(height * 0.11)
            out[round(height * 0.03) : bottom, round(width * 0.03) : right] = _PANEL
            at = (round(width * 0.04), round(height * 0.095))
            cv2.putText(out, text, at, _FACE, scale, _INK, weight, cv2.LINE_AA)
        if self.ticker:
            top = round(height * 0.90)
            out[top:] = (90, 30, 20)
            text = "BREAKING  rehearsal runs late  +++  doors open at eight  +++  " * 2
            left = width - round(program_ms / 1000.0 * width * 0.16) % (width * 3)
            at = (left, round(height * 0.965))
            cv2.putText(out, text, at, _FACE, scale, _INK, weight, cv2.LINE_AA)
        if self.subtitles and program_ms % 3000.0 < 2400.0:
            lines = ("and this is where she turns", "watch the hands", "once more from the top")
            text = lines[int(program_ms // 3000.0) % 3]
            (wide, _), _ = cv2.getTextSize(text, _FACE, scale * 1.2, weight)
            at = ((width - wide) // 2, round(height * 0.84))
            cv2.putText(out, text, at, _FACE, scale * 1.2, (0, 0, 0), weight + 3, cv2.LINE_AA)
            cv2.putText(out, text, at, _FACE, scale * 1.2, _INK, weight, cv2.LINE_AA)
        return out


@dataclass(frozen=True, slots=True)
class Stingers:
    """A graphic that sweeps over the picture and off again, hiding a cut. Each of `at_ms` is the
    moment at which it begins to leave; it covers all for `covered_ms` before, and moves on and off
    in `sweep_ms` each."""

    at_ms: tuple[float, ...]
    covered_ms: float = 70.0
    sweep_ms: float = 250.0

    def __call__(self, picture: Picture, program_ms: float) -> Picture:
        """The picture, more or less covered."""
        for at in self.at_ms:
            on = at - self.covered_ms
            if on - self.sweep_ms < program_ms < on:
                return self._cover(picture, 0.0, 1.0 - (on - program_ms) / self.sweep_ms)
            if on <= program_ms < at:
                return self._cover(picture, 0.0, 1.0)
            if at <= program_ms < at + self.sweep_ms:
                return self._cover(picture, (program_ms - at) / self.sweep_ms, 1.0)
        return picture

    def _cover(self, picture: Picture, start: float, end: float) -> Picture:
        width = picture.shape[1]
        left, right = round(start * width), round(end * width)
        out = picture.copy()
        if right > left:
            out[:, left:right] = stinger(width, picture.shape[0])[:, left:right]
        return out


@lru_cache(maxsize=4)
def stinger(width: int, height: int) -> Picture:
    """The graphic of a stinger, whole."""
    out = np.empty((height, width, 3), np.uint8)
    for index in range(8):
        left, right = index * width // 8, (index + 1) * width // 8
        out[:, left:right] = (40 + index * 20, 60, 180 - index * 10)
    middle = (width // 2, height // 2)
    cv2.circle(out, middle, height // 4, _INK, -1, cv2.LINE_AA)
    cv2.circle(out, middle, height // 6, (40, 40, 160), -1, cv2.LINE_AA)
    return out
