"""Gives memory that is free back to the system, while a witness runs for hours.

Pictures of all sizes come and go on many threads, and glibc's allocator keeps what they leave
between what is still used: without this the process grows by about 1 MB a minute although nothing
more is in use.
"""

import ctypes
import sys
from collections.abc import Callable

EVERY_MS = 60_000.0


def _find_trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        found = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None  # another C library: it has ways of its own
    found.argtypes, found.restype = (ctypes.c_size_t,), ctypes.c_int
    return found


_trim = _find_trim()


class Trimmer:
    """Trims now and then."""

    def __init__(self, now_ms: float) -> None:
        self._last_ms = now_ms

    def tick(self, now_ms: float) -> bool:
        """Trim if it is time; some ms. Returns whether memory was given back."""
        if now_ms - self._last_ms < EVERY_MS:
            return False
        self._last_ms = now_ms
        return _trim is not None and bool(_trim(0))
