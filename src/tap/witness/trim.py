"""Keeps memory that is free from piling up while a witness runs for hours.

Pictures of all sizes come and go on many threads. glibc's allocator gives each thread a heap of its
own and keeps what they leave between what is still used: so the process grew by 1 to 2 MB a minute
although what is in use did not (benchmarks/RESULTS.md). Two heaps do for all, at no cost that could
be measured, and once a minute what is free goes back to the system.

A WebRTC connection that is gone leaves objects that hold each other. Python looks for such only
once there are many; here once a minute, and only among those that came while the witness ran: some
ms, where all of them take fifty.
"""

import ctypes
import gc
import sys

EVERY_MS = 60_000.0
_ARENA_MAX, _HEAPS = -8, 2
"""glibc's `M_ARENA_MAX`."""


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        found = ctypes.CDLL(None)
        found.malloc_trim.argtypes = (ctypes.c_size_t,)
        found.mallopt.argtypes = (ctypes.c_int, ctypes.c_int)
    except (OSError, AttributeError):
        return None  # another C library: it has ways of its own
    return found


_LIBC = _glibc()


class Trimmer:
    """Trims now and then. Made before the threads are that take pictures."""

    def __init__(self, now_ms: float) -> None:
        self._last_ms = now_ms
        gc.collect()
        gc.freeze()
        if _LIBC is not None:
            _LIBC.mallopt(_ARENA_MAX, _HEAPS)

    def tick(self, now_ms: float) -> bool:
        """Give back what is free, if it is time: some ms. Returns whether anything was."""
        if now_ms - self._last_ms < EVERY_MS:
            return False
        self._last_ms = now_ms
        gc.collect()
        return _LIBC is not None and bool(_LIBC.malloc_trim(0))

    def close(self) -> None:
        """The witness is over: all objects are looked at again."""
        gc.unfreeze()
