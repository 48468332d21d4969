"""One edge process of the benchmark: sends fingerprints of the recording, on its own clock."""

import argparse
import json
import random
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks.edge.recording import FPS, FRAMES, load
from tap.clock import SystemClock
from tap.edge.run import Edge, EdgeStatus
from tap.feeds.feed import Sink
from tap.feeds.fingerprint import Fingerprint
from tap.feeds.health import FeedHealth, Vitals
from tap.vocabulary import Frame

FULL = (1920, 1080)
PICTURE_SIZE = (960, 540)


class SkewedClock(SystemClock):
    """A host whose clock is off."""

    def __init__(self, off_ms: float) -> None:
        super().__init__()
        self._off_ms = off_ms

    def now_ms(self) -> float:
        """Unix ms, wrongly."""
        return super().now_ms() + self._off_ms


class Played:
    """Stands for a camera: its pictures are played by `play`."""

    def __init__(self, feed: str, clock: SystemClock) -> None:
        self.feed = feed
        self._vitals = Vitals(feed, clock)

    def start(self, sink: Sink) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Nothing to end."""

    def health(self) -> FeedHealth:
        """Nothing known."""
        return self._vitals.health()


def a_picture() -> bytes:
    """A JPEG of about 100 kB: what is sent when a picture is asked for."""
    random_ = np.random.default_rng(1)
    coarse = random_.integers(0, 255, (54, 96, 3), np.uint8)
    picture = cv2.resize(coarse, PICTURE_SIZE, interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def play(edge: Edge, asked: argparse.Namespace, clock: SkewedClock) -> None:
    """Send every camera's fingerprints at their time, for ever."""
    prints, jpeg = load(asked.recording).prints, a_picture()
    blank = np.zeros((10, 18), np.uint8)
    numbers = list(edge.senders)
    step_ms = 1000.0 / FPS
    k = max(0, int((time.time() * 1000 - asked.start_ms) / step_ms) + 1)
    while True:
        for at, name in enumerate(numbers):
            number = asked.first + at
            # Each camera has its own phase; their host sees to one after the other.
            due_ms = asked.start_ms + (k + at / len(numbers)) * step_ms
            time.sleep(max(0.0, due_ms / 1000 - time.time()))
            stamp_ms = due_ms + asked.off_ms
            frame = Frame(name, k, stamp_ms, blank, FULL, jpeg)
            data = prints[number, k % FRAMES].tobytes()
            edge.senders[name].put(stamp_ms, Fingerprint(18, 10, data), FULL, frame)
        k += 1


def main() -> int:
    """Send until stdin ends or the parent kills us."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--recording", type=Path, required=True)
    parser.add_argument("--to", required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--start-ms", type=float, required=True)
    parser.add_argument("--off-ms", type=float, default=0.0)
    parser.add_argument("--loss", type=float, default=0.0)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    clock = SkewedClock(asked.off_ms)
    names = [f"cam-{number:02d}" for number in range(asked.first, asked.first + asked.count)]
    edge = Edge({name: Played(name, clock) for name in names}, asked.to, clock=clock)
    hand_over, chance = edge._hand_over, random.Random(asked.first)  # noqa: SLF001
    lost = 0

    def lossy(subject: str, message: bytes) -> None:
        nonlocal lost
        if chance.random() < asked.loss:
            lost += 1
            return
        hand_over(subject, message)

    edge._hand_over = lossy  # type: ignore[method-assign]  # noqa: SLF001
    stop = threading.Event()

    def until_told() -> None:
        sys.stdin.read()
        stop.set()

    def show(status: EdgeStatus) -> None:
        told = {
            "atS": time.time(), "sent": status.sent, "bytes": status.bytes, "lost": lost,
            "messages": status.messages, "pictures": status.pictures, "leftOut": status.left_out,
            "cpuS": time.process_time(),
        }  # fmt: skip
        print(json.dumps(told), flush=True)

    threading.Thread(target=until_told, daemon=True).start()
    threading.Thread(target=play, args=(edge, asked, clock), daemon=True).start()
    edge.run(stop, show)
    return 0


if __name__ == "__main__":
    sys.exit(main())
