"""What sight costs a program frame, decoding not included.

    python -m benchmarks.sight_speed [--runs 5] [--cameras 16]

Reads the frames of develop shoots into memory, then times `Sight` alone over them: CPU time of one
thread, all camera frames of the time included, over program frames. With `--cameras N` the cameras
of a shoot are joined by copies of them that are shifted in time and picture, up to N.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.accuracy.shoots import shoot_folder
from tap.feeds.media import MediaReader
from tap.feeds.shoot import load_shoot
from tap.sight import Sight
from tap.vocabulary import PROGRAM, Frame
from tap.witness.models import learnt_settings
from tap.witness.order import in_order

SHOOTS = ("plain", "near", "graphics", "dissolve", "held-zooms")


def frames_of(folder: Path) -> tuple[list[str], list[Frame]]:
    """The cameras of a shoot, and all its frames in order."""
    shoot = load_shoot(folder)
    readers = [
        *(MediaReader(camera.media, camera.id, camera.started_at_ms) for camera in shoot.cameras),
        MediaReader(shoot.program.media, PROGRAM, shoot.program.started_at_ms),
    ]
    frames = [frame for frame in in_order([iter(r) for r in readers]) if isinstance(frame, Frame)]
    return [camera.id for camera in shoot.cameras], [replace(f, encoded=None) for f in frames]


def crowded(cameras: list[str], frames: list[Frame], count: int) -> tuple[list[str], list[Frame]]:
    """The same shoot with more cameras, `count` in all: copies, rolled to another picture."""
    names = [*cameras, *(f"extra-{n}" for n in range(count - len(cameras)))]
    out: list[Frame] = []
    for frame in frames:
        out.append(frame)
        if frame.feed == PROGRAM:
            continue
        for n, name in enumerate(names[len(cameras) :]):
            if cameras[n % len(cameras)] == frame.feed:
                rolled = np.roll(frame.luma, 17 * (1 + n // len(cameras)), axis=1)
                out.append(replace(frame, feed=name, picture=rolled))
    return names, out


def cost_ms(cameras: Sequence[str], frames: Sequence[Frame]) -> float:
    """CPU ms of sight for each program frame."""
    sight = Sight(cameras, learnt_settings())
    began = time.thread_time()
    for frame in frames:
        sight.see(frame)
    sight.finish()
    sight.take()
    return 1000.0 * (time.thread_time() - began) / sight.program_frames


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cameras", type=int, default=None)
    parser.add_argument("--only", nargs="+", default=list(SHOOTS))
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    for name in options.only:
        cameras, frames = frames_of(shoot_folder("develop", name))
        if options.cameras:
            cameras, frames = crowded(cameras, frames, options.cameras)
        costs = [cost_ms(cameras, frames) for _ in range(options.runs)]
        print(
            f"{name:12} {len(cameras):2} cameras: {statistics.median(costs):.2f} ms "
            f"({min(costs):.2f} to {max(costs):.2f})",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
