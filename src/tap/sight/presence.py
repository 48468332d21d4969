"""Whether a feed gives frames: its gaps, and the events that tell of them."""

from tap.vocabulary import PROGRAM, Event, EventType, Gap

_PACE = 0.1


class Presence:
    """Follows one feed's frame times, all in ms on one clock."""

    def __init__(self, feed: str, gap_ms: float) -> None:
        self._feed = feed
        self._gap_ms = gap_ms
        self._last_ms: float | None = None
        self._lost = False
        self._events: list[Event] = []
        self.interval_ms = 33.0
        """Usual time between frames."""
        self.frames = 0
        self.gaps: list[Gap] = []

    def frame(self, at_ms: float) -> tuple[float, float] | None:
        """A frame came. Returns the gap [start, end) that it ends, if there was one."""
        self.frames += 1
        last, self._last_ms = self._last_ms, at_ms
        if last is None:
            return None
        step = at_ms - last
        if step <= self._gap_ms:
            self.interval_ms += (_PACE if self.frames > 8 else 0.5) * (step - self.interval_ms)
            return None
        start = last + self.interval_ms
        self.gaps.append((start, at_ms, "no frames"))
        self._say(EventType.FEED_LOST, start)
        self._say(EventType.FEED_BACK, at_ms)
        self._lost = False
        return start, at_ms

    def pass_time(self, now_ms: float) -> None:
        """Time has come to `now_ms`: is the feed still there?"""
        if self._last_ms is not None and now_ms - self._last_ms > self._gap_ms and not self._lost:
            self._say(EventType.FEED_LOST, self._last_ms + self.interval_ms)
            self._lost = True

    def finish(self, now_ms: float) -> tuple[float, float] | None:
        """Nothing follows. Returns the gap [start, end) that was under way, if one was."""
        self.pass_time(now_ms)
        if not self._lost or self._last_ms is None:
            return None
        start = self._last_ms + self.interval_ms
        self.gaps.append((start, now_ms, "no frames"))
        self._lost = False
        self._last_ms = None
        return start, now_ms

    def take(self) -> list[Event]:
        """Events since the last call."""
        out, self._events = self._events, []
        return out

    def _say(self, kind: EventType, at_ms: float) -> None:
        if kind is EventType.FEED_LOST and self._lost:
            return
        camera = None if self._feed == PROGRAM else self._feed
        self._events.append(
            Event(
                id=f"{kind.value}-{self._feed}-{at_ms:.0f}",
                type=kind,
                at_ms=at_ms,
                from_camera=camera if kind is EventType.FEED_LOST else None,
                to_camera=camera if kind is EventType.FEED_BACK else None,
                confidence=1.0,
            )
        )
