"""How a feed is: not whether it is connected, but whether pictures come, and different ones."""

import threading
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, median

from tap.clock import Clock
from tap.vocabulary import Luma

STALL_MS = 2000.0
"""Without a picture for so long, or for four usual intervals, a feed is stalled."""

FROZEN_MS = 10_000.0
"""With the same picture for so long, a feed is frozen."""

_WINDOW_MS = 5000.0
_STALL_INTERVALS = 4


class FeedState(StrEnum):
    """What a feed is doing."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALLED = "stalled"
    """Connected, but no picture comes."""
    FROZEN = "frozen"
    """Pictures come, always the same one."""
    BACKOFF = "backoff"
    """Lost; waiting before the next attempt."""
    FAILED = "failed"
    """Refused, in a way that trying again alone won't cure; it is still tried, rarely."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """A feed at one moment. Counts are since its start, rates over the last five seconds."""

    feed: str
    state: FeedState
    detail: str
    """One sentence for people."""
    frames: int = 0
    """Pictures received."""
    decoded: int = 0
    dropped: int = 0
    """Whole pictures left out because newer ones had already arrived."""
    damaged: int = 0
    fps: float = 0.0
    distinct_fps: float = 0.0
    """Like `fps`, but a picture equal to the one before does not count."""
    jitter_ms: float | None = None
    """Mean distance of the last intervals between pictures from their median; None before three."""
    last_frame_ms: float | None = None
    """Unix ms of the last whole picture."""
    size: tuple[int, int] | None = None
    """(width, height) of the last picture, upright."""
    connects: int = 0
    bytes: int = 0


class Vitals:
    """Collects what a feed's thread sees; any thread may ask for the `FeedHealth`."""

    def __init__(self, feed: str, clock: Clock) -> None:
        self._feed = feed
        self._clock = clock
        self._lock = threading.Lock()
        self._state = FeedState.CONNECTING
        self._detail = "Not started yet."
        self._frames = self._decoded = self._dropped = self._damaged = 0
        self._connects = self._bytes = self._torn = 0
        self._size: tuple[int, int] | None = None
        self._received_at: deque[float] = deque(maxlen=1024)
        self._distinct_at: deque[float] = deque(maxlen=1024)
        self._intervals: deque[float] = deque(maxlen=15)
        self._last_frame_ms: float | None = None
        self._picture: object = None
        self._changed_ms = 0.0
        self._damage = ""
        self._offline = False

    def enter(self, state: FeedState, detail: str) -> None:
        """Change the state."""
        with self._lock:
            self._state, self._detail = state, detail

    def connected(self) -> None:
        """A connection gave an answer; pictures are still to come."""
        with self._lock:
            self._connects += 1
            self._state = FeedState.CONNECTING
            self._detail = "Connected; waiting for the first picture."
            self._picture = None
            self._offline = False
            self._damage = ""
            self._torn = 0
            self._intervals.clear()

    def took(self, size: int, torn: int = 0) -> None:
        """`size` bytes came in; `torn` pictures of this connection broke off so far."""
        with self._lock:
            self._bytes += size
            if torn > self._torn:
                self._damaged += torn - self._torn
                self._damage = "the stream broke off inside a picture."
            self._torn = torn

    def received(self, at_ms: float, *, offline: bool = False) -> None:
        """A whole picture came in; `offline`: its server says that the camera behind it is not."""
        with self._lock:
            self._frames += 1
            self._received_at.append(at_ms)
            self._offline = offline

    def dropped(self, count: int) -> None:
        """Pictures were left out in favour of newer ones."""
        with self._lock:
            self._dropped += count

    def damaged(self, why: str) -> None:
        """A picture could not be decoded."""
        with self._lock:
            self._damaged += 1
            self._damage = why

    def decoded(self, luma: Luma, size: tuple[int, int], at_ms: float) -> None:
        """A picture was decoded whole."""
        self.usable(hash(luma.tobytes()), size, at_ms)

    def usable(self, picture: object, size: tuple[int, int], at_ms: float) -> None:
        """A picture was handed on; `picture` is equal for equal ones."""
        with self._lock:
            if self._state is FeedState.CONNECTING:
                self._state, self._detail = FeedState.LIVE, "Live."
                self._changed_ms = at_ms
            elif self._last_frame_ms is not None:
                self._intervals.append(at_ms - self._last_frame_ms)
            self._decoded += 1
            self._size = size
            self._last_frame_ms = at_ms
            self._damage = ""
            if picture != self._picture:
                self._picture = picture
                self._changed_ms = at_ms
                self._distinct_at.append(at_ms)

    def health(self) -> FeedHealth:
        """The feed at this moment."""
        now_ms = self._clock.now_ms()
        with self._lock:
            state, detail = self._judge(now_ms)
            return FeedHealth(
                feed=self._feed,
                state=state,
                detail=detail,
                frames=self._frames,
                decoded=self._decoded,
                dropped=self._dropped,
                damaged=self._damaged,
                fps=_rate(self._received_at, now_ms),
                distinct_fps=_rate(self._distinct_at, now_ms),
                jitter_ms=_jitter(self._intervals),
                last_frame_ms=self._last_frame_ms,
                size=self._size,
                connects=self._connects,
                bytes=self._bytes,
            )

    def _judge(self, now_ms: float) -> tuple[FeedState, str]:
        if self._state is FeedState.CONNECTING and self._damage:
            return self._state, f"Connected, but no picture could be read: {self._damage}"
        if self._state is not FeedState.LIVE or self._last_frame_ms is None:
            return self._state, self._detail
        silent_ms = now_ms - self._last_frame_ms
        usual_ms = median(self._intervals) if self._intervals else 0.0
        if silent_ms > max(STALL_MS, _STALL_INTERVALS * usual_ms):
            why = f" {self._damage}" if self._damage else ""
            return FeedState.STALLED, f"No picture for {silent_ms / 1000:.1f} s.{why}"
        if self._offline:
            return FeedState.FROZEN, "The server says that its camera gives no signal."
        same_ms = self._last_frame_ms - self._changed_ms
        if same_ms >= FROZEN_MS:
            return FeedState.FROZEN, f"The same picture for {same_ms / 1000:.0f} s."
        return self._state, self._detail


def _jitter(intervals_ms: Collection[float]) -> float | None:
    if len(intervals_ms) < 3:
        return None
    usual = median(intervals_ms)
    return fmean(abs(interval - usual) for interval in intervals_ms)


def _rate(times_ms: deque[float], now_ms: float) -> float:
    """Events per second over the last five seconds, or since the first of them, until now."""
    while times_ms and times_ms[0] < now_ms - _WINDOW_MS:
        times_ms.popleft()
    if len(times_ms) < 2:
        return 0.0
    span_ms = now_ms - times_ms[0]
    return (len(times_ms) - 1) * 1000.0 / span_ms if span_ms > 0 else 0.0
