"""The small grey picture that sight works on."""

import cv2
import numpy as np

from tap.vocabulary import Luma

# Every feed has a thread of its own already. OpenCV's pool would split pictures this small over
# all cores and spin in between, which more than doubles the CPU time of a resize.
cv2.setNumThreads(1)

LONG_SIDE = 240
"""Longer side of a frame's luma, px; smaller pictures are left as they are."""

MAX_PIXELS = 4096 * 4096
"""Largest picture that is decoded at all."""


def small_size(width: int, height: int, long_side: int = LONG_SIDE) -> tuple[int, int]:
    """(width, height) fitted into `long_side`, never enlarged, never thinner than 1 px."""
    longest = max(width, height)
    if longest <= long_side:
        return width, height
    return (
        max(1, round(width * long_side / longest)),
        max(1, round(height * long_side / longest)),
    )


def shrink(picture: Luma) -> Luma:
    """Scale a (h, w) uint8 picture to `LONG_SIDE` by averaging areas; smaller ones are copied.

    The result owns its memory, so `picture` may be a view into a decoder's buffer.
    """
    height, width = picture.shape
    target = small_size(width, height)
    # Exact halving is what OpenCV does fastest: a fifth of the cost of one big area resize.
    while max(height, width) >= 2 * LONG_SIDE and min(height, width) >= 2:
        picture = np.asarray(
            cv2.resize(
                picture[: height & ~1, : width & ~1],
                (width // 2, height // 2),
                interpolation=cv2.INTER_AREA,
            ),
            dtype=np.uint8,
        )
        height, width = picture.shape
    if (width, height) == target:
        return np.array(picture, copy=picture.base is not None, order="C")
    return np.asarray(cv2.resize(picture, target, interpolation=cv2.INTER_AREA), dtype=np.uint8)
