"""Decodes pictures on several cores at once.

As long as one camera explains the program, hardly a picture of the others is decoded. When it cuts,
some thirty of them are wanted within one picture of the program. OpenCV lets go of the interpreter
while it decodes, so threads do it in less time.
"""

import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from tap.vocabulary import Picture, Undecoded

MOST_HELPERS = 3
"""More threads than that would only wait for one another: what is around each picture is Python."""


class Together:
    """A `LookAt`. The thread that asks decodes as well: a helper that gets no time costs none."""

    def __init__(self, helpers: int | None = None) -> None:
        """`helpers`: threads beside the one that asks; by default one less than there are cores."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self._helpers = min(MOST_HELPERS, (cores or 1) - 1) if helpers is None else helpers
        self._pool = ThreadPoolExecutor(max(1, self._helpers), thread_name_prefix="decode")

    def __call__(self, pictures: Sequence[Picture]) -> None:
        """Decode those that are not yet; returns when all are."""
        todo = deque(one for one in pictures if isinstance(one, Undecoded) and not one.looked_at)
        wanted = min(self._helpers, len(todo) - 1)
        if wanted < 1:
            return  # it is decoded when it is asked for
        helpers = [self._pool.submit(_decode, todo) for _ in range(wanted)]
        _decode(todo)
        for helper in helpers:
            if not helper.cancel():
                helper.result()

    def close(self) -> None:
        """Let the helpers go; nothing is decoded from here on."""
        self._pool.shutdown()


def _decode(todo: deque[Undecoded]) -> None:
    with suppress(IndexError):
        while True:
            _ = todo.popleft().luma
