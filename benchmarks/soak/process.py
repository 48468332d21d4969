"""What a process holds at one moment: memory, descriptors, threads, tasks."""

import asyncio
import ctypes
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tap.feeds.webrtc_loop import SHARED

SETTLED_S = 600.0


@dataclass(frozen=True)
class Sample:
    """The process at one moment."""

    at_s: float
    rss_mb: float
    used_mb: float | None
    """Of the C library's heap, what is in use: the rest waits to be used again. None: not glibc."""
    descriptors: int
    threads: int
    tasks: int


def sample(began: float) -> Sample:
    """Read this process's own state; `began` is of the monotonic clock."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    loop = SHARED.borrow()

    async def count() -> int:
        return len(asyncio.all_tasks())

    try:
        tasks = asyncio.run_coroutine_threadsafe(count(), loop).result(10)
    finally:
        SHARED.give_back()
    return Sample(
        time.monotonic() - began,
        pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        used_mb(),
        descriptors(),
        threading.active_count(),
        tasks,
    )


def descriptors() -> int:
    """Open descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class _Heap(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = (
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks")),
        *((name, ctypes.c_size_t) for name in ("hblkhd", "usmblks", "fsmblks", "uordblks")),
        *((name, ctypes.c_size_t) for name in ("fordblks", "keepcost")),
    )


def used_mb() -> float | None:
    """MB of the C library's heap that are in use."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except (OSError, AttributeError):
        return None
    ask.restype = _Heap
    heap = ask()
    return float(heap.uordblks + heap.hblkhd) / 1e6


def slope(samples: list[Sample], of: Callable[[Sample], float]) -> float:
    """MB an hour of something, by least squares, once settled."""
    settled = [s for s in samples if s.at_s > min(SETTLED_S, samples[-1].at_s / 2)]
    hours = np.array([s.at_s for s in settled]) / 3600
    return float(np.polyfit(hours, [of(s) for s in settled], 1)[0])
