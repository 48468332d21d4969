"""What a minute of a long session costs early and after hours, and whether memory stays flat.

    python -m benchmarks.long [--hours 10] [--fps 10] [--cameras 4] [--json FILE]

Drawn cameras of few pictures a second, cut between every eight seconds by a director who says so,
go through all of a live session: sight, judge, books with their journal, evidence on disk. Time is
simulated, so hours take minutes. CPU seconds are those of this process for each simulated minute,
the drawing of pictures not counted; memory is what the process holds.
"""

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.unit.sample_pictures import DELAY_MS, START_MS, Camera, noisy

from tap.judge import Tolerances
from tap.ledger import CameraFacts, EmbeddedLedger, SessionFacts
from tap.sight import SightSettings
from tap.vocabulary import PROGRAM, Claim, ClaimType, Frame, Luma
from tap.witness.order import Observation
from tap.witness.session import Plan, Session

CUT_MS, LOOP_MS = 8000.0, 64_000.0
"""Time between two cuts; and after how long the pictures begin again: tap looks back less far."""
MINUTE_MS = 60_000.0


def minutes(cameras: int, fps: float) -> Iterator[list[Observation]]:
    """The observations of one minute after the other, without end."""
    step = 1000.0 / fps
    names = [f"cam-{n}" for n in range(cameras)]
    drawn = [Camera(n + 1, fps=fps) for n in range(cameras)]
    ticks = int(LOOP_MS / step)
    loops: list[list[Luma]] = [[one.at(n * step) for n in range(ticks)] for one in drawn]
    late = round(DELAY_MS / step)
    shown = [
        [noisy(loop[(n - late) % ticks], n * 10.0 + i) for n in range(ticks)]
        for i, loop in enumerate(loops)
    ]
    frame, cut = 0, -1
    while True:
        minute: list[Observation] = []
        for _ in range(round(MINUTE_MS / step)):
            at_ms = START_MS + frame * step
            for i, name in enumerate(names):
                minute.append(_frame(name, frame, at_ms, loops[i][frame % ticks]))
            number = int(frame * step / CUT_MS)
            live = number % cameras
            minute.append(_frame(PROGRAM, frame, at_ms, shown[live][frame % ticks]))
            if number != cut:
                cut = number
                said_ms = at_ms + 1
                minute.append(
                    Claim(
                        id=f"cut-{number}",
                        type=ClaimType.CUT,
                        at_ms=said_ms,
                        recv_ms=said_ms,
                        camera=names[live],
                    )
                )
            frame += 1
        yield minute


def _frame(feed: str, index: int, at_ms: float, luma: Luma) -> Frame:
    height, width = luma.shape
    return Frame(feed, index, at_ms, luma, (width * 8, height * 8))


def memory_mb() -> float:
    """What this process holds."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def run(hours: float, cameras: int, fps: float, folder: Path) -> dict[str, Any]:
    """CPU seconds and memory of each simulated minute, and what was said in all."""
    plan = Plan(
        session=SessionFacts(external_id="long"),
        cameras=[CameraFacts(id=f"cam-{n}") for n in range(cameras)],
        folder=folder / "session",
        store=EmbeddedLedger(folder / "ledger.sqlite"),
        sight=SightSettings(),
        tolerances=Tolerances(),
    )
    session = Session(plan, START_MS)
    spent: list[float] = []
    held: list[float] = []
    for number, minute in enumerate(minutes(cameras, fps)):
        if number >= hours * 60:
            break
        began = time.process_time()
        for observation in minute:
            session.observe(observation)
        session.pass_time(START_MS + (number + 1) * MINUTE_MS)
        spent.append(time.process_time() - began)
        gc.collect()
        held.append(memory_mb())
    witness = session.finish(START_MS + hours * 3_600_000, complete=True, dropped={})
    return {
        "hours": hours,
        "cpu_s": [round(one, 3) for one in spent],
        "memory_mb": [round(one, 1) for one in held],
        "verdicts": dict(session.counts),
        "shots": len(witness.shots),
    }


def report(done: dict[str, Any]) -> str:
    """What is to be known of a run, in words."""
    spent, held = done["cpu_s"], done["memory_mb"]
    early, late = statistics.median(spent[5:15]), statistics.median(spent[-10:])
    lines = [
        f"{done['hours']:g} hours, {done['shots']} shots, verdicts {done['verdicts']}",
        f"CPU of a minute: {early:.2f} s about minute 10, {late:.2f} s at the end",
        f"ratio {late / early:.2f} (medians of ten minutes)",
        f"memory: {statistics.median(held[5:15]):.0f} MB about minute 10",
        f"... {statistics.median(held[-10:]):.0f} MB at the end",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        done = run(options.hours, options.cameras, options.fps, Path(folder))
    print(report(done))
    if options.json:
        options.json.write_text(json.dumps(done) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
