"""Feeds over MJPEG and WebRTC whose pictures a test makes itself."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Self

import cv2
import numpy as np
import uvicorn

from tap.rig.serve_director import DirectorWire
from tap.rig.serve_feed import Outlet, Part
from tap.rig.serve_http import Token, build_app
from tap.rig.serve_webrtc import Desk

Picture = np.ndarray


def moving(n: int, size: tuple[int, int] = (320, 180)) -> Picture:
    """A picture that no other number gives."""
    width, height = size
    picture = np.full((height, width, 3), 60, np.uint8)
    cv2.circle(picture, (20 + n * 5 % (width - 40), height // 2), 18, (40, 200, 240), -1)
    cv2.putText(picture, str(n), (10, height - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255,) * 3, 2)
    return picture


class Outlets:
    """Serves `/{feed}/stream`, `/{feed}/whep`, …; pictures go out 20 times a second."""

    def __init__(self, *feeds: str, codec: str = "VP8", token: Token | None = None) -> None:
        self.outlets = {feed: Outlet() for feed in feeds}
        self.make: dict[str, Callable[[int], Picture]] = dict.fromkeys(feeds, moving)
        self.desk = Desk(self.outlets, codec, loopback=True)
        self._up = threading.Event()
        self._ended = threading.Event()
        self._bound = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._bound.getsockname()[1]}"
        app = build_app(
            self.outlets,
            DirectorWire([]),
            self.desk,
            status=dict,
            on_loop=self._came_up,
            token=token,
        )
        settings = uvicorn.Config(
            app, log_config=None, log_level="critical", timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(settings)
        self._threads = [
            threading.Thread(target=lambda: self._server.run(sockets=[self._bound]), daemon=True),
            threading.Thread(target=self._publish, daemon=True),
        ]

    def _came_up(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._up.set()

    def _publish(self) -> None:
        self._up.wait(10)
        n = 0
        while not self._ended.wait(0.05):
            n += 1
            for feed, outlet in self.outlets.items():
                _, jpeg = cv2.imencode(".jpg", self.make[feed](n))
                part = Part(jpeg.tobytes(), time.time() * 1000)
                self._loop.call_soon_threadsafe(outlet.publish, part)

    def turn(self, feed: str, state: str) -> None:
        """As the rig does: "paused", "killed", "playing"."""
        self._loop.call_soon_threadsafe(self.outlets[feed].turn, state)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        assert self._up.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._threads[1].join(5)
        for feed in self.outlets:
            self.turn(feed, "ended")
        self._server.should_exit = True
        self._threads[0].join(10)
