"""What other ways to find the live camera come to, as a small table.

    python -m benchmarks.accuracy.baselines SHOOT [SHOOT ...] [--json]

Each shoot needs its truth.json.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy import baselines
from benchmarks.accuracy.baselines.pictures import pictures
from benchmarks.score import merge

COLUMNS = (
    "frameAccuracy",
    "confidentWrongFrames",
    "cutF1",
    "cutPrecision",
    "cutRecall",
    "falseCutsPerHour",
)


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    folders = [Path(word) for word in arguments if word != "--json"]
    if not folders:
        print(__doc__, file=sys.stderr)
        return 2
    outcomes: list[dict[str, baselines.Outcome]] = []
    decode_s = 0.0
    for folder in folders:
        decoding = time.process_time()
        with baselines.one_thread():
            pictures(folder)
        decode_s += time.process_time() - decoding
        outcomes.append(baselines.measured(folder))
    figures = {
        name: {
            **merge(one[name].scores for one in outcomes).figures(),
            "cpuSeconds": sum(one[name].cpu_s for one in outcomes),
        }
        for name in baselines.BASELINES
        if name in outcomes[0]
    }
    if "--json" in arguments:
        print(json.dumps({"decodeCpuSeconds": decode_s, "baselines": figures}, indent=2))
        return 0
    columns = (*COLUMNS, "cpuSeconds")
    print("| baseline | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for name, row in figures.items():
        cells = ["—" if row[c] is None else f"{row[c]:.4g}" for c in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print(f"\ndecoding, shared: {decode_s:.1f} s of CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
