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

from tap.rig.serve_director import DirectorWire
from tap.rig.serve_feed import Outlet, Part
from tap.rig.serve_http import build_app
from tap.rig.serve_webrtc import Desk
from tap.rig.source import Picture
from tap.vocabulary import PROGRAM

CAMERAS = ("cam-a", "cam-b", "cam-c", "cam-d")
WEBRTC = ("cam-d", PROGRAM)
SIZE = (320, 180)
FPS = 20
DELAY_MS = 150.0
SHOT_S = (2.5, 4.5)
TOLD_MS = 150.0
CALM_S = 15.0
FAULT_EVERY_S = 6.0


class Stage:
    """What a camera sees: a wall of its own and people who walk, for ever."""

    def __init__(self, seed: int) -> None:
        generator = np.random.default_rng(seed)
        coarse = generator.integers(20, 235, (9, 16, 3), np.uint8)
        self._wall = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)
        self._people = generator.uniform(0.2, 0.8, (6, 4))
        self._colours = generator.integers(0, 255, (6, 3)).tolist()

    def picture(self, scene_s: float) -> Picture:
        """The scene at that time."""
        picture = np.asarray(self._wall.copy(), dtype=np.uint8)
        for (x, y, wide, phase), colour in zip(self._people, self._colours, strict=True):
            pace = 0.3 + phase
            left = int(SIZE[0] * (x + 0.2 * wide * np.sin(pace * scene_s + 6 * phase)))
            top = int(SIZE[1] * (y + 0.1 * np.cos(1.3 * pace * scene_s + 9 * wide)))
            cv2.ellipse(picture, (left, top), (10 + int(14 * wide), 40), 0, 0, 360, colour, -1)
        return picture


class Shoot:
    """Four cameras, a program that is `DELAY_MS` behind them, a director, and the faults."""

    def __init__(self) -> None:
        self.outlets = {feed: Outlet() for feed in (*CAMERAS, PROGRAM)}
        self.wire = DirectorWire([])
        self.faults: list[tuple[float, float, str, str]] = []
        """(Unix ms, Unix ms, feed, what)"""
        self.cuts: list[tuple[float, str, str]] = []
        """(Unix ms, camera, id of the message)"""
        self._stages = {feed: Stage(n) for n, feed in enumerate(CAMERAS)}
        self._shown: dict[str, str] = {}
        self._still: dict[str, Picture] = {}
        self._ways: dict[str, LossyWhep] = {}
        self._up, self.ended = threading.Event(), threading.Event()
        self._random = random.Random(5)
        self._bound = socket.create_server(("127.0.0.1", 0))
        self.base = f"127.0.0.1:{self._bound.getsockname()[1]}"
        desk = Desk(self.outlets, "H264", loopback=True)
        app = build_app(self.outlets, self.wire, desk, status=self.told, on_loop=self._came_up)
        settings = uvicorn.Config(
            app, log_config=None, log_level="critical", ws="websockets-sansio"
        )
        self._server = uvicorn.Server(settings)

    def _came_up(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._up.set()

    def told(self) -> dict[str, Any]:
        """What `/status` says."""
        return {"cuts": self.cuts, "faults": self.faults}

    def start(self) -> dict[str, str]:
        """Serve; returns where each feed is."""
        threading.Thread(
            target=lambda: self._server.run(sockets=[self._bound]), daemon=True
        ).start()
        self._up.wait(10)
        self._ways = {
            feed: LossyWhep(f"http://{self.base}/{feed}/whep", loss=0.0, delay_ms=5.0)
            for feed in WEBRTC
        }
        for target in (self._play, self._trouble):
            threading.Thread(target=target, daemon=True).start()
        mjpeg = {feed: f"http://{self.base}/{feed}/stream" for feed in CAMERAS}
        return mjpeg | {feed: way.url for feed, way in self._ways.items()}

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
            for feed, picture in {**past[-1], PROGRAM: past[0][live]}.items():
                self._publish(feed, picture, now_ms)

    def _camera(self, feed: str, scene_s: float) -> Picture:
        shown = self._shown.get(feed)
        picture = self._still.get(feed)
        if shown != "frozen" or picture is None:
            picture = self._still[feed] = self._stages[feed].picture(scene_s)
        if shown == "black":
            return np.zeros_like(picture)
        if shown == "smaller":
            return np.asarray(cv2.resize(picture, (240, 136)), dtype=np.uint8)
        return picture

    def _publish(self, feed: str, picture: Picture, now_ms: float) -> None:
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 75])
        part = Part(jpeg.tobytes(), now_ms)
        self._loop.call_soon_threadsafe(self.outlets[feed].publish, part)

    def _say(self, camera: str, due_ms: float, now_ms: float) -> None:
        name = f"m-{len(self.cuts) + 1}"
        self.cuts.append((due_ms, camera, name))
        message = {"type": "cut", "id": name, "atMs": round(now_ms), "camera": camera}
        self._loop.call_soon_threadsafe(self._tell, json.dumps(message))

    def _tell(self, text: str) -> None:
        for listener in self.wire.listeners:
            listener.put_nowait(text)

    # ------------------------------------------------------------ faults

    def _trouble(self) -> None:
        self.ended.wait(CALM_S)
        while not self.ended.wait(self._random.uniform(0.5, 1.5) * FAULT_EVERY_S):
            feed = self._random.choice((*CAMERAS, PROGRAM))
            kinds = ["kill", "pause"]
            kinds += ["black", "frozen", "smaller"] if feed in CAMERAS else []
            kinds += ["blocked", "loss", "delay", "refused"] if feed in WEBRTC else []
            kind = self._random.choice(kinds)
            began = time.time() * 1000
            undo = self._break(feed, kind)
            self.ended.wait(self._random.uniform(1.0, 3.0))
            undo()
            self.faults.append((began, time.time() * 1000, feed, kind))

    def _break(self, feed: str, kind: str) -> Callable[[], None]:
        """Do it; returns how to undo it."""
        if kind in ("kill", "pause"):
            self._turn(feed, "killed" if kind == "kill" else "paused")
            return lambda: self._turn(feed, "playing")
        if kind in ("black", "frozen", "smaller"):
            self._shown[feed] = kind
            return lambda: self._shown.update({feed: ""})
        way = self._ways[feed]
        if kind == "refused":
            way.refuse = True
            self._turn(feed, "killed")
            return lambda: self._restore(feed)
        faults: dict[str, dict[str, float | bool]] = {
            "blocked": {"blocked": True},
            "loss": {"loss": 0.05},
            "delay": {"delay_ms": 80.0},
        }
        way.set(**faults[kind])
        return lambda: way.set(blocked=False, loss=0.0, delay_ms=5.0)

    def _restore(self, feed: str) -> None:
        self._ways[feed].refuse = False
        self._turn(feed, "playing")

    def _turn(self, feed: str, state: Any) -> None:
        self._loop.call_soon_threadsafe(self.outlets[feed].turn, state)


def main() -> None:
    """Serve until stdin ends."""
    shoot = Shoot()
    print(json.dumps({"feeds": shoot.start(), "base": shoot.base}), flush=True)
    sys.stdin.read()
    shoot.ended.set()


if __name__ == "__main__":
    main()
