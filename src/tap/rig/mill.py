"""A mill: many moving cameras and a program, coded once and served over and over, to measure by.

    python -m tap.rig.mill --cameras 16 --size 1920x1080 --bytes 200000

Everything is MJPEG over HTTP at 30 fps, on loopback, with a director on a WebSocket who cuts every
three seconds, from one to the next of four cameras; the program shows what he says, some frames
late. The pictures are drawn: panning scenes of their own with things that move and the noise of a
sensor, coded to about the size that is asked for. It is a process of its own, so that its cost is
not tap's.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

FPS = 30
LOOP = 150
"""Pictures of a camera, then it begins anew: longer than tap remembers."""
SHOT = 90
"""Pictures of the program from cut to cut."""
IN_TURN = 4
"""So many of the cameras the director cuts between; the others are there, and he may."""
LATE = 4
"""So many pictures the program is behind the cameras."""
PROGRAM_SIZE = (1280, 720)
_PROGRAM_QUALITY = 80
_MARGIN = 1.3
"""A scene is so much larger than what its camera shows at a time."""
_LEAST_QUALITY, _MOST_QUALITY = 10, 95

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Mill:
    """What is to be milled: how many cameras of which (width, height), and bytes of a picture."""

    cameras: int
    size: tuple[int, int] = (1920, 1080)
    picture_bytes: int = 200_000

    @property
    def names(self) -> list[str]:
        """The cameras' ids."""
        return [f"cam-{n + 1:02d}" for n in range(self.cameras)]


class Scene:
    """What one camera looks at."""

    def __init__(self, number: int, size: tuple[int, int]) -> None:
        self._rng = np.random.default_rng(number)
        self._size = size
        width, height = (round(side * _MARGIN) for side in size)
        coarse = self._rng.integers(0, 256, (9, 16, 3), dtype=np.uint8)
        fine = self._rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        one, two = (
            cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC)
            for part in (coarse, fine)
        )
        self._world = cv2.addWeighted(one, 0.7, two, 0.3, 0)
        self._noise = self._rng.integers(0, 18, (2 * size[1], size[0], 3), dtype=np.uint8)
        self._turns = self._rng.integers(1, 4, 2)
        self._phase = self._rng.random(4) * 2 * np.pi

    def at(self, index: int) -> Pixels:
        """(h, w, 3) picture number `index` of the loop."""
        width, height = self._size
        turn = 2 * np.pi * index / LOOP
        swing = 0.5 + 0.5 * np.sin(self._turns * turn + self._phase[:2])
        x = int(swing[0] * (self._world.shape[1] - width))
        y = int(swing[1] * (self._world.shape[0] - height))
        picture = self._world[y : y + height, x : x + width].copy()
        where = 0.5 + 0.4 * np.sin(2 * turn + self._phase[2:])
        middle = int(where[0] * width), int(where[1] * height)
        cv2.circle(picture, middle, height // 6, (40, 200, 90), -1)
        row = int(self._rng.integers(0, height))
        return np.asarray(cv2.add(picture, self._noise[row : row + height]), np.uint8)


def _quality(picture: Pixels, wanted: int) -> int:
    """The JPEG quality that comes nearest to `wanted` bytes from below."""
    low, high = _LEAST_QUALITY, _MOST_QUALITY
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(_coded(picture, middle)) <= wanted else (low, middle - 1)
    return low


def _coded(picture: Pixels, quality: int) -> bytes:
    _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return coded.tobytes()


@dataclass(frozen=True, slots=True)
class Reel:
    """One camera's loop, as the camera gives it and as the program shows it, coded."""

    pictures: list[bytes]
    on_program: list[bytes]


def grind(mill: Mill, workers: int = 2) -> list[Reel]:
    """Draw and code everything; about a second for each camera at 1080p."""

    def reel(number: int) -> Reel:
        scene = Scene(number, mill.size)
        quality = _quality(scene.at(0), mill.picture_bytes)
        pictures: list[bytes] = []
        program: list[bytes] = []
        for index in range(LOOP):
            picture = scene.at(index)
            pictures.append(_coded(picture, quality))
            small = cv2.resize(picture, PROGRAM_SIZE, interpolation=cv2.INTER_AREA)
            program.append(_coded(np.asarray(small, np.uint8), _PROGRAM_QUALITY))
        return Reel(pictures, program)

    cv2.setNumThreads(1)
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(reel, range(mill.cameras)))


class Server:
    """Serves reels: `/NAME/stream` for each camera and `/program/stream`."""

    def __init__(self, mill: Mill, reels: Sequence[Reel]) -> None:
        self._reels = dict(zip(mill.names, reels, strict=True))
        self._names = mill.names
        self._began = time.monotonic()

    def live(self, tick: int) -> str:
        """Which camera the director wants at a tick."""
        return self._names[tick // SHOT % min(IN_TURN, len(self._names))]

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one viewer until it goes."""
        try:
            asked = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            name = asked.split(b" ")[1].decode("latin-1").strip("/").partition("/")[0]
            if name != "program" and name not in self._reels:
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                return
            head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
            writer.write(head + b"Content-Type: multipart/x-mixed-replace; boundary=mill\r\n\r\n")
            await self._play(name, writer)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _play(self, name: str, writer: asyncio.StreamWriter) -> None:
        number = self._names.index(name) if name in self._reels else len(self._names)
        phase = (number * 0.618) % 1.0  # cameras don't take their pictures all at once
        tick = self._tick() + 1
        while True:
            await asyncio.sleep(max(0.0, self._began + (tick + phase) / FPS - time.monotonic()))
            body = self._picture(name, tick)
            head = f"--mill\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode())
            writer.write(body)
            writer.write(b"\r\n")
            await writer.drain()
            tick = max(tick + 1, self._tick())  # who reads slowly misses pictures

    def _picture(self, name: str, tick: int) -> bytes:
        if name in self._reels:
            return self._reels[name].pictures[tick % LOOP]
        tick = max(0, tick - LATE)
        return self._reels[self.live(tick)].on_program[tick % LOOP]

    def _tick(self) -> int:
        return int((time.monotonic() - self._began) * FPS)

    async def direct(self, listener: ServerConnection) -> None:
        """Tell a listener of every cut from now on."""
        tick = (self._tick() // SHOT + 1) * SHOT
        while not listener.close_code:
            await asyncio.sleep(max(0.0, self._began + tick / FPS - time.monotonic()))
            now = {"type": "cut", "camera": self.live(tick), "id": f"cut-{tick}"}
            with suppress(ConnectionClosed):
                await listener.send(json.dumps({**now, "atMs": time.time() * 1000}))
            tick += SHOT


async def _serve(mill: Mill, reels: Sequence[Reel]) -> None:
    server = Server(mill, reels)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    streams = await asyncio.start_server(server.stream, "127.0.0.1", 0)
    async with streams, serve(server.direct, "127.0.0.1", 0) as director:
        ports = [sockets.sockets[0].getsockname()[1] for sockets in (streams, director)]
        sizes = [len(reel.pictures[0]) for reel in reels]
        said = {"port": ports[0], "director": ports[1], "cameras": mill.names, "bytes": sizes}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        await ended.wait()


def main(arguments: Sequence[str]) -> int:
    """The command: says where it serves in one line of JSON; ends when it is told to (SIGTERM)."""
    parser = argparse.ArgumentParser(prog="python -m tap.rig.mill", description=__doc__)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--bytes", type=int, default=200_000)
    options = parser.parse_args(arguments)
    width, height = (int(side) for side in options.size.split("x"))
    mill = Mill(options.cameras, (width, height), options.bytes)
    asyncio.run(_serve(mill, grind(mill)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
