"""Watches the endless shoot of `shoot` for a while, and says what that did to tap.

    python -m benchmarks.soak --minutes 5 [--json FILE]

Three MJPEG cameras, a fourth and the program over WebRTC, about one fault in six seconds. Memory,
descriptors, threads and the tasks of the WebRTC loop are read every five seconds; the slope is that
after ten minutes, or of the second half of a shorter run. A cut counts as outside faults where no
fault of the program or of the cameras concerned was on from 4 s before it until 2 s after it.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import tomlkit

from benchmarks.soak.shoot import CAMERAS, WEBRTC
from tap.clock import SystemClock
from tap.config import load_config
from tap.feeds.webrtc_loop import SHARED
from tap.vocabulary import PROGRAM, Verdict, VerdictCode, Witness
from tap.witness.live import Watch

SAMPLE_S = 5.0
SETTLED_S = 600.0
BEFORE_MS, AFTER_MS = 4000.0, 2000.0
_BLIND = {VerdictCode.AGREE, VerdictCode.UNSEEN}


@dataclass(frozen=True)
class Sample:
    """The process at one moment."""

    at_s: float
    rss_mb: float
    descriptors: int
    threads: int
    tasks: int


def sample(began: float) -> Sample:
    """Read this process's own state."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    loop = SHARED.borrow()

    async def count() -> int:
        return len(asyncio.all_tasks())

    try:
        tasks = asyncio.run_coroutine_threadsafe(count(), loop).result(10)
    finally:
        SHARED.give_back()
    return Sample(
        time.monotonic() - began,
        pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        sum(1 for _ in Path("/proc/self/fd").iterdir()),
        threading.active_count(),
        tasks,
    )


def write_config(path: Path, told: dict[str, Any]) -> None:
    """A `shoot.toml` for the served shoot."""

    def source(feed: str) -> dict[str, str]:
        kind = "webrtc" if feed in WEBRTC else "mjpeg"
        return {"kind": kind, "url": told["feeds"][feed]}

    content = {
        "session": {"external_id": "soak"},
        "cameras": [{"id": feed, **source(feed)} for feed in CAMERAS],
        "program": source(PROGRAM),
        "director": {"url": f"ws://{told['base']}/director"},
    }
    path.write_text(tomlkit.dumps(content), encoding="utf-8")


def score(witness: Witness, told: dict[str, Any], ended_ms: float) -> dict[str, Any]:
    """How the cuts were judged: outside faults, and near them."""
    verdicts = {v.claim_id: v for v in witness.verdicts if v.claim_id}
    outside: Counter[str] = Counter()
    near: Counter[str] = Counter()
    odd: list[str] = []
    live = CAMERAS[0]
    for at_ms, camera, name in told["cuts"]:
        if at_ms > ended_ms - 5000:
            break
        code = verdicts[name].code.value if name in verdicts else "never heard"
        concerned = {PROGRAM, live, camera}
        hurt = [
            kind
            for start, end, feed, kind in told["faults"]
            if feed in concerned and start - AFTER_MS < at_ms < end + BEFORE_MS
        ]
        (near if hurt else outside)[code] += 1
        if code not in _BLIND:
            odd.append(f"{name} {live} to {camera}: {code} ({', '.join(hurt) or 'no fault near'})")
        live = camera
    alone = [v for v in witness.verdicts if v.claim_id is None]
    return {
        "outside": dict(outside),
        "near": dict(near),
        "odd": odd,
        "unannounced": [_told(v, told) for v in alone],
    }


def _told(verdict: Verdict, told: dict[str, Any]) -> str:
    near = [
        f"{kind} {feed}"
        for start, end, feed, kind in told["faults"]
        if start - AFTER_MS < verdict.at_ms < end + BEFORE_MS
    ]
    return f"{verdict.code.value} ({', '.join(near) or 'no fault near'}): {verdict.text}"


def slope(samples: list[Sample]) -> float:
    """MB an hour, by least squares, once settled."""
    settled = [s for s in samples if s.at_s > min(SETTLED_S, samples[-1].at_s / 2)]
    hours = np.array([s.at_s for s in settled]) / 3600
    return float(np.polyfit(hours, [s.rss_mb for s in settled], 1)[0])


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    samples: list[Sample] = []
    with (
        tempfile.TemporaryDirectory() as name,
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.soak.shoot"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as serving,
    ):
        assert serving.stdout is not None
        told = json.loads(serving.stdout.readline())
        os.environ["TAP_HOME"] = name
        write_config(Path(name) / "shoot.toml", told)
        threads_before = threading.active_count()
        watch = Watch(load_config(Path(name) / "shoot.toml"), clock=SystemClock())
        stop = threading.Event()
        witnesses: list[Witness] = []
        running = threading.Thread(target=lambda: witnesses.append(watch.run(stop=stop)))
        running.start()
        began = time.monotonic()
        while time.monotonic() - began < asked.minutes * 60 and running.is_alive():
            time.sleep(SAMPLE_S)
            samples.append(sample(began))
        stopped = not running.is_alive()
        ended_ms = time.time() * 1000
        feeds = {name: asdict(feed.health()) for name, feed in watch._feeds.items()}  # noqa: SLF001
        stop.set()
        running.join(60)
        status = httpx.get(f"http://{told['base']}/status", trust_env=False).json()
        serving.stdin.close() if serving.stdin else None
        serving.terminate()
    found = score(witnesses[0], status, ended_ms)
    result = {
        "minutes": round(samples[-1].at_s / 60, 1),
        "stopped_early": stopped,
        "faults": Counter(kind for _, _, _, kind in status["faults"]),
        "connects": {name: feed["connects"] for name, feed in feeds.items()},
        "decoded": {name: feed["decoded"] for name, feed in feeds.items()},
        "dropped": {name: feed["dropped"] for name, feed in feeds.items()},
        "first": asdict(samples[min(len(samples) - 1, round(SETTLED_S / SAMPLE_S))]),
        "last": asdict(samples[-1]),
        "most": {
            key: max(getattr(s, key) for s in samples)
            for key in ("rss_mb", "descriptors", "threads", "tasks")
        },
        "rss_mb_by_minute": [round(s.rss_mb, 1) for s in samples[:: round(60 / SAMPLE_S)]],
        "rss_mb_an_hour": round(slope(samples), 1),
        "threads_left": threading.active_count() - threads_before,
        **found,
    }
    text = json.dumps(result, indent=2, default=str)
    print(text)
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(text + "\n", encoding="utf-8")
    return 0 if not stopped else 1


if __name__ == "__main__":
    sys.exit(main())
