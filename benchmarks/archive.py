"""How the archive scales, and what limits it.

    python -m benchmarks.archive [--rounds 3] [--workers 1,2,4] [--json FILE]

Each round does everything once, one after the other, so that the load of the machine strikes all
alike; figures are medians over the rounds, and ratios within a round.

1. The two parts of a replay in CPU seconds: decoding and reducing, which any number of workers can
   do, and looking, which one does. Their ratio limits what workers can do for one shoot (Amdahl).
2. One shoot of 1080p H.264 in pieces, on a real Dask scheduler with so many workers, beside a
   replay in one piece. Exits with 1 unless all answers are equal byte for byte.
3. Four small shoots with `--jobs` 1 and 2.
"""

import argparse
import importlib
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import distributed
from tests.dask_cluster import DaskCluster

from benchmarks.shoots import recoded
from tap.archive import cluster, pool
from tap.archive.course import Cutting
from tap.archive.identity import How, answering
from tap.archive.run import Outcome, begin
from tap.clock import SystemClock
from tap.feeds.media import Reader, Reduced, reduced
from tap.feeds.shoot import Shoot, load_shoot, recordings
from tap.feeds.video import VideoFile
from tap.report.folder import WITNESS_FILE
from tap.witness.evidence import digest
from tap.witness.replay import replay

DEMO = Path(__file__).parents[1] / "sample_media" / "demo"
PIECE_MS = 15_000.0
HD = "scale=1920:1080,noise=alls=6:allf=t"

Figures = dict[str, float]


def full_hd() -> Path:
    """The sample shoot as 1080p H.264 of 8 Mbit/s, with B pictures; 2 minutes."""
    coded = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "8M", "-g", "50", "-bf", "2"]
    return recoded(DEMO, "demo-1080p", ["-vf", HD, *coded])


def parts(folder: Path, scratch: Path) -> Figures:
    """CPU seconds of decoding and of looking."""
    pictures: dict[str, list[Reduced]] = {}
    began = time.process_time()
    for feed, part in recordings(load_shoot(folder)):
        with VideoFile(part.media) as file:
            pictures[feed] = [reduced(p)._replace(encoded=None) for p in file.pictures()]
    decoded = time.process_time()

    def readers(shoot: Shoot) -> list[Reader]:
        found = recordings(shoot)
        return [Reader(feed, part.started_at_ms, pictures[feed]) for feed, part in found]

    replay(folder, scratch / "looked", readers=readers)
    looked = time.process_time() - decoded
    share = looked / (looked + decoded - began)
    return {"decode_s": decoded - began, "look_s": looked, "share": share, "limit": 1 / share}


def on_workers(folder: Path, scratch: Path, workers: int) -> tuple[Figures, str]:
    """Seconds by the clock and CPU seconds of both parts, and the digest of the answer."""
    place = scratch / f"on-{workers}"
    told = threading.Event()
    with DaskCluster(place, workers) as dask:
        with distributed.Client(dask.address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=120)
            client.run(importlib.import_module, "tap.archive.tasks")
        with closing(begin(place / "archive", [str(folder)], How(), SystemClock())) as table:
            cutting = Cutting(from_ms=0, every_ms=PIECE_MS)
            asked = cluster.Cluster(dask.address, place / "archive", How(), cutting)
            program, began = answering(How()), time.monotonic()
            tally = cluster.work_through(asked, table, program, look=lambda _: None, told=told)
            took = time.monotonic() - began
            (job,) = table.jobs()
    shutil.rmtree(place)
    figures = {"clock_s": took, "decode_s": tally.decode_s, "look_s": tally.look_s}
    return figures, job.digest or f"failed: {job.error}"


def with_jobs(folder: Path, scratch: Path, jobs: int) -> float:
    """Seconds by the clock."""
    out = scratch / f"jobs-{jobs}"
    with closing(begin(out, [str(folder)], How(), SystemClock())) as table:
        began = time.monotonic()
        crew, told = pool.Crew(out, How()), threading.Event()
        pool.work_through(crew, table, jobs, look=lambda _: None, told=told)
        took = time.monotonic() - began
        if Outcome(tuple(table.jobs())).exit_code:
            raise SystemExit("a shoot failed")
    shutil.rmtree(out)
    return took


def one_round(hd: Path, workers: list[int], scratch: Path) -> Iterator[tuple[str, Figures]]:
    """Everything once."""
    yield "1080p, parts", parts(hd, scratch)
    yield "320x180, parts", parts(DEMO, scratch)
    began = time.monotonic()
    replay(hd, scratch / "whole")
    alone = time.monotonic() - began
    yield "1080p, one piece", {"clock_s": alone}
    said = digest(scratch / "whole" / WITNESS_FILE)
    for count in workers:
        figures, found = on_workers(hd, scratch, count)
        if found != said:
            raise SystemExit(f"{count} workers said something else: {found}, not {said}")
        yield f"1080p, {count} workers", {**figures, "faster": alone / figures["clock_s"]}
    for name in "abcd":
        shutil.copytree(DEMO, scratch / "small" / name)
    one, two = (with_jobs(scratch / "small", scratch, jobs) for jobs in (1, 2))
    yield "four small shoots", {"one_job_s": one, "two_jobs_s": two, "faster": one / two}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="benchmarks.archive", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    workers = [int(count) for count in asked.workers.split(",")]
    hd = full_hd()
    rounds: list[dict[str, Figures]] = []
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory() as scratch:
            rounds.append({})
            for name, figures in one_round(hd, workers, Path(scratch)):
                rounds[-1][name] = figures
                print(len(rounds), name, _words(figures), file=sys.stderr, flush=True)
    medians = {
        name: {key: statistics.median(one[name][key] for one in rounds) for key in figures}
        for name, figures in rounds[0].items()
    }
    for name, figures in medians.items():
        print(f"{name}: {_words(figures)}")
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps({"medians": medians, "rounds": rounds}, indent=1))


def _words(figures: Figures) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in figures.items())


if __name__ == "__main__":
    main()
