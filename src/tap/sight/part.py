"""Parts of a picture that one camera may fill, whatever shape they have."""

from dataclasses import dataclass

import cv2
import numpy as np

from tap.sight.look import Floats, cut, unit
from tap.sight.match import Doubles, Seen, gains
from tap.sight.tone import Pixels
from tap.sight.wipe import inner

_BESIDE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Part:
    """What of a picture one camera may fill: as blocks, of which each counts for as much as there
    is of it."""

    pixels: Floats
    """(32, 72): 1 or 0."""
    seen: Seen

    @classmethod
    def both(cls, program: Floats, taken: Pixels) -> tuple["Part", "Part"]:
        """The two parts of a program grid (h, w): what is not `taken`, and what is. Of the pixels
        along the edge between them, which may be soft, and of the rim nothing is asked."""
        clear = inner(program.shape) & ~_edge(taken)
        return cls._of(program, clear & ~taken), cls._of(program, clear & taken)

    @classmethod
    def _of(cls, program: Floats, part: Pixels) -> "Part":
        pixels = cut(part.astype(np.float32))
        return cls(pixels, Seen.of(_within(cut(program), pixels)))

    def nats(self, camera: Floats) -> Doubles:
        """(32,) nats that a camera's grid (h, w) gains."""
        found = nats_of(self.seen, _within(cut(camera), self.pixels))
        return np.asarray(self.pixels.mean(axis=1) * found)

    @property
    def information(self) -> Doubles:
        """(32,) nats that a perfect match would gain."""
        return np.asarray(self.pixels.mean(axis=1) * self.seen.information)


def _edge(taken: Pixels) -> Pixels:
    """The pixels on both sides of where one camera's part ends."""
    part = taken.astype(np.uint8)
    return np.asarray(cv2.dilate(part, _BESIDE) != cv2.erode(part, _BESIDE))


def _within(block: Floats, pixels: Floats) -> Floats:
    """(32, 72) blocks of those pixels alone, without their means."""
    mean = (block * pixels).sum(axis=1) / np.maximum(pixels.sum(axis=1), 1.0)
    return np.asarray((block - mean[:, None]) * pixels, np.float32)


def nats_of(seen: Seen, block: Floats) -> Doubles:
    """(32,) nats that (32, 72) blocks gain."""
    return gains(seen, unit(block)[0][:, None])[0][:, 0]


def pixels_of(chosen: Pixels, shape: tuple[int, ...]) -> Pixels:
    """(32,) blocks as the pixels of a grid (h, w)."""
    down, across = (4, 8) if shape[1] > shape[0] else (8, 4)
    grid = chosen.reshape(down, across)
    return grid.repeat(shape[0] // down, axis=0).repeat(shape[1] // across, axis=1)
