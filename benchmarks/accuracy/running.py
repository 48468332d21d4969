"""Replays and scores shoots, one a process."""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2

from benchmarks.accuracy.conditions import CONDITIONS, scene_for
from benchmarks.accuracy.shoots import shoot_folder
from benchmarks.documents import load
from benchmarks.score import Scores, score
from tap.witness.models import learnt_settings
from tap.witness.replay import replay

SLOW, SLOW_EVERY = ("transnet",), 3
"""Baselines that cost more than all else together run on every third condition."""
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Job:
    """A condition to run in a part. `keep`: where to leave what tap said; `seconds`: for a shorter
    shoot than the table says; `full_look`: at every picture of every camera."""

    part: str
    name: str
    keep: Path | None = None
    hindsight: bool = False
    baselines: bool = False
    seconds: float | None = None
    full_look: bool = False


@dataclass(slots=True)
class Outcome:
    """How it went. Seconds are of the wall: making the shoot (0 where it was there), replaying."""

    name: str
    scores: Scores
    hindsight: Scores | None = None
    baselines: dict[str, Scores] = field(default_factory=dict[str, Scores])
    made_s: float = 0.0
    replay_s: float = 0.0


def run(job: Job) -> Outcome:
    """Make the shoot if need be, replay it, score what was said."""
    cv2.setNumThreads(1)
    began = time.perf_counter()
    folder = shoot_folder(job.part, job.name, job.seconds)
    made = time.perf_counter()
    truth = load(folder / "truth.json")
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        replay(folder, out, sight=learnt_settings(full_look=job.full_look), hindsight=job.hindsight)
        replayed = time.perf_counter()
        outcome = Outcome(
            job.name,
            score(load(out / "witness.json"), truth),
            made_s=made - began,
            replay_s=replayed - made,
        )
        if job.hindsight:
            later = load(out / "witness.json") | load(out / "hindsight.json")
            later["format"] = "tap-witness/1"
            outcome.hindsight = score(later, truth)
        if job.keep is not None:
            kept = job.keep / job.name
            kept.mkdir(parents=True, exist_ok=True)
            for name in ("witness.json", "hindsight.json"):
                if (out / name).exists():
                    shutil.copy(out / name, kept / name)
            (kept / "shoot.txt").write_text(f"{folder}\n", encoding="utf-8")
    if job.baselines:
        outcome.baselines = _baselines(job.name, folder, truth)
    return outcome


def _baselines(name: str, folder: Path, truth: Any) -> dict[str, Scores]:
    """The baselines' scores, by name: the slow ones on some conditions only."""
    from benchmarks.accuracy import baselines  # noqa: PLC0415  heavy, and seldom wanted
    from benchmarks.accuracy.baselines.scoring import scores_of  # noqa: PLC0415

    chosen = list(CONDITIONS).index(name) % SLOW_EVERY == 0
    with baselines.one_thread():
        return {
            title: scores_of(baselines.BASELINES[title].run(folder), truth)
            for title in baselines.available()
            if chosen or title not in SLOW
        }


def run_all(jobs: Sequence[Job], workers: int) -> Iterator[Outcome]:
    """Run them in `workers` processes; outcomes come as they are ready."""
    # Scene by scene: a process keeps the clips that it has decoded.
    jobs = sorted(jobs, key=lambda job: scene_for(job.part, job.name).name)
    for variable in ONE_THREAD:
        os.environ[variable] = "1"
    if workers == 1:
        for job in jobs:
            yield run(job)
        return
    # Fresh processes: FFmpeg's threads don't survive a fork.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(run, job): job for job in jobs}
        for done in as_completed(waiting):
            yield done.result()


def note(outcome: Outcome, number: int, count: int) -> None:
    """Say on stderr that one is done."""
    line = {
        "done": f"{number}/{count}",
        "condition": outcome.name,
        "made_s": round(outcome.made_s, 1),
        "replay_s": round(outcome.replay_s, 1),
    }
    print(json.dumps(line), file=sys.stderr, flush=True)
