"""How fast tap answers beside a live shoot: real sockets, MJPEG feeds, the director's WebSocket.

    python -m benchmarks.live [SHOOT]

Serves the shoot (default: four real cameras as MJPEG) from a process of its own, witnesses it live
and recorded, and prints: cuts against the truth, the age of a program frame when its provisional
answer and its verdict are given, and whether a replay of the recording gives the same verdicts.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.documents import load
from benchmarks.score import score
from benchmarks.shoots import as_mjpeg
from tap.clock import SystemClock
from tap.config import load_config
from tap.vocabulary import PROGRAM, Frame, Verdict, VerdictCode
from tap.witness.core import Core
from tap.witness.live import Watch
from tap.witness.replay import replay

WINDOWED = frozenset({VerdictCode.MISSED, VerdictCode.UNANNOUNCED, VerdictCode.WRONG_CAMERA})
"""Verdicts that by their definition wait for the whole window of 3 s."""


@dataclass
class Probe:
    """Ages in ms, taken from outside: the core itself knows no clock."""

    clock: SystemClock
    provisional: list[float] = field(default_factory=list[float])
    prompt: list[float] = field(default_factory=list[float])
    windowed: list[float] = field(default_factory=list[float])

    def attach(self, core: Core) -> None:
        """Listen in on what goes through `core`."""
        take, say = core.frame, core._say  # noqa: SLF001  a measurement may look inside

        def frame(frame: Frame) -> None:
            take(frame)
            if frame.feed == PROGRAM and core.now is not None:
                self.provisional.append(self.clock.now_ms() - core.now.at_ms)

        def spoken(verdicts: list[Verdict]) -> None:
            for verdict in verdicts:
                if verdict.event_id is not None:
                    ages = self.windowed if verdict.code in WINDOWED else self.prompt
                    ages.append(self.clock.now_ms() - verdict.at_ms)
            say(verdicts)

        core.frame, core._say = frame, spoken  # type: ignore[method-assign]  # noqa: SLF001


def shifted(truth: dict[str, Any], shift_ms: float) -> dict[str, Any]:
    """The truth of a shoot that was played `shift_ms` after its own time."""
    moved: dict[str, Any] = json.loads(json.dumps(truth))
    for part in ("frames", "events", "verdicts"):
        for item in moved[part]:
            item["atMs"] += shift_ms
    return moved


def main(arguments: Sequence[str]) -> int:
    """The command."""
    folder = Path(arguments[0]) if arguments else as_mjpeg()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        config_file = home / "shoot.toml"
        command = [sys.executable, "-m", "tap", "rig", "serve", str(folder), "--json"]
        command += ["--start-in", "3", "--write-config", str(config_file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            said = json.loads(server.stdout.readline())
            config = load_config(config_file).model_copy(update={"home": home})
            clock = SystemClock()
            watch = Watch(config, clock=clock, record_to=home / "recorded")
            probe = Probe(clock)
            probe.attach(watch._session.core)  # noqa: SLF001
            began, cpu = time.monotonic(), time.process_time()
            witness = watch.run()
            wall, cpu = time.monotonic() - began, time.process_time() - cpu
            server.terminate()
        again = replay(home / "recorded", home / "again")
        live = json.loads(witness.model_dump_json(by_alias=True))
        figures = score(live, shifted(dict(load(folder / "truth.json")), said["shiftMs"])).figures()
    same = [v.model_dump_json() for v in witness.verdicts] == [
        v.model_dump_json() for v in again.verdicts
    ]
    print(f"wall {wall:.0f} s, CPU of the witness {100 * cpu / wall:.0f} % of a core")
    for name, ages in (
        ("provisional answer", probe.provisional),
        ("verdict (pictures decide)", probe.prompt),
        ("verdict (waits 3 s by definition)", probe.windowed),
    ):
        if ages:
            p50, p95, worst = np.percentile(ages, (50, 95, 100))
            print(f"{name}: age p50 {p50:.0f} p95 {p95:.0f} max {worst:.0f} ms, n {len(ages)}")
    for key in ("frameAccuracy", "cutF1", "confidentWrongRate", "faultPrecision", "faultRecall"):
        print(f"{key}: {figures[key]}")
    print(f"replay of the recording gives the same verdicts: {same}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
