"""Whether a feed gives frames: its gaps, and the events that tell of them."""

from tap.vocabulary import PROGRAM, Event, EventType, Gap

_PACE = 0.1
NO_FRAMES, GIVEN_UP = "no frames", "tap could not keep up"
"""Why there was nothing to look at."""


class Presence:
    """Follows one feed's frame times, all in ms on one clock."""

    def __init__(self, feed: str, gap_ms: float) -> None:
        self._feed = feed
        self._gap_ms = gap_ms
        self._last_ms: float | None = None
        self._lost = False
        self._unseen_ms: float | None = None
        """Since when nothing was seen, if frames were given up and none has come since."""
        self._events: list[Event] = []
        self.interval_ms = 33.0
        """Usual time between frames."""
        self.frames = 0
        self.gaps: list[Gap] = []

    def frame(self, at_ms: float) -> Gap | None:
        """A frame came. Returns the gap [start, end) that it ends, if there was one."""
        self.frames += 1
        silent = self._hear(at_ms)
        since, self._unseen_ms = self._unseen_ms, None
        return silent if since is None else (since, at_ms, GIVEN_UP)

    def give_up(self, from_ms: float, until_ms: float) -> None:
        """Frames of [from_ms, until_ms] came and won't be looked at: a gap, but not the feed's."""
        due_ms = from_ms if self._last_ms is None else self._last_ms + self.interval_ms
        silent = self._hear(from_ms)
        start = due_ms if silent is None else from_ms
        self.gaps.append((start, until_ms + self.interval_ms, GIVEN_UP))
        if self._unseen_ms is None:
            self._unseen_ms = due_ms
        self._last_ms = until_ms

    def _hear(self, at_ms: float) -> Gap | None:
        """The feed gives something. Returns the silence that this ends, if there was one."""
        last, self._last_ms = self._last_ms, at_ms
        if last is None:
            return None
        step = at_ms - last
        if step <= self._gap_ms:
            self.interval_ms += (_PACE if self.frames > 8 else 0.5) * (step - self.interval_ms)
            return None
        start = last + self.interval_ms
        gap = start, at_ms, NO_FRAMES
        self.gaps.append(gap)
        self._say(EventType.FEED_LOST, start)
        self._say(EventType.FEED_BACK, at_ms)
        self._lost = False
        return gap

    def pass_time(self, now_ms: float) -> None:
        """Time has come to `now_ms`: is the feed still there?"""
        if self._last_ms is not None and now_ms - self._last_ms > self._gap_ms and not self._lost:
            self._say(EventType.FEED_LOST, self._last_ms + self.interval_ms)
            self._lost = True

    def finish(self, now_ms: float) -> Gap | None:
        """Nothing follows. Returns the gap [start, end) that was under way, if one was."""
        self.pass_time(now_ms)
        since, self._unseen_ms = self._unseen_ms, None
        gap = None
        if self._lost and self._last_ms is not None:
            gap = self._last_ms + self.interval_ms, now_ms, NO_FRAMES
            self.gaps.append(gap)
            self._lost = False
            self._last_ms = None
        return gap if since is None else (since, now_ms, GIVEN_UP)

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
