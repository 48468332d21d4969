"""Small pictures of every feed: made once for all who look, and only while somebody does."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tap.vocabulary import Frame

EVERY_S = 0.2
AS_RECEIVED_BYTES = 40_000
"""A JPEG up to this size is passed on as it was received."""
LONG_SIDE = 480
QUALITY = 70
BOUNDARY = "tap-picture"
MEDIA_TYPE = f"multipart/mixed; boundary={BOUNDARY}"
WANTED_S = 5.0
"""So long after a picture was asked for, the next ones are still made."""


@dataclass(frozen=True)
class Thumbnail:
    """One picture."""

    feed: str
    index: int
    at_ms: float
    jpeg: bytes

    @cached_property
    def part(self) -> bytes:
        """Its part of the multipart stream, written once for all: headers, picture, line end."""
        head = (
            f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(self.jpeg)}\r\n"
            f"X-Feed: {self.feed}\r\nX-At-Ms: {self.at_ms:.0f}\r\n\r\n"
        )
        return head.encode("ascii") + self.jpeg + b"\r\n"


def small_jpeg(frame: Frame) -> bytes:
    """The picture as received, if that is small; else scaled down; grey where none was received.

    A JPEG that can't be decoded after all is replaced by the grey picture that sight had of it.
    """
    if frame.encoded is not None and len(frame.encoded) <= AS_RECEIVED_BYTES:
        return frame.encoded
    picture: npt.NDArray[Any] = frame.luma
    if frame.encoded is not None:
        coded = np.frombuffer(frame.encoded, np.uint8)
        whole = cv2.imdecode(coded, _reduced(max(frame.size)))
        if whole is not None:
            scale = min(1.0, LONG_SIDE / max(whole.shape[:2]))
            size = (round(whole.shape[1] * scale), round(whole.shape[0] * scale))
            picture = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def _reduced(long_side: int) -> int:
    """How to decode: as small as the decoder can while it stays large enough."""
    for factor, flag in (
        (8, cv2.IMREAD_REDUCED_COLOR_8),
        (4, cv2.IMREAD_REDUCED_COLOR_4),
        (2, cv2.IMREAD_REDUCED_COLOR_2),
    ):
        if long_side / factor >= LONG_SIDE:
            return flag
    return cv2.IMREAD_COLOR


class Thumbnails:
    """The latest picture of each feed, at most one each `EVERY_S`. Lives on the room's loop."""

    def __init__(self, frames: Mapping[str, Frame], now_s: Callable[[], float]) -> None:
        self._frames = frames
        self._now_s = now_s
        self._workers = ThreadPoolExecutor(1, "room pictures")
        self._made: dict[str, Thumbnail] = {}
        self._wanted_s = -math.inf
        self._news = asyncio.Event()
        self.over = False
        self.watchers = 0
        self.passed_over = 0
        """Pictures that a slow reader never got."""

    async def run(self) -> None:
        """Make pictures while somebody looks, until `close`."""
        while not self.over:
            began = self._now_s()
            if self.watchers or began - self._wanted_s < WANTED_S:
                await self._make()
            await asyncio.sleep(max(0.02, EVERY_S - (self._now_s() - began)))

    def close(self) -> None:
        """End every stream."""
        self.over = True
        self._ring()
        self._workers.shutdown(wait=False)

    async def latest(self, feed: str) -> Thumbnail | None:
        """The picture of a feed; None where it has shown none yet."""
        idle = not self.watchers and self._now_s() - self._wanted_s >= WANTED_S
        self._wanted_s = self._now_s()
        if idle or feed not in self._made:
            await self._make()
        return self._made.get(feed)

    async def stream(self) -> AsyncIterator[bytes]:
        """Parts of `multipart/mixed`, each picture that is new; the latest only, if it's slow."""
        given: dict[str, int] = {}
        self.watchers += 1
        try:
            while not self.over:
                news = self._news
                new = [p for p in self._made.values() if given.get(p.feed) != p.index]
                given |= {picture.feed: picture.index for picture in new}
                if new:
                    yield b"".join(picture.part for picture in new)
                if news is self._news:
                    await news.wait()
                else:
                    self.passed_over += 1
            yield f"--{BOUNDARY}--\r\n".encode()
        finally:
            self.watchers -= 1

    async def _make(self) -> None:
        loop = asyncio.get_running_loop()
        for feed, frame in list(self._frames.items()):
            made = self._made.get(feed)
            if self.over or (made is not None and made.index == frame.index):
                continue
            jpeg = await loop.run_in_executor(self._workers, small_jpeg, frame)
            self._made[feed] = Thumbnail(feed, frame.index, frame.at_ms, jpeg)
        self._ring()

    def _ring(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
