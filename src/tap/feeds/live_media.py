"""A media file played as if it were live."""

import logging
import math
import threading
from dataclasses import replace
from pathlib import Path

from tap.clock import Clock
from tap.errors import TapError
from tap.feeds.feed import Sink
from tap.feeds.health import FeedHealth, FeedState, Vitals
from tap.feeds.media import MediaReader, check_media
from tap.vocabulary import Frame

_log = logging.getLogger(__name__)

_LATE_MS = 250.0
"""A frame this late is dropped: the file goes on like a camera would."""

_NAP_S = 0.1


class LiveMedia:
    """Plays `path` at its own pace; a frame's `at_ms` is the time at which it is handed over.

    With `loop` it starts again at its end, as a camera would go on. Raises `InputError` where
    the file can't be played.
    """

    def __init__(self, feed: str, path: Path, *, clock: Clock, loop: bool = False) -> None:
        check_media(path)
        self._feed = feed
        self._path = path
        self._clock = clock
        self._loop = loop
        self._vitals = Vitals(feed, clock)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"feed {feed}", daemon=True)
        self._index = 0
        self._last_at_ms = -math.inf

    @property
    def feed(self) -> str:
        """The feed's id."""
        return self._feed

    def health(self) -> FeedHealth:
        """How it is now."""
        return self._vitals.health()

    def start(self, sink: Sink) -> None:
        """Play from the beginning."""
        self._sink = sink
        self._thread.start()

    def stop(self) -> None:
        """Stop playing."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        self._vitals.enter(FeedState.STOPPED, "Stopped.")

    def _run(self) -> None:
        try:
            while self._play() and self._loop and not self._ended.is_set():
                pass
            self._vitals.enter(FeedState.STOPPED, "The file has ended.")
        except TapError as error:
            self._vitals.enter(FeedState.FAILED, str(error))
        except Exception as error:  # noqa: BLE001 - the thread's last words: nobody else would hear of it
            _log.exception("%s: the feed's thread failed", self._feed)
            self._vitals.enter(FeedState.FAILED, f"tap itself failed: {type(error).__name__}.")

    def _play(self) -> int:
        """Play the file once; returns how many frames it held."""
        reader = MediaReader(self._path, self._feed, 0.0)
        self._vitals.connected()
        offset_ms: float | None = None
        damaged = 0
        for frame in reader:
            if offset_ms is None:
                offset_ms = self._clock.now_ms() - frame.at_ms
            self._await(frame.at_ms + offset_ms)
            if self._ended.is_set():
                break
            self._vitals.took(len(frame.encoded or b""))
            for _ in range(reader.damaged - damaged):
                self._vitals.damaged("a picture in the file is damaged.")
            damaged = reader.damaged
            self._emit(frame, frame.at_ms + offset_ms)
        reader.close()
        return reader.frames

    def _await(self, due_ms: float) -> None:
        while not self._ended.is_set():
            ahead_ms = due_ms - self._clock.now_ms()
            if ahead_ms <= 0:
                return
            self._clock.sleep(min(_NAP_S, ahead_ms / 1000))

    def _emit(self, frame: Frame, due_ms: float) -> None:
        now_ms = self._clock.now_ms()
        self._vitals.received(now_ms)
        if now_ms - due_ms > _LATE_MS:
            self._vitals.dropped(1)
            return
        at_ms = max(float(round(now_ms)), self._last_at_ms + 1.0)
        self._last_at_ms = at_ms
        self._vitals.decoded(frame.luma, frame.size, at_ms)
        live = replace(frame, index=self._index, at_ms=at_ms)
        self._index += 1
        self._sink(live)
