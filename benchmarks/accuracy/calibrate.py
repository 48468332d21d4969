"""Learns how often what sight believes is so, and writes models/calibration.json.

    python -m benchmarks.accuracy.calibrate [--jobs 2]

Replays the develop part with beliefs as they are and compares frame by frame. One rising curve for
each kind of answer (isotonic regression by pooling adjacent violators: R. Barlow et al.,
Statistical Inference under Order Restrictions, 1972). Frames of one shot err together: so many
frames count as one, and each level is drawn towards a doubt by one error that was not seen.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

from benchmarks.accuracy.conditions import TABLE
from benchmarks.accuracy.shoots import shoot_folder
from benchmarks.documents import load, read_truth, read_witness
from benchmarks.score import abstains, away_from_edges, is_right, shot_at
from tap.sight import SightSettings
from tap.witness.replay import replay

TARGET = Path(__file__).resolve().parents[2] / "models" / "calibration.json"
LEVELS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995, 0.9985)
"""Lower edges of the levels of belief that are pooled."""
TOGETHER = 12.0
"""Frames that count as one: about half a second, the shortest shots of most programmes."""
UNSEEN_ERRORS = 0.5

Answers = dict[str, list[tuple[float, bool]]]


def answers(name: str) -> Answers:
    """By kind of answer: (believed, right) of each frame of a condition's develop shoot."""
    folder = shoot_folder("develop", name)
    with tempfile.TemporaryDirectory() as out:
        replay(folder, Path(out), sight=SightSettings())
        said = read_witness(load(Path(out) / "witness.json"))
    so = read_truth(load(folder / "truth.json"))
    starts = [shot.start_ms for shot in said.spans]
    found: Answers = defaultdict(list)
    for index in away_from_edges(so.spans):
        frame = so.spans[index]
        shot = shot_at(said.spans, starts, frame.start_ms)
        if shot is not None and frame.state != "unseen" and not abstains(shot, frame):
            found[shot.state].append((shot.confidence, is_right(shot, frame)))
    return dict(found)


def curve(frames: Sequence[tuple[float, bool]]) -> list[tuple[float, float]]:
    """Knots (believed, so), both rising."""
    pools: list[list[float]] = []  # believed, right, count
    edges = [*LEVELS, 1.01]
    for low, high in pairwise(edges):
        level = [(said, right) for said, right in frames if low <= said < high]
        if not level:
            continue
        count = len(level) / TOGETHER
        right = sum(right for _, right in level) / TOGETHER
        pools.append([sum(said for said, _ in level) / len(level), right, count + UNSEEN_ERRORS])
    merged: list[list[float]] = []
    for said, right, count in pools:
        merged.append([said * count, right, count])
        while len(merged) > 1 and merged[-2][1] * merged[-1][2] >= merged[-1][1] * merged[-2][2]:
            last = merged.pop()
            merged[-1] = [a + b for a, b in zip(merged[-1], last, strict=True)]
    return [(round(said / count, 5), round(right / count, 5)) for said, right, count in merged]


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--only", nargs="+", default=list(TABLE), help="conditions, by name")
    options = parser.parse_args(arguments)
    pooled: Answers = defaultdict(list)
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for name, found in zip(options.only, pool.map(answers, options.only), strict=True):
            wrong = sum(not right for frames in found.values() for _, right in frames)
            print(f"{name}: {wrong} wrong", file=sys.stderr, flush=True)
            for state, frames in found.items():
                pooled[state] += frames
    table = {
        "format": "tap-calibration/1",
        "shoots": len(options.only),
        "frames": {state: len(frames) for state, frames in sorted(pooled.items())},
        "curves": {state: curve(frames) for state, frames in sorted(pooled.items())},
    }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {TARGET.name}: {table['frames']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
