"""One feed of a served shoot: a thread that plays its media in real time, and its viewers."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from av.error import FFmpegError

from tap.clock import Clock
from tap.errors import FeedError
from tap.feeds.jpeg import encode_colour
from tap.feeds.luma import small_size
from tap.feeds.media import Timeline
from tap.feeds.video import Picture, VideoFile, colour_of

FeedState = Literal["waiting", "playing", "paused", "killed", "ended"]

QUEUE = 8
"""Pictures that wait for a slow viewer; the oldest goes first."""

AHEAD = 8
"""Pictures made ready before they are due."""

SPARE_MS = 10.0
"""Time that making a picture ready must leave before the next one is due."""

TOO_LATE_MS = 100.0
"""A picture that is overdue by so much is left out."""


class FeedCutError(ConnectionError):
    """The feed was killed: a viewer's connection is torn, without a goodbye."""


@dataclass(frozen=True, slots=True)
class Part:
    """One JPEG and the Unix ms at which it is due."""

    jpeg: bytes
    due_ms: float


@dataclass(eq=False)
class Viewer:
    """What waits for one connection. Belongs to the event loop."""

    parts: deque[Part] = field(default_factory=lambda: deque[Part](maxlen=QUEUE))
    news: asyncio.Event = field(default_factory=asyncio.Event)
    dropped: int = 0
    cut: bool = False


class Outlet:
    """Hands one feed's pictures to any number of viewers. Belongs to the event loop.

    A viewer that is slow loses its oldest pictures and holds up nobody else.
    """

    def __init__(self) -> None:
        self.state: FeedState = "waiting"
        self.sent = 0
        self.last: Part | None = None
        self.viewers: set[Viewer] = set()

    def publish(self, part: Part) -> None:
        """Give `part` to all who watch, unless the feed is paused or killed."""
        if self.state in ("paused", "killed", "ended"):
            return
        self.state = "playing"
        self.last = part
        self.sent += 1
        for viewer in self.viewers:
            viewer.dropped += len(viewer.parts) == QUEUE
            viewer.parts.append(part)
            viewer.news.set()

    def turn(self, state: FeedState) -> None:
        """Change what the feed does; viewers of a killed or ended one are let go."""
        if self.state == "ended":
            return
        self.state = state
        if state in ("killed", "ended"):
            for viewer in self.viewers:
                viewer.cut = state == "killed"
                viewer.news.set()

    async def watch(self) -> AsyncGenerator[Part]:
        """The pictures from now on, to the feed's end. Raises `FeedCutError` when it is killed."""
        viewer = Viewer()
        self.viewers.add(viewer)
        try:
            while True:
                while viewer.parts and not viewer.cut:
                    yield viewer.parts.popleft()
                if viewer.cut:
                    raise FeedCutError
                if self.state == "ended":
                    return
                await viewer.news.wait()
                viewer.news.clear()
        finally:
            self.viewers.discard(viewer)


class FeedPlayer:
    """Plays one media file once, each picture at its own time. Opened before it is started.

    JPEG media go out as they are, without being decoded; all else is decoded and coded as JPEG
    of at most `long_side` px. A few pictures are made ready ahead; one that still can't be ready
    in time is left out, as a camera would. Raises `InputError` where the file can't be read.
    """

    def __init__(self, path: Path, started_at_ms: float, long_side: int) -> None:
        self.outlet = Outlet()
        self.damaged = 0
        self.skipped = 0
        self._file = VideoFile(path)
        self.duration_ms = self._file.duration_ms
        self._timeline = Timeline(started_at_ms)
        self._long_side = long_side
        self._pictures = self._file.pictures()
        self._ready: deque[Part] = deque()  # in shoot time
        self._thread: threading.Thread | None = None
        # Opening a decoder takes its time: that must not delay the start.
        while len(self._ready) < AHEAD and self._make_ready(float("-inf")):
            pass

    def start(
        self,
        *,
        clock: Clock,
        shift_ms: float,
        loop: asyncio.AbstractEventLoop,
        stop: threading.Event,
        name: str,
    ) -> None:
        """Play from a thread of its own: shoot time plus `shift_ms` is the clock's time."""

        def run() -> None:
            try:
                self._play(clock, shift_ms, loop, stop)
            finally:
                self._file.close()
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self.outlet.turn, "ended")

        self._thread = threading.Thread(target=run, name=f"rig {name}", daemon=True)
        self._thread.start()

    def join(self, seconds: float | None = None) -> None:
        """Wait for the thread; one that never ran only lets go of its file."""
        if self._thread is None:
            self._file.close()
        else:
            self._thread.join(seconds)

    def _play(
        self,
        clock: Clock,
        shift_ms: float,
        loop: asyncio.AbstractEventLoop,
        stop: threading.Event,
    ) -> None:
        more = True
        while (more or self._ready) and not stop.is_set():
            now_ms = clock.now_ms() - shift_ms
            # Waits are counted from the shared start, never from the picture before: no drift.
            wait_ms = self._ready[0].due_ms - now_ms if self._ready else 0.0
            if self._ready and wait_ms <= 0:
                part = self._ready.popleft()
                due = Part(part.jpeg, part.due_ms + shift_ms)
                loop.call_soon_threadsafe(self.outlet.publish, due)
            elif more and len(self._ready) < AHEAD and (wait_ms > SPARE_MS or not self._ready):
                more = self._make_ready(now_ms)
            else:
                stop.wait(wait_ms / 1000)

    def _make_ready(self, now_ms: float) -> bool:
        """Make the next picture ready unless it is too late; False at the file's end."""
        picture = next(self._pictures, None)
        if picture is None:
            return False
        at_ms = self._timeline.place(picture.pts_ms)
        if at_ms < now_ms - TOO_LATE_MS:
            self.skipped += 1
            return True
        jpeg = self._jpeg(picture)
        if jpeg is None:
            self.damaged += 1
        else:
            self._ready.append(Part(jpeg, at_ms))
        return True

    def _jpeg(self, picture: Picture) -> bytes | None:
        content = picture.content
        if content is None or isinstance(content, bytes):
            return content
        size = small_size(content.width, content.height, self._long_side)
        try:
            # FFmpeg scales while it converts, at a fraction of what a second pass would cost.
            small = content.reformat(*size, format="bgr24", interpolation="FAST_BILINEAR")
            upright = colour_of(replace(picture, content=small))
            return encode_colour(upright, self._long_side)
        except (FeedError, FFmpegError):
            return None
