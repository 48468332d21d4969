"""What happens to a camera: hunting exposure, refocusing, a turned phone, black frames, a still.

Each wraps a source, as `source.Flashed` does. Times are scene ms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from tap.rig.source import Picture, Source


@dataclass(frozen=True, slots=True)
class _Wrapped:
    source: Source

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        return self.source.size


@dataclass(frozen=True, slots=True)
class Still(_Wrapped):
    """A scene in which nothing moves: the source as it was at `at_ms`."""

    at_ms: float = 0.0

    def picture(self, scene_ms: float) -> Picture:
        """The one picture."""
        return self.source.picture(self.at_ms)


@dataclass(frozen=True, slots=True)
class Later(_Wrapped):
    """Another moment: the source `by_ms` later."""

    by_ms: float = 0.0

    def picture(self, scene_ms: float) -> Picture:
        """The picture of then."""
        return self.source.picture(scene_ms + self.by_ms)


@dataclass(frozen=True, slots=True)
class Grey(_Wrapped):
    """Without colour."""

    def picture(self, scene_ms: float) -> Picture:
        """The picture in grey."""
        grey = cv2.cvtColor(self.source.picture(scene_ms), cv2.COLOR_BGR2GRAY)
        return cast("Picture", cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))


@dataclass(frozen=True, slots=True)
class Hunting(_Wrapped):
    """Auto exposure and white balance that hunt: every `period_ms` a step of the gain by up to
    `depth`, reached in an overshooting swing, and a drift of the colours."""

    period_ms: float = 5000.0
    depth: float = 0.35
    seed: int = 0

    def picture(self, scene_ms: float) -> Picture:
        """The picture under the gains of the moment."""
        # A jittering first picture may be taken just before the scene begins.
        number, gone = divmod(max(scene_ms, 0.0), self.period_ms)
        before, after = self._aim(int(number)), self._aim(int(number) + 1)
        # A control loop a bit too eager: 1.2 s to settle, one overshoot.
        part = 1.0 - np.exp(-gone / 350.0) * np.cos(gone / 260.0)
        gains = before + (after - before) * part
        levels = np.arange(256, dtype=np.float64)[None, :, None] * gains
        table = np.rint(np.clip(levels, 0.0, 255.0)).astype(np.uint8)
        return cast("Picture", cv2.LUT(self.source.picture(scene_ms), table))

    def _aim(self, number: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        random = np.random.default_rng((self.seed, 41, number))
        light = random.uniform(1.0 - self.depth, 1.0 + self.depth)
        warm = random.uniform(-0.12, 0.12)
        return np.asarray(light * np.array([1.0 - warm, 1.0, 1.0 + warm]), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Refocusing(_Wrapped):
    """A lens that seeks focus: at each of `at_ms` blurred for `length_ms`, by up to `blur` (the
    standard deviation in pixels) in the middle of it."""

    at_ms: Sequence[float] = ()
    length_ms: float = 900.0
    blur: float = 5.0

    def picture(self, scene_ms: float) -> Picture:
        """The picture, sharp or not."""
        picture = self.source.picture(scene_ms)
        for at in self.at_ms:
            if at <= scene_ms < at + self.length_ms:
                sigma = self.blur * float(np.sin(np.pi * (scene_ms - at) / self.length_ms))
                if sigma > 0.2:
                    return cast("Picture", cv2.GaussianBlur(picture, (0, 0), sigma))
        return picture


@dataclass(frozen=True, slots=True)
class Blanked(_Wrapped):
    """A feed with black frames: the picture at each of `at_ms` and for `length_ms` is black."""

    at_ms: Sequence[float] = ()
    length_ms: float = 34.0

    def picture(self, scene_ms: float) -> Picture:
        """The picture, or none."""
        picture = self.source.picture(scene_ms)
        if any(at <= scene_ms < at + self.length_ms for at in self.at_ms):
            return np.zeros_like(picture)
        return picture


@dataclass(frozen=True, slots=True)
class Turned(_Wrapped):
    """A phone that is turned: from each (ms, quarter turns) of `turns` on the picture lies
    otherwise, with bars where its shape no longer fits."""

    turns: tuple[tuple[float, int], ...] = ()

    def picture(self, scene_ms: float) -> Picture:
        """The picture as it lies."""
        picture = self.source.picture(scene_ms)
        quarter = 0
        for at, turned in self.turns:
            quarter = turned % 4 if scene_ms >= at else quarter
        if not quarter:
            return picture
        rotations = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)
        turned_picture = cv2.rotate(picture, rotations[quarter - 1])
        if quarter == 2:
            return cast("Picture", turned_picture)
        height, width = picture.shape[:2]
        wide = round(height * height / width)
        out = np.zeros_like(picture)
        left = (width - wide) // 2
        out[:, left : left + wide] = cv2.resize(
            turned_picture, (wide, height), interpolation=cv2.INTER_AREA
        )
        return out
