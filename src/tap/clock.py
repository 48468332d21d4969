"""The one place that knows what time it is. A `Clock` is passed in, never imported as a global."""

import time
from typing import Protocol


class Clock(Protocol):
    """Unix time that never steps back, and a way to wait."""

    def now_ms(self) -> float:
        """Unix time in ms; monotonic within one process."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""
        ...


class SystemClock:
    """The host's monotonic clock, anchored once to its wall clock.

    A step of the wall clock during a shoot (NTP, a person) therefore never reorders frames.
    """

    def __init__(self) -> None:
        self._anchor_ms = time.time() * 1000.0 - time.monotonic() * 1000.0

    def now_ms(self) -> float:
        """Unix time in ms."""
        return self._anchor_ms + time.monotonic() * 1000.0

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for `seconds`."""
        time.sleep(seconds)


class ManualClock:
    """A clock that tests turn by hand."""

    def __init__(self, now_ms: float = 1_789_000_000_000.0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> float:
        """Unix time in ms."""
        return self._now_ms

    def sleep(self, seconds: float) -> None:
        """Turn the clock forward instead of waiting."""
        self._now_ms += seconds * 1000.0
