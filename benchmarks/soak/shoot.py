"""The endless shoot of a soak, and its faults: a process of its own. Prints one line of JSON."""

import asyncio
import json
import random
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import uvicorn
from tests.lossy import LossyWhep

from benchmarks.soak.stage import SMALLER, Stage
from benchmarks.soak.ways import Ffmpeg, Line
from tap.rig.serve_director import DirectorWire
from tap.rig.serve_feed import Outlet, Part
from tap.rig.serve_http import build_app
from tap.rig.serve_webrtc import Desk
from tap.rig.source import Picture
from tap.vocabulary import PROGRAM

CAMERAS = ("cam-a", "cam-b", "cam-c", "cam-d")
FFMPEG, OURS, WEBRTC = ("cam-a", "cam-b"), ("cam-c",), ("cam-d", PROGRAM)
"""Who serves each feed: FFmpeg as mpjpeg, the rig as MJPEG, the rig over WebRTC."""
SERVER = "server"
FPS = 20
DELAY_MS = 150.0
SHOT_S = (2.5, 4.5)
TOLD_MS = 150.0
CALM_S = 12.0
FAULT_EVERY_S = 4.0
LASTS_S = (1.0, 3.0)
HALF_OPEN_S = 8.0
"""Until a half-open connection is given up and a new one has pictures."""

DARK = "black"
"""The camera itself is black, and so is the program where that is live: a change that is true."""


def kinds_of(feed: str) -> tuple[str, ...]:
    """The faults that a feed can have.

    `frozen`: the feed repeats its picture, the program goes on; `stuck`: the camera does, and with
    it the program; `refused`: killed, and callers are turned away for a while.
    """
    if feed == SERVER:
        return ("restart", "restart")
    seen = ("black", "frozen", "stuck") if feed in CAMERAS else ()
    sized = ("smaller",) if feed in (*OURS, "cam-d") else ()
    if feed in WEBRTC:
        return ("kill", "pause", "blocked", "loss", "delay", "refused", *seen, *sized)
    return ("kill", "pause", "half-open", "refused", *seen, *sized)


class Server:
    """The rig's server of some outlets, which can be started anew at the same address."""

    def __init__(self, outlets: dict[str, Outlet], wire: DirectorWire, status: Any) -> None:
        self._outlets, self._wire, self._status = outlets, wire, status
        with socket.create_server(("127.0.0.1", 0)) as bound:
            self.port = int(bound.getsockname()[1])
        self.start()

    def start(self) -> None:
        """Serve, until `stop`."""
        up = threading.Event()

        def came_up(loop: asyncio.AbstractEventLoop) -> None:
            self._loop = loop
            up.set()

        desk = Desk(self._outlets, "H264", loopback=True)
        app = build_app(self._outlets, self._wire, desk, status=self._status, on_loop=came_up)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="critical",
                ws="websockets-sansio",
                port=self.port,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        up.wait(10)

    def stop(self) -> None:
        """Down, with every connection."""
        self._server.should_exit = True
        self._thread.join(10)

    def soon(self, call: Callable[..., object], *args: object) -> None:
        """Call on the server's loop, if it is up."""
        if self._thread.is_alive() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *args)


class Shoot:
    """Four cameras, a program that is `DELAY_MS` behind them, a director, and the faults."""

    def __init__(self, seed: int) -> None:
        self.outlets = {feed: Outlet() for feed in (*OURS, *WEBRTC)}
        self.wire = DirectorWire([])
        self.faults: list[tuple[float, float, str, str]] = []
        """(Unix ms, Unix ms, feed, what)"""
        self.cuts: list[tuple[float, str, str]] = []
        """(Unix ms, camera, id of the message)"""
        self._stages = {feed: Stage(n) for n, feed in enumerate(CAMERAS)}
        self._shown: dict[str, str] = {}
        self._still: dict[str, Picture] = {}
        self.ended = threading.Event()
        self._random = random.Random(seed)
        self._director = Server({}, self.wire, self.told)
        self._media = Server(self.outlets, DirectorWire([]), dict)
        self.base = f"127.0.0.1:{self._director.port}"
        self._ffmpegs = {feed: Ffmpeg(FPS) for feed in FFMPEG}
        ports = {feed: one.port for feed, one in self._ffmpegs.items()}
        ports |= dict.fromkeys(OURS, self._media.port)
        self._lines = {feed: Line(port) for feed, port in ports.items()}
        self._ways = {
            feed: LossyWhep(
                f"http://127.0.0.1:{self._media.port}/{feed}/whep", loss=0.0, delay_ms=5.0
            )
            for feed in WEBRTC
        }

    def told(self) -> dict[str, Any]:
        """What `/status` says."""
        return {"cuts": self.cuts, "faults": self.faults}

    def start(self) -> dict[str, str]:
        """Play; returns where each feed is."""
        for target in (self._play, self._trouble):
            threading.Thread(target=target, daemon=True).start()
        mjpeg = {
            feed: f"http://127.0.0.1:{line.port}/{feed}/stream"
            for feed, line in self._lines.items()
        }
        return mjpeg | {feed: way.url for feed, way in self._ways.items()}

    def close(self) -> None:
        """End what would outlive this process."""
        self.ended.set()
        for one in self._ffmpegs.values():
            one.close()

    # ------------------------------------------------------------ pictures and messages

    def _play(self) -> None:
        live, due_ms = CAMERAS[0], time.time() * 1000 + 8000
        coming, told = CAMERAS[1], False
        past: deque[dict[str, Picture]] = deque(maxlen=1 + round(DELAY_MS * FPS / 1000))
        began, n = time.monotonic(), 0
        while not self.ended.is_set():
            n += 1
            self.ended.wait(max(0.0, began + n / FPS - time.monotonic()))
            now_ms = time.time() * 1000
            past.append({feed: self._camera(feed, n / FPS) for feed in CAMERAS})
            if not told and now_ms >= due_ms - TOLD_MS:
                told = True
                self._say(coming, due_ms, now_ms)
            if now_ms >= due_ms:
                live, told = coming, False
                coming = self._random.choice([feed for feed in CAMERAS if feed != live])
                due_ms += 1000 * self._random.uniform(*SHOT_S)
            for feed in CAMERAS:
                self._publish(feed, self._sent(feed, past[-1][feed]), now_ms)
            self._publish(PROGRAM, past[0][live], now_ms)

    def _camera(self, feed: str, scene_s: float) -> Picture:
        """What the camera films, for its feed and the program alike."""
        shown = self._shown.get(feed)
        if shown == "stuck" and feed in self._still:
            return self._still[feed]
        picture = self._stages[feed].picture(scene_s)
        if shown == DARK:
            return np.zeros_like(picture)
        if shown == "smaller":
            return np.asarray(cv2.resize(picture, SMALLER), dtype=np.uint8)
        if shown != "frozen":
            self._still[feed] = picture
        return picture

    def _sent(self, feed: str, picture: Picture) -> Picture:
        """What its feed sends of that."""
        return self._still.get(feed, picture) if self._shown.get(feed) == "frozen" else picture

    def _publish(self, feed: str, picture: Picture, now_ms: float) -> None:
        if feed in self._ffmpegs:
            if self._shown.get(feed) != "pause":
                self._ffmpegs[feed].give(picture)
            return
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 75])
        self._media.soon(self.outlets[feed].publish, Part(jpeg.tobytes(), now_ms))

    def _say(self, camera: str, due_ms: float, now_ms: float) -> None:
        name = f"m-{len(self.cuts) + 1}"
        self.cuts.append((due_ms, camera, name))
        message = {"type": "cut", "id": name, "atMs": round(now_ms), "camera": camera}
        self._director.soon(self._tell, json.dumps(message))

    def _tell(self, text: str) -> None:
        for listener in self.wire.listeners:
            listener.put_nowait(text)

    # ------------------------------------------------------------ faults

    def _trouble(self) -> None:
        self.ended.wait(CALM_S)
        deck: list[tuple[str, str]] = []
        while not self.ended.wait(self._random.uniform(0.5, 1.5) * FAULT_EVERY_S):
            if not deck:  # every fault of every feed comes once before any comes again
                feeds = (*CAMERAS, PROGRAM, SERVER)
                deck = [(feed, kind) for feed in feeds for kind in kinds_of(feed)]
                self._random.shuffle(deck)
            feed, kind = deck.pop()
            began = time.time() * 1000
            undo = self._break(feed, kind)
            lasts_s = HALF_OPEN_S if kind == "half-open" else self._random.uniform(*LASTS_S)
            self.ended.wait(lasts_s)
            undo()
            for one in (*OURS, *WEBRTC) if feed == SERVER else (feed,):
                self.faults.append((began, time.time() * 1000, one, kind))

    def _break(self, feed: str, kind: str) -> Callable[[], None]:
        """Do it; returns how to undo it."""
        if kind == "restart":
            self._media.stop()
            return self._media.start
        if kind == "half-open":
            self._lines[feed].forget()
            return lambda: None
        if kind in ("black", "frozen", "stuck", "smaller"):
            self._shown[feed] = kind
            return lambda: self._shown.update({feed: ""})
        if kind in ("kill", "pause", "refused"):
            return self._take_away(feed, kind)
        way = self._ways[feed]
        faults: dict[str, dict[str, float | bool]] = {
            "blocked": {"blocked": True},
            "loss": {"loss": 0.05},
            "delay": {"delay_ms": 80.0},
        }
        way.set(**faults[kind])
        return lambda: way.set(blocked=False, loss=0.0, delay_ms=5.0)

    def _take_away(self, feed: str, kind: str) -> Callable[[], None]:
        """Kill a feed, or let it fall silent."""
        place: Any = self._ways[feed] if feed in self._ways else self._lines[feed]
        word = "refuse" if feed in self._ways else "refuses"
        if kind == "refused":
            setattr(place, word, True)
        if feed in self._ffmpegs:
            one = self._ffmpegs[feed]
            self._shown[feed] = kind
            if kind != "pause":
                one.turn(up=False)

            def back() -> None:
                self._shown[feed] = ""
                self._lines[feed].refuses = False
                one.turn(up=True)

            return back
        self._turn(feed, "paused" if kind == "pause" else "killed")

        def again() -> None:
            setattr(place, word, False)
            self._turn(feed, "playing")

        return again

    def _turn(self, feed: str, state: Any) -> None:
        self._media.soon(self.outlets[feed].turn, state)


def main() -> None:
    """Serve until stdin ends."""
    shoot = Shoot(int(sys.argv[1]))
    print(json.dumps({"feeds": shoot.start(), "base": shoot.base}), flush=True)
    sys.stdin.read()
    shoot.close()


if __name__ == "__main__":
    main()
