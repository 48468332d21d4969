"""Virtual cameras that move: pans, zooms, hand-held sway, lens switches, bent and tilted views.

A `Path` says where a camera looks at a scene time in ms, in fractions of the picture it is cut
out of; `Framed` is the camera.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from tap.rig.source import Picture, Source


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a camera looks: the middle and the width in fractions of the source's width and
    height, and a tilt in degrees. Its height follows from the shape of the camera's picture."""

    x: float = 0.5
    y: float = 0.5
    wide: float = 1.0
    tilt: float = 0.0


Path = Callable[[float], Frame]
"""Where a camera looks at a scene time in ms."""


@dataclass(frozen=True, slots=True)
class Keys:
    """A path through key frames (ms, frame), straight in between; two keys at one time: a jump."""

    keys: tuple[tuple[float, Frame], ...]

    def __call__(self, scene_ms: float) -> Frame:
        """Where it is."""
        before, after = self.keys[0], self.keys[-1]
        if scene_ms < before[0]:
            return before[1]
        for key in self.keys:
            if key[0] > scene_ms:
                after = key
                break
            before = key
        else:
            return after[1]
        part = (scene_ms - before[0]) / (after[0] - before[0])
        one, two = before[1], after[1]
        return Frame(
            one.x + (two.x - one.x) * part,
            one.y + (two.y - one.y) * part,
            one.wide + (two.wide - one.wide) * part,
            one.tilt + (two.tilt - one.tilt) * part,
        )


@dataclass(frozen=True, slots=True)
class Held:
    """A path as a hand holds it: `base`, panned by `pan` (fractions) once in `period_s`, and
    shaking by `sway` (fractions) and a few tenths of a degree, differently for each `seed`."""

    base: Frame
    pan: tuple[float, float] = (0.0, 0.0)
    period_s: float = 8.0
    sway: float = 0.004
    seed: int = 0

    def __call__(self, scene_ms: float) -> Frame:
        """Where it is."""
        seconds = scene_ms / 1000.0
        # A hand's tremor: a few slow sines whose phases and rates are this hand's own.
        random = np.random.default_rng((self.seed, 31))
        rate, phase = random.uniform(0.35, 1.9, (3, 3)), random.uniform(0.0, 6.3, (3, 3))
        shake = np.sin(2.0 * np.pi * rate * seconds + phase).mean(axis=1) * self.sway
        turn = np.sin(2.0 * np.pi * seconds / self.period_s)
        return Frame(
            self.base.x + self.pan[0] * float(turn) + float(shake[0]),
            self.base.y + self.pan[1] * float(turn) + float(shake[1]),
            self.base.wide,
            self.base.tilt + float(shake[2]) * 60.0,
        )


@dataclass(frozen=True, slots=True)
class Framed:
    """A camera of `size` that looks along `path` at the picture of another source.

    `bend` is a lens distortion (positive: barrel), `lean` a perspective one: how much (fractions)
    the right edge is higher than the left, as seen from the side.
    """

    source: Source
    size: tuple[int, int]
    path: Path
    bend: float = 0.0
    lean: float = 0.0
    mirror: bool = False
    _grid: npt.NDArray[np.float32] = field(init=False, repr=False, compare=False)
    _maps: dict[Frame, tuple[Any, Any]] = field(
        default_factory=dict[Frame, tuple[Any, Any]], init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Work out where the lens puts each pixel, in units of the picture's half width."""
        width, height = self.size
        x, y = np.meshgrid(
            (np.arange(width) - (width - 1) / 2) / (width / 2),
            (np.arange(height) - (height - 1) / 2) / (width / 2),
        )
        far = x * x + y * y
        x, y = x * (1.0 + self.bend * far), y * (1.0 + self.bend * far)
        y = y / (1.0 + self.lean * x)
        grid = np.stack([-x if self.mirror else x, y]).astype(np.float32)
        object.__setattr__(self, "_grid", grid)

    def picture(self, scene_ms: float) -> Picture:
        """What it sees."""
        whole = self.source.picture(scene_ms)
        height, width = whole.shape[:2]
        at = self.path(scene_ms)
        scale = at.wide * width / 2.0
        step = at.wide * width / self.size[0]
        if step > 1.6:
            # Shrinking by a warp alone would shimmer as no lens does.
            whole = cast("Picture", cv2.blur(whole, (round(step) | 1, round(step) | 1)))
        turn = np.deg2rad(at.tilt)
        cos, sin = float(np.cos(turn)) * scale, float(np.sin(turn)) * scale
        middle_x, middle_y = at.x * width - 0.5, at.y * height - 0.5
        border, linear = cv2.BORDER_REPLICATE, cv2.INTER_LINEAR
        if not self.bend and not self.lean and not self.mirror:
            half, unit = (self.size[0] - 1) / 2, self.size[0] / 2
            down = (self.size[1] - 1) / 2
            matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]]) / unit
            matrix[0, 2] = middle_x - matrix[0, 0] * half - matrix[0, 1] * down
            matrix[1, 2] = middle_y - matrix[1, 0] * half - matrix[1, 1] * down
            flags = linear | cv2.WARP_INVERSE_MAP
            return cast(
                "Picture", cv2.warpAffine(whole, matrix, self.size, flags=flags, borderMode=border)
            )
        maps = self._maps.get(at)
        if maps is None:
            x, y = self._grid
            map_x = (x * cos - y * sin + middle_x).astype(np.float32)
            map_y = (x * sin + y * cos + middle_y).astype(np.float32)
            maps = cv2.convertMaps(map_x, map_y, cv2.CV_16SC2)
            self._maps.clear()
            self._maps[at] = maps
        return cast("Picture", cv2.remap(whole, maps[0], maps[1], linear, borderMode=border))
