"""One camera on its way to the witness: numbered, stamped, made small, sent a few at a time."""

import threading
from collections.abc import Callable

from tap.edge.ring import PictureRing
from tap.errors import FeedError
from tap.feeds.edge_wire import Batch, PictureAsked, frames_subject, pack_frames, pack_picture
from tap.feeds.feed import LiveFeed
from tap.feeds.fingerprint import Fingerprint, fingerprint_of
from tap.vocabulary import Frame

TOGETHER = 3
"""Fingerprints in one message: each message costs about 80 bytes of its own on the way."""
LONGEST_WAIT_MS = 70.0
"""A fingerprint waits so long for others to go with it."""
_SLACK = 0.5
"""Part of a frame's time by which a camera's pictures may come early and still count."""

Publish = Callable[[str, bytes], None]
"""Sends a message, from any thread, or leaves it out; returns at once."""


class Sender:
    """Takes a feed's frames on the feed's thread; `flush` and `picture` on another."""

    def __init__(
        self,
        name: str,
        feed: LiveFeed,
        *,
        epoch: int,
        publish: Publish,
        ring_bytes: int,
        fps: float | None = None,
    ) -> None:
        self.name = name
        self.feed = feed
        self.sent = 0
        """Fingerprints handed to the connection."""
        self._epoch = epoch
        self._publish = publish
        self._ring = PictureRing(ring_bytes)
        self._step_ms = 1000.0 / fps if fps else 0.0
        self._due_ms = 0.0
        self._sequence = 0
        self._lock = threading.Lock()
        self._first = 0
        self._size = (0, 0)
        self._waiting: list[tuple[float, Fingerprint]] = []

    def start(self) -> None:
        """Begin."""
        self.feed.start(self.take)

    def take(self, frame: Frame) -> None:
        """A picture of the camera."""
        if self._step_ms and frame.at_ms < self._due_ms - _SLACK * self._step_ms:
            return
        late = frame.at_ms - self._due_ms > self._step_ms
        self._due_ms = (frame.at_ms if late else self._due_ms) + self._step_ms
        taken = fingerprint_of(frame.luma, frame.size)
        self.put(frame.at_ms, taken, frame.size, frame)

    def put(
        self, at_ms: float, taken: Fingerprint, size: tuple[int, int], frame: Frame | None = None
    ) -> None:
        """A fingerprint of a picture of `size` (width, height) px, taken at `at_ms`."""
        with self._lock:
            if self._waiting and (self._size != size or at_ms <= self._waiting[-1][0]):
                self._send()
            if not self._waiting:
                self._first, self._size = self._sequence, size
            if frame is not None:
                self._ring.add(self._sequence, frame)
            self._sequence = (self._sequence + 1) % 2**32
            self._waiting.append((at_ms, taken))
            if len(self._waiting) >= TOGETHER or at_ms - self._waiting[0][0] >= LONGEST_WAIT_MS:
                self._send()

    def flush(self, now_ms: float) -> None:
        """Send what has waited long enough: the camera may have stopped."""
        with self._lock:
            if self._waiting and now_ms - self._waiting[0][0] >= LONGEST_WAIT_MS:
                self._send()

    def picture(self, asked: PictureAsked) -> bytes:
        """The answer to whoever asks for a picture."""
        if asked.epoch != self._epoch:
            return pack_picture(None, 2)
        try:
            jpeg = self._ring.get(asked.sequence, asked.longest)
        except FeedError:
            return pack_picture(None, 3)
        return pack_picture(jpeg, 0 if jpeg is not None else 1)

    @property
    def kept_bytes(self) -> int:
        """Bytes of pictures that are kept to be asked for."""
        return self._ring.held_bytes

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        batch = Batch(
            epoch=self._epoch,
            first=self._first,
            size=self._size,
            width=waiting[0][1].width,
            height=waiting[0][1].height,
            at_ms=tuple(at_ms for at_ms, _ in waiting),
            prints=tuple(taken.data for _, taken in waiting),
        )
        self.sent += len(waiting)
        self._publish(frames_subject(self.name), pack_frames(batch))
