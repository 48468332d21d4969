"""A far camera: fingerprints over NATS, and whole pictures when they are asked for."""

import logging
from collections import deque
from dataclasses import replace

from tap.clock import Clock
from tap.errors import FeedError
from tap.feeds.edge_clock import Sample
from tap.feeds.edge_extra import nats_client
from tap.feeds.edge_hub import Hub, borrow_hub, give_back_hub
from tap.feeds.edge_order import RETIRED, Epochs, Playout, Sequence
from tap.feeds.edge_wire import (
    Batch,
    PictureAsked,
    WireError,
    pack_picture_asked,
    place_of,
    unpack_frames,
    unpack_picture,
)
from tap.feeds.feed import Sink
from tap.feeds.fingerprint import Fingerprint, jpeg_of, seen_in
from tap.feeds.health import FeedHealth, FeedState, Vitals
from tap.feeds.jpeg import check_jpeg
from tap.vocabulary import Frame

_log = logging.getLogger(__name__)

AHEAD_MS, BEHIND_MS = 2000.0, 10_000.0
"""A frame that claims to be from outside of this, seen from now, is from no clock that we know."""
FASTEST = 240
"""Frames a second: what is missing in a sequence can't be more than that gives."""
PICTURE_S = 1.5
PICTURE_SIDE = 640
"""Longer side of the pictures that are asked for, px: as of a WebRTC feed."""


class EdgeFeed:
    """One far camera. All of a process share a connection to each server, and its event loop.

    A frame's `at_ms` is when the camera's host took it, on tap's clock, and some time more so that
    it is here by then (`Playout`); `source_ms` is the host's own stamp. `encoded` is the
    fingerprint as a JPEG, `size` that of the fingerprint: it is what sight looks at, so a recording
    replays to the same record. `picture` fetches the whole one. Raises `InputError` for an address
    that is none, or where the extra is not installed.
    """

    def __init__(self, feed: str, url: str, *, clock: Clock, token: str | None = None) -> None:
        self._feed, self._clock, self._token = feed, clock, token
        self._place = place_of(url, feed)
        nats_client()
        self._vitals = Vitals(feed, clock)
        self._hub: Hub | None = None
        self._epochs = Epochs()
        self._sequence = Sequence()
        self._playout = Playout()
        self._bases: deque[tuple[int, int]] = deque(maxlen=RETIRED)
        """(epoch, index of its frame 0), the newest last."""
        self._next = 0
        self._newest = (0, 0.0)
        """Number and time, on our clock, of the newest frame of this epoch."""
        self._last_at_ms = 0.0
        self._lost = self._unplaced = self._refused = 0
        self._offset: Sample | None = None

    @property
    def feed(self) -> str:
        """The feed's id."""
        return self._feed

    def health(self) -> FeedHealth:
        """How it is now; the sentence also says what was lost on the way, and how the clocks go."""
        health = self._vitals.health()
        if health.state is not FeedState.LIVE:
            return health
        said = ["Live"]
        if lost := self._lost + max(0, self._sequence.missing):
            said.append(f"{lost} fingerprints were lost on the way")
        if self._refused:
            said.append("two processes send this camera, the newer is believed")
        if self._offset is not None:
            said.append(
                f"its clock is {self._offset.ahead_ms:+.0f} ms (within "
                f"{self._offset.trip_ms / 2:.0f} ms)"
            )
        return replace(health, detail="; ".join(said) + ".")

    def start(self, sink: Sink) -> None:
        """Listen; every frame is handed to `sink` on the connection's thread."""
        self._sink = sink
        shown = f"{self._place.server}, camera {self._place.name}"
        self._vitals.enter(FeedState.CONNECTING, f"Connecting to {shown}.")
        self._hub = borrow_hub(self._place.server, self._token, self._clock)
        self._hub.attach(self._place.name, self)

    def stop(self) -> None:
        """Leave."""
        hub, self._hub = self._hub, None
        if hub is not None:
            hub.detach(self._place.name, self)
            give_back_hub(hub)
        self._vitals.enter(FeedState.STOPPED, "Stopped.")

    def picture(self, index: int, timeout_s: float = PICTURE_S) -> bytes:
        """The whole picture of frame `index`, a JPEG, fetched from the camera's host.

        Raises `FeedError` that says why there is none. May be called from any thread but the
        connection's own.
        """
        hub = self._hub
        epoch, base = next((b for b in reversed(self._bases) if b[1] <= index), (0, 0))
        if hub is None or not epoch:
            raise FeedError("No picture: the camera is not connected.")
        question = pack_picture_asked(PictureAsked(epoch, index - base, PICTURE_SIDE))
        try:
            answer = hub.picture(self._place.name, question, timeout_s)
        except Exception as error:
            raise FeedError("No picture: the camera's host did not answer.") from error
        jpeg = unpack_picture(answer)
        check_jpeg(jpeg)
        return jpeg

    # ------------------------------------------------------------ on the connection's loop

    def linked(self, up: bool, detail: str) -> None:
        """The connection came up or went down."""
        if up:
            self._vitals.connected()
        else:
            self._vitals.enter(FeedState.BACKOFF, detail)

    def passed_over(self) -> None:
        """A message was left out."""
        self._vitals.dropped(1)

    def take(self, message: bytes) -> None:
        """A message, whatever it holds. Raises nothing."""
        try:
            self._vitals.took(len(message))
            self._take(unpack_frames(message))
        except WireError as error:
            self._vitals.damaged(str(error))
        except Exception:  # noqa: BLE001 - a feed may not end the loop of all others
            _log.exception("%s: a message could not be used", self._feed)
            self._vitals.damaged("tap itself failed on a message.")

    def _take(self, batch: Batch) -> None:
        now_ms = self._clock.now_ms()
        if not self._epochs.take(batch.epoch, now_ms):
            self._refused += len(batch.prints)
            self._vitals.dropped(len(batch.prints))
            return
        if not self._bases or self._bases[-1][0] != batch.epoch:
            self._begin(batch.epoch)
        hub = self._hub
        offset = hub.offset(batch.epoch) if hub is not None else None
        if offset is None:  # the first question is under way
            self._unplaced += len(batch.prints)
            self._vitals.dropped(len(batch.prints))
            return
        self._offset = offset
        for at, stamp_ms in enumerate(batch.at_ms):
            taken_ms = stamp_ms - offset.ahead_ms
            self._frame(batch, at, taken_ms, now_ms)

    def _begin(self, epoch: int) -> None:
        """The process beside the camera is another one than before, or the first."""
        self._lost += self._sequence.missing
        self._sequence, self._playout, self._offset = Sequence(), Playout(), None
        self._bases.append((epoch, self._next))
        self._newest = (0, 0.0)
        self._vitals.connected()

    def _frame(self, batch: Batch, at: int, taken_ms: float, now_ms: float) -> None:
        """Hand on one frame of a message, which was taken at `taken_ms` on our clock."""
        number, data = batch.first + at, batch.prints[at]
        if not -AHEAD_MS <= now_ms - taken_ms <= BEHIND_MS or self._leaps(number, now_ms):
            raise WireError("Expected fingerprints of about now, got others.")
        self._vitals.received(now_ms)
        self._playout.note(now_ms - taken_ms)
        floor_ms = self._last_at_ms + 1.0 if number > self._newest[0] else 0.0
        at_ms = self._sequence.take(number, max(floor_ms, taken_ms + self._playout.ms))
        if at_ms is None:
            self._vitals.dropped(1)
            return
        if number >= self._newest[0]:
            self._newest = number, now_ms
            self._last_at_ms = at_ms
        index = self._bases[-1][1] + number
        self._next = max(self._next, index + 1)
        small = batch.width, batch.height
        jpeg = jpeg_of(Fingerprint(*small, data))
        self._vitals.usable(data, batch.size, at_ms)
        self._sink(
            Frame(
                feed=self._feed,
                index=index,
                at_ms=at_ms,
                picture=seen_in(jpeg),
                size=small,
                encoded=jpeg,
                source_ms=batch.at_ms[at],
            )
        )

    def _leaps(self, number: int, now_ms: float) -> bool:
        """Whether a number is further on than any camera is by now."""
        newest, heard_ms = self._newest
        return heard_ms > 0 and number - newest > FASTEST * (1.0 + (now_ms - heard_ms) / 1000.0)
