"""What a feed promises: that it will give no picture older than some moment.

A picture is stamped when its first byte is read. So a reader that waits for bytes, with none of a
picture in hand, will give nothing older than now, however long the next picture is in coming; and
one that is in the middle of a picture, nothing older than that picture's first byte. Whoever puts
the pictures of many feeds in order need not wait for the next one of each.
"""

import math
import threading

from tap.clock import Clock

_ROUNDING_MS = 1.0
"""Frames are stamped in whole ms."""


class Promise:
    """Kept by a feed's thread, asked by any: the two never disagree, whatever they do at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waits = True
        self._until_ms = -math.inf

    def until_ms(self) -> float:
        """Pictures that are still to come are no older than this, Unix ms."""
        with self._lock:
            if self._waits:
                self._until_ms = max(self._until_ms, self._clock.now_ms())
            return self._until_ms

    def bytes_came(self) -> float:
        """The reader has bytes, and works on them: the time that they are stamped with."""
        with self._lock:
            self._waits = False
            return self._clock.now_ms()

    def waits(self, oldest_ms: float | None = None) -> None:
        """The reader waits for bytes again. `oldest_ms`: of a picture that it has begun to take, or
        holds back; None if there is none."""
        with self._lock:
            self._waits = oldest_ms is None
            if oldest_ms is not None:
                self._until_ms = max(self._until_ms, oldest_ms - _ROUNDING_MS)

    def kept(self, at_ms: float) -> float:
        """A picture's time, in whole ms, moved by a little where rounding would break the word."""
        with self._lock:
            least_ms = self._until_ms
        stamped_ms = float(round(at_ms))
        return stamped_ms if stamped_ms >= least_ms else float(math.ceil(least_ms))
