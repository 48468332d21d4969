"""The last seconds of a camera's pictures, kept where they were taken, until one is asked for."""

import threading
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from tap.errors import FeedError
from tap.feeds.edge_wire import LARGEST_PICTURE
from tap.feeds.jpeg import check_jpeg, decode_colour, encode_colour
from tap.vocabulary import Frame, Luma

LONGEST_MS = 12_000.0
SMALLEST_SIDE = 64
"""However small a picture somebody asks for."""


@dataclass(frozen=True, slots=True)
class _Kept:
    sequence: int
    at_ms: float
    content: bytes | Luma

    @property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.nbytes


class PictureRing:
    """Bounded in seconds and in bytes. Safe to use from several threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: deque[_Kept] = deque()
        self._bytes = 0

    def add(self, sequence: int, frame: Frame) -> None:
        """Keep the picture of a frame: as received, or the small grey one where there was none."""
        kept = _Kept(sequence, frame.at_ms, frame.encoded or frame.luma)
        with self._lock:
            self._kept.append(kept)
            self._bytes += kept.size
            while len(self._kept) > 1 and (
                self._kept[0].at_ms < kept.at_ms - LONGEST_MS or self._bytes > self._most_bytes
            ):
                self._bytes -= self._kept.popleft().size

    @property
    def held_bytes(self) -> int:
        """Bytes held now."""
        return self._bytes

    def get(self, sequence: int, longest: int) -> bytes | None:
        """The JPEG of that frame, `longest` px on its longer side at most; None if it isn't kept.

        Raises `FeedError` where it can't be made small enough.
        """
        with self._lock:
            held = next((kept for kept in self._kept if kept.sequence == sequence), None)
        return None if held is None else _sendable(held.content, longest)


def _sendable(content: bytes | Luma, longest: int) -> bytes:
    if not isinstance(content, bytes):
        return cv2.imencode(".jpg", np.ascontiguousarray(content))[1].tobytes()
    if len(content) <= LARGEST_PICTURE and max(check_jpeg(content)) <= longest:
        return content
    smaller = encode_colour(decode_colour(content), max(SMALLEST_SIDE, longest))
    if len(smaller) > LARGEST_PICTURE:
        raise FeedError("The picture is too large to be sent.")
    return smaller
