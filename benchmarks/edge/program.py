"""The program and the director of the benchmark: a process of its own, MJPEG and a WebSocket."""

import argparse
import asyncio
import json
import socket
import sys
import threading
import time
from pathlib import Path

import uvicorn

from benchmarks.edge.recording import FPS, FRAMES, load
from tap.rig.serve_director import DirectorWire
from tap.rig.serve_feed import Outlet, Part
from tap.rig.serve_http import build_app
from tap.rig.serve_webrtc import Desk
from tap.vocabulary import PROGRAM

TOLD_FRAMES = 5
"""The director says a cut so long before the program shows it."""


def main() -> int:
    """Print where the feeds are, play from `--start-ms` on, end with stdin."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--recording", type=Path, required=True)
    parser.add_argument("--start-ms", type=float, required=True)
    asked = parser.parse_args()
    held = load(asked.recording)
    outlet, wire = Outlet(), DirectorWire([])
    up = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def came_up(loop: asyncio.AbstractEventLoop) -> None:
        loops.append(loop)
        up.set()

    outlets = {PROGRAM: outlet}
    app = build_app(
        outlets, wire, Desk(outlets, "VP8", loopback=True), status=dict, on_loop=came_up
    )
    bound = socket.create_server(("127.0.0.1", 0))
    settings = uvicorn.Config(app, log_config=None, log_level="critical", ws="websockets-sansio")
    server = uvicorn.Server(settings)
    threading.Thread(target=lambda: server.run(sockets=[bound]), daemon=True).start()
    up.wait(10)
    base = f"127.0.0.1:{bound.getsockname()[1]}"
    print(json.dumps({"program": f"http://{base}/program/stream", "base": base}), flush=True)
    ended = threading.Event()

    def until_told() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=until_told, daemon=True).start()

    def say(text: str) -> None:
        for listener in list(wire.listeners):
            listener.put_nowait(text)

    k, number = 0, 0
    while not ended.is_set():
        due_ms = asked.start_ms + k * 1000.0 / FPS
        time.sleep(max(0.0, due_ms / 1000 - time.time()))
        now_ms = time.time() * 1000
        part = Part(held.program[k % FRAMES], now_ms)
        loops[0].call_soon_threadsafe(outlet.publish, part)
        coming, now = (
            held.live[(k + TOLD_FRAMES) % FRAMES],
            held.live[(k + TOLD_FRAMES - 1) % FRAMES],
        )
        if coming != now and k > 0:
            number += 1
            camera = f"cam-{coming:02d}"
            said = {"type": "cut", "id": f"m-{number}", "atMs": round(now_ms), "camera": camera}
            loops[0].call_soon_threadsafe(say, json.dumps(said))
        k += 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
