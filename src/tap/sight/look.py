"""Looks: what is compared of a picture.

A picture is sampled to a small grid (64x36 or 36x64), cut into 32 blocks of 72 pixels, and each
block's mean is removed. A *unit* block is scaled to length 1, so that the product of two of them is
their correlation, whatever brightness and contrast (grade, exposure) did to either.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tap.vocabulary import Luma

Floats = npt.NDArray[np.float32]
Cells = tuple[int, int]

BLOCKS = 32
PIXELS = 72
"""Pixels of a block."""

_FLAT = 1e-3
_CELL = 0.01
_FEW = 36
"""A picture whose longer side has fewer px is coarser than the grid in both directions."""


@dataclass(frozen=True, slots=True)
class Rect:
    """Part of a picture, in fractions of its width and height."""

    x0: float = 0.0
    y0: float = 0.0
    x1: float = 1.0
    y1: float = 1.0

    @property
    def whole(self) -> bool:
        """Whether this is the full picture, to within a pixel of what is sampled."""
        return (
            abs(self.x0) < 2e-3
            and abs(self.y0) < 2e-3
            and abs(self.x1 - 1) < 2e-3
            and abs(self.y1 - 1) < 2e-3
        )

    def core(self, rim: float) -> "Rect":
        """What is left of it without a rim, a part of it at each side."""
        dx, dy = (self.x1 - self.x0) * rim, (self.y1 - self.y0) * rim
        return Rect(self.x0 + dx, self.y0 + dy, self.x1 - dx, self.y1 - dy)

    def near(self, other: "Rect", within: float = _CELL) -> bool:
        """Whether two rects are one to within less than a grid cell, or `within`."""
        return (
            max(
                abs(self.x0 - other.x0),
                abs(self.y0 - other.y0),
                abs(self.x1 - other.x1),
                abs(self.y1 - other.y1),
            )
            < within
        )


WHOLE = Rect()


def sample(luma: Luma, rect: Rect, *, portrait: bool, mirror: bool = False) -> Floats:
    """Sample `rect` of an (h, w) picture to the grid: (36, 64) float32, or (64, 36) if portrait."""
    return render(luma, rect, (36, 64) if portrait else (64, 36), mirror=mirror)


def render(luma: Luma, rect: Rect, size: tuple[int, int], *, mirror: bool = False) -> Floats:
    """`rect` of an (h, w) picture as one of `size`, (width, height) px: (height, width) float32."""
    width, height = size
    if rect.whole:
        how = cv2.INTER_LINEAR if is_coarse((luma.shape[1], luma.shape[0])) else cv2.INTER_AREA
        grid = cv2.resize(luma, (width, height), interpolation=how)
    else:
        h, w = luma.shape
        step_x = (rect.x1 - rect.x0) * w / width
        step_y = (rect.y1 - rect.y0) * h / height
        # Average over about one step first: a plain look-up would alias.
        kernel = (max(1, round(step_x)), max(1, round(step_y)))
        soft = cv2.blur(luma, kernel, borderType=cv2.BORDER_REPLICATE) if kernel > (1, 1) else luma
        # Even kernels are centred half a pixel off.
        off_x = 0.5 if kernel[0] % 2 == 0 else 0.0
        off_y = 0.5 if kernel[1] % 2 == 0 else 0.0
        matrix = np.array(
            [
                [step_x, 0.0, rect.x0 * w + step_x / 2 - 0.5 + off_x],
                [0.0, step_y, rect.y0 * h + step_y / 2 - 0.5 + off_y],
            ]
        )
        grid = cv2.warpAffine(
            soft,
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    if mirror:
        grid = grid[:, ::-1]
    return np.asarray(grid, dtype=np.float32)


def is_coarse(size: tuple[int, int]) -> bool:
    """Whether a picture of (width, height) px has less detail than the grid, in both directions."""
    return max(size) < _FEW


def cells_of(size: tuple[int, int] | None, part: Rect) -> Cells | None:
    """The (across, down) pixels that a part of a picture of (width, height) px has, if they are
    fewer than the grid's; None if they are enough."""
    if size is None or not is_coarse(size):
        return None
    across, down = size[0] * (part.x1 - part.x0), size[1] * (part.y1 - part.y0)
    return max(2, round(across)), max(2, round(down))


def as_coarse(grid: Floats, cells: Cells) -> Floats:
    """A grid with no more detail than so many (across, down) pixels have: else what a camera of few
    pixels can't show would count against it."""
    small = cv2.resize(grid, cells, interpolation=cv2.INTER_AREA)
    height, width = grid.shape
    again = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(again, dtype=np.float32)


def cut(grid: Floats) -> Floats:
    """Cut a grid into (32, 72) blocks."""
    h, w = grid.shape
    parts = grid.reshape(4, 9, 8, 8) if w > h else grid.reshape(8, 8, 4, 9)
    return parts.transpose(0, 2, 1, 3).reshape(BLOCKS, PIXELS)


def blocks(grid: Floats) -> Floats:
    """Cut a grid into (32, 72) blocks and remove each block's mean."""
    out = cut(grid)
    out = out - out.mean(axis=1, keepdims=True)
    return np.asarray(out, dtype=np.float32)


def unit(block: Floats) -> tuple[Floats, Floats]:
    """Scale (32, 72) blocks to length 1; flat ones become 0. Returns units and (32,) lengths."""
    length = np.sqrt(np.einsum("bp,bp->b", block, block))
    safe = np.where(length > _FLAT, length, np.float32(np.inf))
    return (block / safe[:, None]).astype(np.float32), length.astype(np.float32)
