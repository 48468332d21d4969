"""What looking live costs, over the number of cameras: tap beside the bare cost of the same feeds.

    python -m benchmarks.carrying [--cameras 2 4 8 16] [--seconds 60] [--settle 20] [--json FILE]

For each number of cameras a process of its own serves so many moving cameras of 1080p, 30 pictures
a second of about 200 kB, and a program that cuts every three seconds (`tap.rig.mill`). Measured in
one go: reading every byte off the sockets and nothing else, decoding the program or everything to
the small grey picture, and `tap watch` with all of it. CPU in parts of a core, ages in ms.
"""

import argparse
import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tap.rig.carry import SETTLE_S, bare, carried, milled
from tap.rig.mill import Mill


def measure(cameras: int, seconds: float, settle_s: float) -> dict[str, Any]:
    """All figures for so many cameras. Raises `TapError` where the witness or the mill fails."""
    with milled(Mill(cameras)) as mill:
        least = bare(mill)
        done = carried(mill, seconds, settle_s=settle_s)
    return {
        "cameras": cameras,
        "load": os.getloadavg()[0],
        "bare": asdict(least),
        "least": least.least,
        "tap": asdict(done),
    }


def _p95(ages: Sequence[float]) -> float:
    if len(ages) < 2:
        return float("nan")
    return statistics.quantiles(ages, n=20, method="inclusive")[-1]


def row(one: dict[str, Any]) -> str:
    """One line of the table."""
    tap, least = one["tap"], one["least"]
    cells = (
        f"{one['cameras']}",
        f"{least:.2f}",
        f"{one['bare']['decoding_all'] + one['bare']['reading']:.2f}",
        f"{tap['cpu']:.2f}",
        f"{tap['cpu'] / least:.1f}",
        f"{tap['memory_mb']:.0f}",
        f"{tap['program_lost']}",
        f"{tap['camera_lost']}",
        f"{_p95(tap['provisional_ms']):.0f}",
        f"{_p95(tap['verdict_ms']):.0f}",
        " ".join(f"{code} {count}" for code, count in sorted(tap["codes"].items())),
        f"{one['load']:.1f}",
    )
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.carrying", description=__doc__)
    parser.add_argument("--cameras", nargs="+", type=int, default=[2, 4, 8, 16])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--settle", type=float, default=SETTLE_S)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(
        "| cameras | least | all bare | tap | tap/least | MB | program lost | cameras lost ", end=""
    )
    print("| provisional p95 | verdict p95 | verdicts | load |", flush=True)
    print("|---" * 12 + "|", flush=True)
    found: list[dict[str, Any]] = []
    for cameras in options.cameras:
        found.append(measure(cameras, options.seconds, options.settle))
        print(row(found[-1]), flush=True)
        if options.json:
            options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
