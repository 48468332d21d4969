"""What a process holds at one moment: memory, descriptors, threads, tasks."""

import asyncio
import os
import threading
import time
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
        descriptors(),
        threading.active_count(),
        tasks,
    )


def descriptors() -> int:
    """Open descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def slope(samples: list[Sample]) -> float:
    """MB an hour, by least squares, once settled."""
    settled = [s for s in samples if s.at_s > min(SETTLED_S, samples[-1].at_s / 2)]
    hours = np.array([s.at_s for s in settled]) / 3600
    return float(np.polyfit(hours, [s.rss_mb for s in settled], 1)[0])
