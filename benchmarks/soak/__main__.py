"""Watches the endless shoot of `shoot` for a while, and says what that did to tap.

    python -m benchmarks.soak --minutes 10 [--json FILE] [--keep FOLDER] [--seed N]

Two MJPEG cameras of FFmpeg, one of the rig, a fourth and the program over WebRTC, about ten faults
a minute; each fault of each feed comes once in about four minutes. Memory, descriptors, threads and
the tasks of the WebRTC loop are read every five seconds; the slope is that after ten minutes, or of
the second half of a shorter run. A cut counts as outside faults where none of the program or of the
cameras concerned, and no gap that tap tells of, was on from 4 s before it until 2 s after it. With
`--keep` the feeds are recorded, and what the shoot did is in the folder's `told.json`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import tomlkit

from benchmarks.soak.process import SETTLED_S, Sample, descriptors, sample, slope
from benchmarks.soak.score import score
from benchmarks.soak.shoot import CAMERAS, WEBRTC
from tap.clock import SystemClock
from tap.config import load_config
from tap.vocabulary import PROGRAM, Witness
from tap.witness.live import Watch

SAMPLE_S = 5.0
STEP = 12
"""Samples a minute."""


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


def watch(told: dict[str, Any], minutes: float, keep: Path | None, home: Path) -> dict[str, Any]:
    """Watch for so long; what tap held and said."""
    samples: list[Sample] = []
    os.environ["TAP_HOME"] = str(home)
    write_config(home / "shoot.toml", told)
    threads_before, open_before = threading.active_count(), descriptors()
    session = Watch(load_config(home / "shoot.toml"), clock=SystemClock(), record_to=keep)
    stop = threading.Event()
    witnesses: list[Witness] = []
    running = threading.Thread(target=lambda: witnesses.append(session.run(stop=stop)))
    running.start()
    began = time.monotonic()
    while time.monotonic() - began < minutes * 60 and running.is_alive():
        time.sleep(SAMPLE_S)
        samples.append(sample(began))
    stopped = not running.is_alive()
    ended_ms = time.time() * 1000
    feeds = {name: feed.health() for name, feed in session._feeds.items()}  # noqa: SLF001
    stop.set()
    running.join(60)
    status = httpx.get(f"http://{told['base']}/status", trust_env=False).json()
    if keep is not None:
        (keep / "told.json").write_text(json.dumps(status), encoding="utf-8")
        (keep / "witness.json").write_text(
            witnesses[0].model_dump_json(by_alias=True), encoding="utf-8"
        )
    return {
        "minutes": round(samples[-1].at_s / 60, 1),
        "stopped_early": stopped,
        "faults": dict(sorted(Counter(f"{f[2]} {f[3]}" for f in status["faults"]).items())),
        "connects": {name: feed.connects for name, feed in feeds.items()},
        "decoded": {name: feed.decoded for name, feed in feeds.items()},
        "dropped": {name: feed.dropped for name, feed in feeds.items()},
        "first": asdict(samples[min(len(samples) // 2, round(SETTLED_S / SAMPLE_S))]),
        "last": asdict(samples[-1]),
        "most": {
            key: max(getattr(s, key) for s in samples)
            for key in ("rss_mb", "descriptors", "threads", "tasks")
        },
        "rss_mb_by_minute": [round(s.rss_mb, 1) for s in samples[::STEP]],
        "used_mb_by_minute": [round(s.used_mb or 0.0, 1) for s in samples[::STEP]],
        "rss_mb_an_hour": round(slope(samples, lambda s: s.rss_mb), 1),
        "used_mb_an_hour": round(slope(samples, lambda s: s.used_mb or 0.0), 1),
        "threads_left": threading.active_count() - threads_before,
        "descriptors_left": descriptors() - open_before,
        **score(witnesses[0], status, ended_ms),
    }


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="record the feeds into this new folder")
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.soak.shoot", str(asked.seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as serving,
    ):
        assert serving.stdout is not None
        assert serving.stdin is not None
        told = json.loads(serving.stdout.readline())
        try:
            result = watch(told, asked.minutes, asked.keep, Path(name))
        finally:
            serving.stdin.close()
            serving.wait(20)
    text = json.dumps(result, indent=2, default=str)
    print(text)
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(text + "\n", encoding="utf-8")
    return 0 if not result["stopped_early"] else 1


if __name__ == "__main__":
    sys.exit(main())
