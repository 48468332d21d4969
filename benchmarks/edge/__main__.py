"""Far cameras over edge processes and a NATS server, watched live; prints what came of it.

    python -m benchmarks.edge --cameras 40 --processes 4 --minutes 5 [--json FILE] [--profile FILE]

Every process has a clock of its own that is off by seconds. One process is killed for `DOWN_S`
seconds in the middle of the run, one loses 2 % of its messages. The director says every cut, so
each verdict but AGREE is false; what could not be seen (UNSEEN, AMBIGUOUS) is counted apart.
"""

import argparse
import cProfile
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import tomlkit
from tests.nats_server import NatsServer

from benchmarks.edge.recording import recording
from benchmarks.live import WINDOWED, Probe
from tap.clock import SystemClock
from tap.config import load_config
from tap.vocabulary import Verdict, VerdictCode
from tap.witness.live import Watch

START_IN_S = 4.0
DOWN_S = 6.0
LOSS = 0.02
SETTLED_S = 10.0
"""Until then no camera is known: what is said of it is listed apart."""
OPEN = frozenset({VerdictCode.UNSEEN, VerdictCode.AMBIGUOUS})
RIGHT = frozenset({VerdictCode.AGREE, VerdictCode.NOTED})
HEADS = 52
"""Bytes of TCP and IP that each message costs at most: in truth many share a segment."""


class Process:
    """An edge process, and the last that it said."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self.last: list[dict[str, Any]] = []
        self.first: list[dict[str, Any]] = []
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        command = [sys.executable, "-m", "benchmarks.edge.process", *self._words]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._hear, args=(self._process,), daemon=True).start()

    def _hear(self, process: subprocess.Popen[str]) -> None:
        first = True
        for line in process.stdout or ():
            said = json.loads(line)
            if first:
                self.first.append(said)
                self.last.append(said)
                first = False
            self.last[-1] = said

    def kill(self) -> None:
        """At once."""
        self._process.kill()
        self._process.wait()

    @property
    def runs(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """The first and the last word of each run."""
        return list(zip(self.first, self.last, strict=True))


def write_config(path: Path, cameras: int, nats: str, told: dict[str, Any]) -> None:
    """A `shoot.toml` with all cameras far."""
    content = {
        "session": {"external_id": "edge"},
        "cameras": [
            {"id": f"cam-{n:02d}", "kind": "edge", "url": f"{nats}/cam-{n:02d}"}
            for n in range(cameras)
        ],
        "program": {"url": told["program"]},
        "director": {"url": f"ws://{told['base']}/director"},
    }
    path.write_text(tomlkit.dumps(content), encoding="utf-8")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cameras", type=int, default=40)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--calm", action="store_true", help="kill nothing, lose nothing")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--profile", type=Path)
    asked = parser.parse_args()
    file = recording(asked.cameras)
    seconds = asked.minutes * 60
    # Whatever hangs: this process ends, and its children with their stdin.
    alarm = threading.Timer(seconds + 120, lambda: os._exit(4))
    alarm.daemon = True
    alarm.start()
    with ExitStack() as stack:
        result = _run(asked, file, seconds, stack)
    text = json.dumps(result, indent=2)
    print(text)
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(text + "\n", encoding="utf-8")
    return 0 if not result["false"] else 1


def _run(asked: argparse.Namespace, file: Path, seconds: float, stack: ExitStack) -> dict[str, Any]:
    home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    os.environ["TAP_HOME"] = str(home)
    server = stack.enter_context(NatsServer())
    start_ms = round(time.time() * 1000 + START_IN_S * 1000)
    shared = ["--recording", str(file), "--start-ms", str(start_ms)]
    program = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.edge.program", *shared],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    stack.callback(program.wait)
    stack.callback(program.kill)
    assert program.stdout is not None
    told = json.loads(program.stdout.readline())
    each = -(-asked.cameras // asked.processes)
    edges: list[Process] = []
    for number in range(asked.processes):
        first = number * each
        count = min(each, asked.cameras - first)
        words = [*shared, "--to", server.url, "--first", str(first), "--count", str(count)]
        words += ["--off-ms", str(1000 * (number + 1) * (-1) ** number + 137)]
        if number == 2 % asked.processes and not asked.calm:
            words += ["--loss", str(LOSS)]
        edges.append(Process(words))
        stack.callback(edges[-1].kill)
    toml = home / "shoot.toml"
    write_config(toml, asked.cameras, server.url, told)
    clock = SystemClock()
    watch = Watch(load_config(toml), clock=clock)
    probe = Probe(clock)
    probe.attach(watch._session.core)  # noqa: SLF001
    stop = threading.Event()
    down: list[float] = []

    def trouble() -> None:
        victim = edges[1 % len(edges)]
        if not asked.calm and not stop.wait(seconds * 0.45):
            down.append(time.time() * 1000)
            victim.kill()
            stop.wait(DOWN_S)
            down.append(time.time() * 1000)
            victim.start()

    threading.Thread(target=trouble, daemon=True).start()
    timer = threading.Timer(seconds + START_IN_S, stop.set)
    timer.daemon = True
    timer.start()
    health: dict[str, Any] = {}

    def look() -> None:
        health.update({n: f.health() for n, f in watch._feeds.items()})  # noqa: SLF001

    looking = threading.Timer(seconds + START_IN_S - 1.0, look)
    looking.daemon = True
    looking.start()
    profiler = cProfile.Profile()
    load_before = os.getloadavg()
    began, cpu = time.monotonic(), time.process_time()
    if asked.profile:
        profiler.enable()
    witness = watch.run(stop=stop)
    if asked.profile:
        profiler.disable()
        profiler.dump_stats(asked.profile)
    wall, cpu = time.monotonic() - began, time.process_time() - cpu
    return {
        "cameras": asked.cameras,
        "processes": asked.processes,
        "seconds": round(wall),
        "load": [load_before, os.getloadavg()],
        "witnessCpu": round(cpu / wall, 2),
        **_verdicts(list(witness.verdicts), start_ms),
        **_ages(probe),
        "downMs": [round(at - start_ms) for at in down],
        "unseenS": round(sum(b - a for a, b, _ in witness.coverage.unseen) / 1000, 1),
        "unseen": [
            (round(a - start_ms), round(b - a), why) for a, b, why in witness.coverage.unseen
        ][:20],
        **_sent(edges, each),
        "late": dict(watch._sequencer.late),  # noqa: SLF001
        "overrun": dict(watch._sequencer.overrun),  # noqa: SLF001
        "feeds": {n: h.detail for n, h in list(health.items())[:: max(1, each // 2)]},
    }


def _verdicts(verdicts: list[Verdict], start_ms: float) -> dict[str, Any]:
    settled = [v for v in verdicts if v.at_ms > start_ms + SETTLED_S * 1000]
    false = [v for v in settled if v.code not in RIGHT | OPEN]
    return {
        "verdicts": dict(Counter(v.code.value for v in settled)),
        "atStart": dict(Counter(v.code.value for v in verdicts if v not in settled)),
        "false": [f"{(v.at_ms - start_ms) / 1000:.1f} s {v.code.value}: {v.text}" for v in false],
        "open": [
            f"{(v.at_ms - start_ms) / 1000:.1f} s {v.code.value}: {v.text}"
            for v in settled
            if v.code in OPEN
        ],
    }


def _ages(probe: Probe) -> dict[str, Any]:
    found: dict[str, Any] = {"windowed": WINDOWED and len(probe.windowed)}
    for name, ages in (("verdictMs", probe.prompt), ("provisionalMs", probe.provisional)):
        if ages:
            p50, p95, worst = np.percentile(ages, (50, 95, 100))
            found[name] = {
                "p50": round(p50), "p95": round(p95), "max": round(worst), "n": len(ages),
            }  # fmt: skip
    return found


def _sent(edges: list[Process], each: int) -> dict[str, Any]:
    rates: list[float] = []
    cpu: list[float] = []
    for edge in edges:
        for first, last in edge.runs:
            spent_s = last["atS"] - first["atS"]
            if spent_s > 5:
                size = last["bytes"] - first["bytes"]
                size += HEADS * (last["messages"] - first["messages"])
                rates.append(size * 8 / 1000 / spent_s / each)
                cpu.append((last["cpuS"] - first["cpuS"]) / spent_s)
    ends = [edge.last[-1] for edge in edges if edge.last]
    return {
        "kbpsPerCamera": [round(rate, 1) for rate in rates],
        "edgeCpu": [round(share, 2) for share in cpu],
        "pictures": [said["pictures"] for said in ends],
        "leftOut": [said["leftOut"] for said in ends],
        "lost": [said["lost"] for said in ends],
    }


if __name__ == "__main__":
    sys.exit(main())
