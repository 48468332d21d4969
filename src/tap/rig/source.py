"""What a camera can point at: a function of scene time that gives a picture.

Scene time is in ms since the shoot began. A picture is (h, w, 3) uint8, BGR. Sources are pure:
the same time always gives the same picture, so a camera and the program agree on what was seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""(h, w, 3) uint8, BGR."""


class Source(Protocol):
    """Anything that can be looked at."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures, in pixels; both even."""
        ...

    def picture(self, scene_ms: float) -> Picture:
        """What is seen at `scene_ms`. Callers must not write into it."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """A virtual camera cut out of another source: part of its picture, at another moment.

    `crop` is (left, top, right, bottom) in fractions of the picture; `turn` counts quarter turns
    clockwise; `shift_ms` looks at another moment of the source.
    """

    source: Source
    size: tuple[int, int]
    crop: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    mirror: bool = False
    turn: int = 0
    shift_ms: float = 0.0

    def picture(self, scene_ms: float) -> Picture:
        """The cut-out, scaled to `size`."""
        whole = self.source.picture(scene_ms + self.shift_ms)
        height, width = whole.shape[:2]
        left, top, right, bottom = self.crop
        # A warp, not a slice: crops of look-alikes differ by less than a pixel.
        wide, high = self.size if self.turn % 2 == 0 else self.size[::-1]
        scale_x, scale_y = (right - left) * width / wide, (bottom - top) * height / high
        part = np.ascontiguousarray(
            whole[
                max(int(top * height) - 2, 0) : int(bottom * height) + 3,
                max(int(left * width) - 2, 0) : int(right * width) + 3,
            ]
        )
        origin_x = left * width - max(int(left * width) - 2, 0)
        origin_y = top * height - max(int(top * height) - 2, 0)
        if max(scale_x, scale_y) > 1.5:
            # Shrinking by a warp alone would shimmer as no lens does.
            cv2.blur(part, (round(scale_x) | 1, round(scale_y) | 1), dst=part)
        sign = -1.0 if self.mirror else 1.0
        start_x = origin_x + ((wide - 1) * scale_x if self.mirror else 0.0)
        matrix = np.array(
            [[sign * scale_x, 0.0, start_x], [0.0, scale_y, origin_y]], dtype=np.float64
        )
        warped: Any = cv2.warpAffine(
            part,
            matrix,
            (wide, high),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for _ in range(self.turn % 4):
            warped = cv2.rotate(warped, cv2.ROTATE_90_CLOCKWISE)
        return cast("Picture", warped)


@dataclass(frozen=True, slots=True)
class Flashed:
    """A source lit by photo flashes: bright for `length_ms`, decaying, at each of `at_ms`."""

    source: Source
    at_ms: Sequence[float]
    length_ms: float = 90.0
    strength: float = 150.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        return self.source.size

    def picture(self, scene_ms: float) -> Picture:
        """The picture, brightened while a flash burns."""
        picture = self.source.picture(scene_ms)
        for at in self.at_ms:
            if at <= scene_ms < at + self.length_ms:
                light = self.strength * (1.0 - (scene_ms - at) / self.length_ms)
                return cast("Picture", cv2.convertScaleAbs(picture, alpha=1.1, beta=light))
        return picture


@dataclass(frozen=True, slots=True)
class Sensor:
    """How a camera turns light into numbers: exposure, gamma, white balance, noise.

    `balance` are the gains of blue, green and red; `noise` is a standard deviation in grey levels.
    """

    exposure: float = 1.0
    gamma: float = 1.0
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    noise: float = 0.0
    seed: int = 0
    _table: npt.NDArray[np.uint8] = field(init=False, repr=False, compare=False)
    _grain: npt.NDArray[np.int8] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work the tables out once."""
        levels = np.linspace(0.0, 1.0, 256)[:, None] * np.asarray(self.balance)[None, :]
        curve = np.clip((levels * self.exposure) ** self.gamma, 0.0, 1.0)
        table = np.rint(curve * 255.0).astype(np.uint8)[None]
        object.__setattr__(self, "_table", table)
        random = np.random.default_rng(self.seed)
        grain = np.clip(np.rint(random.normal(0.0, self.noise, (512, 512, 3))), -127, 127)
        # Twice each way: any window of up to 512 pixels is then a plain slice of it.
        object.__setattr__(self, "_grain", np.tile(grain.astype(np.int8), (2, 2, 1)))

    def expose(self, picture: Picture, index: int) -> Picture:
        """The picture as this sensor records it as its frame `index`; same index, same noise."""
        plain = self.exposure == self.gamma == 1.0 and self.balance == (1.0, 1.0, 1.0)
        out = picture if plain else cast("Picture", cv2.LUT(picture, self._table))
        if self.noise <= 0.0:
            return out
        height, width = out.shape[:2]
        random = np.random.default_rng((self.seed, index))
        dx, dy = (int(value) for value in random.integers(0, 512, 2))
        if max(height, width) <= 512:
            grain = self._grain[dy : dy + height, dx : dx + width]
        else:
            rows = np.arange(dy, dy + height) % 512
            columns = np.arange(dx, dx + width) % 512
            grain = self._grain[rows][:, columns]
        return cast("Picture", cv2.add(out, grain, dtype=cv2.CV_8U))
