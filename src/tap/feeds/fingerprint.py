"""A picture in less than 200 bytes: what sight matches with, and no more.

A fingerprint is a small grey JPEG without its head. The head of a JPEG (tables, size) is the same
for all pictures of one size and quality, and longer than what is in them here; so only size and
quality travel with the coded data, and the head is put back before it is decoded. What comes out
is a whole JPEG again: it is recorded and shown as any other.
"""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from tap.errors import FeedError
from tap.feeds.luma import small_size
from tap.vocabulary import Luma

LONG_SIDE = 64
"""Longer side of the picture, px: sight samples pictures to 64 x 36."""
SMALLEST_SIDE = 8
MAX_BYTES = 186
"""Of coded data; with its 5 bytes in the message a frame takes less than 200."""

_QUALITIES = (2, 4, 6, 9, 12, 16, 20, 25, 30, 36, 43, 51, 60, 70, 80, 90)
"""JPEG qualities, about a fifth of the bytes apart; the number in this list is what is sent."""
_FIRST = 7
_ROOM, _PATIENCE = 0.8, 15
"""A better quality is tried once so many pictures in a row took at most this part of the bytes: one
that changes from picture to picture would look like something that moves."""
_SCAN = b"\xff\xda"
_END = b"\xff\xd9"


class FingerprintError(FeedError):
    """The bytes can't be a fingerprint; the sentence says why."""


class Fingerprint(NamedTuple):
    """`width` and `height` in px; `quality` is an index of the list that both sides know."""

    width: int
    height: int
    quality: int
    data: bytes


class Fingerprinter:
    """Makes the fingerprints of one feed, in order. Not for several threads."""

    def __init__(self, most: int = MAX_BYTES, long_side: int = LONG_SIDE) -> None:
        self._most = most
        self._long_side = long_side
        self._level = _FIRST
        self._easy = 0

    def take(self, luma: Luma) -> Fingerprint:
        """The fingerprint of a (h, w) uint8 picture, at most 186 bytes, as good as that allows."""
        small = _small(luma, self._long_side)
        level = self._level
        data = _scan(small, level)
        while len(data) > self._most and level > 0:
            level -= 1
            data = _scan(small, level)
        if len(data) > self._most:  # nothing a camera sees: noise from edge to edge
            small = np.full_like(small, int(small.mean()))
            data = _scan(small, level)
        self._easy = self._easy + 1 if len(data) <= _ROOM * self._most else 0
        if level < self._level:
            self._level, self._easy = level, 0
        elif self._easy >= _PATIENCE and level + 1 < len(_QUALITIES):
            self._level, self._easy = level + 1, 0
        height, width = small.shape
        return Fingerprint(width, height, level, data)


def check(print_: Fingerprint) -> None:
    """Raise `FingerprintError` for what no `Fingerprinter` makes; costs next to nothing."""
    longest, shortest = max(print_.width, print_.height), min(print_.width, print_.height)
    if not (SMALLEST_SIDE <= shortest and longest <= LONG_SIDE):
        raise FingerprintError(
            f"Expected a fingerprint of {SMALLEST_SIDE} to {LONG_SIDE} px a side, got "
            f"{print_.width} x {print_.height}."
        )
    if print_.quality >= len(_QUALITIES) or not 0 < len(print_.data) <= MAX_BYTES:
        raise FingerprintError("Expected a fingerprint of a known quality and size, got another.")


def jpeg_of(print_: Fingerprint) -> bytes:
    """The whole JPEG. Raises `FingerprintError`."""
    check(print_)
    return _head(print_.width, print_.height, print_.quality) + print_.data + _END


def _small(luma: Luma, long_side: int) -> Luma:
    height, width = luma.shape
    wide, high = small_size(width, height, long_side)
    target = max(wide, SMALLEST_SIDE), max(high, SMALLEST_SIDE)
    if target == (width, height):
        return luma
    return np.asarray(cv2.resize(luma, target, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _scan(luma: Luma, level: int) -> bytes:
    """The coded data alone."""
    coded = _coded(luma, level)
    return coded[_scan_at(coded) : -len(_END)]


def _coded(luma: Luma, level: int) -> bytes:
    _, coded = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, _QUALITIES[level]])
    return coded.tobytes()


def _scan_at(coded: bytes) -> int:
    """Where the coded data begins."""
    at = 2
    while coded[at : at + 2] != _SCAN:
        at += 2 + int.from_bytes(coded[at + 2 : at + 4], "big")
    return at + 2 + int.from_bytes(coded[at + 2 : at + 4], "big")


@lru_cache(maxsize=1024)
def _head(width: int, height: int, level: int) -> bytes:
    coded = _coded(np.zeros((height, width), np.uint8), level)
    return coded[: _scan_at(coded)]
