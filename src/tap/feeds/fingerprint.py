"""A picture in less than 200 bytes: what sight matches with, and no more.

A fingerprint is the grey picture at 18 x 10 px (16:9), each pixel a byte. So few pixels with all
their grey levels tell cameras apart far better than more pixels that are coded more coarsely: sight
goes by what a picture leaves unexplained, and there every fault of coding counts
(docs/decisions/0006-far-cameras.md has the figures). It is always of one length, nothing in it has
to be parsed, and one picture is known without any other.
"""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from tap.errors import FeedError
from tap.vocabulary import Luma, Undecoded

MAX_BYTES = 192
"""Of a fingerprint: one byte a pixel."""
SMALLEST_SIDE, LONGEST_SIDE = 4, 32
_SHAPE_WITHIN = 0.015
"""How far its shape may be off that of the picture: sight takes 0.02 for the same."""


class FingerprintError(FeedError):
    """The bytes can't be a fingerprint; the sentence says why."""


class Fingerprint(NamedTuple):
    """`width` and `height` in px; `data` has a byte for each, row by row."""

    width: int
    height: int
    data: bytes


@lru_cache(maxsize=64)
def size_for(width: int, height: int) -> tuple[int, int]:
    """(width, height) of the fingerprint of a picture: as many pixels as fit, in its shape."""
    shape = width / height
    sizes = [
        (wide, high)
        for wide in range(SMALLEST_SIDE, LONGEST_SIDE + 1)
        for high in range(SMALLEST_SIDE, LONGEST_SIDE + 1)
        if wide * high <= MAX_BYTES
    ]
    off = {size: abs(size[0] / size[1] / shape - 1.0) for size in sizes}
    fitting = [size for size in sizes if off[size] <= _SHAPE_WITHIN] or [min(sizes, key=off.get)]  # type: ignore[arg-type]
    return max(fitting, key=lambda size: (size[0] * size[1], -off[size]))


def fingerprint_of(luma: Luma, size: tuple[int, int] | None = None) -> Fingerprint:
    """The fingerprint of a (h, w) uint8 picture; `size`: its full (width, height) in px."""
    wide, high = size_for(*(size or (luma.shape[1], luma.shape[0])))
    small = cv2.resize(luma, (wide, high), interpolation=cv2.INTER_AREA)
    return Fingerprint(wide, high, small.tobytes())


def check(width: int, height: int, length: int) -> None:
    """Raise `FingerprintError` unless `length` bytes may be a fingerprint of that size."""
    fits = min(width, height) >= SMALLEST_SIDE and max(width, height) <= LONGEST_SIDE
    if not fits or width * height > MAX_BYTES or length != width * height:
        raise FingerprintError(
            f"Expected a fingerprint of at most {MAX_BYTES} px, a byte each, got {width} x "
            f"{height} px in {length} bytes."
        )


def jpeg_of(print_: Fingerprint) -> bytes:
    """The fingerprint as a grey JPEG, as good as there is: what is recorded, shown and looked at.

    Raises `FingerprintError`.
    """
    check(print_.width, print_.height, len(print_.data))
    pixels = np.frombuffer(print_.data, np.uint8).reshape(print_.height, print_.width)
    return cv2.imencode(".jpg", pixels, _BEST)[1].tobytes()


def seen_in(jpeg: bytes) -> Undecoded:
    """What sight sees of a JPEG that `jpeg_of` made: what a recording of it gives, without the
    checks that a stranger's needs."""

    def decode() -> Luma:
        return np.asarray(
            cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8
        )

    return Undecoded(decode)


_BEST = [cv2.IMWRITE_JPEG_QUALITY, 100]
