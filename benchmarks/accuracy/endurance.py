"""False cuts over hours of nothing.

    python -m benchmarks.accuracy.endurance [--hours 1] [--minutes 10] [--part scored]

Renders small held shoots (a pose; a scene; strobes; zooms; overlays) of `--minutes` each with new
seeds until there are enough, replays them, and counts what tap saw happen.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2

from benchmarks.accuracy.conditions import CONDITIONS, HELD, scene_for, seed_for
from benchmarks.accuracy.setup import Setup
from benchmarks.documents import load
from benchmarks.score import Scores, merge, score
from tap.rig.source import View
from tap.rig.write import write_shoot
from tap.witness.replay import replay

FPS = 12.5
SIZE = (320, 180)
NAMES = tuple(name for name, one in CONDITIONS.items() if one.group == HELD and name != "pose-cuts")


def small(setup: Setup) -> None:
    """Two cameras and a program, small and slow: hours go by in minutes."""
    setup.cameras = setup.cameras[:2]
    for camera in setup.cameras:
        camera.source = View(camera.source, SIZE)
        camera.timing = replace(camera.timing, fps=FPS)
    setup.program = replace(setup.program, size=SIZE, fps=FPS)
    setup.program_encoding = replace(setup.program_encoding, kbps=500)


def held(name: str, part: str, minutes: float, number: int, home: Path) -> Scores:
    """Render one held shoot, replay and score it."""
    condition = CONDITIONS[name]
    # Small at last: what a condition does to its cameras comes before.
    condition = replace(condition, touches=(*condition.touches, small), seconds=minutes * 60.0)
    production = condition.production(scene_for(part, name), seed_for(part, name) + number)
    folder = write_shoot(production, home / "shoot")
    replay(folder, home / "out")
    scores = score(load(home / "out" / "witness.json"), load(folder / "truth.json"))
    shutil.rmtree(folder)
    shutil.rmtree(home / "out")
    return scores


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--minutes", type=float, default=10.0, help="of each shoot")
    parser.add_argument("--part", choices=("develop", "scored"), default="scored")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    every: list[Scores] = []
    while sum(one.hours for one in every) < options.hours:
        name = NAMES[len(every) % len(NAMES)]
        with tempfile.TemporaryDirectory() as home:
            scores = held(name, options.part, options.minutes, len(every), Path(home))
        every.append(scores)
        false = scores.cuts.false + scores.soft.false
        print(f"{name}: {scores.hours * 60.0:.1f} min, {false} false changes", flush=True)
    figures = merge(every).figures()
    hours = sum(one.hours for one in every)
    print(f"{hours:.2f} h, {figures['falseChangesPerHour']} false changes an hour")
    print(f"frames right: {figures['frameAccuracy']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
