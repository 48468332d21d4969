"""Whole pictures of far cameras: fetched when a verdict turns on them, and only then."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from tap.errors import FeedError

_log = logging.getLogger(__name__)

Fetch = Callable[[int], bytes]
"""The JPEG of a frame, by its index. Raises `FeedError`; takes a bounded time."""

MOST_KEPT, KEPT_BYTES = 256, 48 * 10**6
REST_S = 3.0
"""So long a host that did not give a picture is not asked again: others wait behind it."""


class FarPictures:
    """Fetches, and remembers the last ones. For one thread; raises nothing."""

    def __init__(self, far: Mapping[str, Fetch]) -> None:
        self._far = far
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._bytes = 0
        self._rests_s: dict[str, float] = {}
        self.failed = 0
        """Pictures that could not be had: the fingerprint stands for them."""

    def has(self, feed: str) -> bool:
        """Whether the camera's whole pictures are elsewhere."""
        return feed in self._far

    def get(self, feed: str, index: int) -> bytes | None:
        """The whole picture of a frame, or None where it can't be had."""
        if (feed, index) in self._kept:
            return self._kept[feed, index]
        if time.monotonic() < self._rests_s.get(feed, 0.0):
            self.failed += 1
            return None
        try:
            jpeg = self._far[feed](index)
        except FeedError as error:
            _log.warning("%s: %s", feed, error)
            self._rests_s[feed] = time.monotonic() + REST_S
            self.failed += 1
            return None
        self._kept[feed, index] = jpeg
        self._bytes += len(jpeg)
        while len(self._kept) > MOST_KEPT or self._bytes > KEPT_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1])
        return jpeg
