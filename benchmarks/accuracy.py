"""How right tap is, shoot by shoot.

    python -m benchmarks.accuracy [RECIPE ...] [--json]

Makes each shoot on first use, replays it, scores it against its truth.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.documents import load
from benchmarks.score import Scores, merge, score
from benchmarks.shoots import LOOKS, shoot
from tap.witness.replay import replay

COLUMNS = (
    "frameAccuracy",
    "confidentWrongRate",
    "cutF1",
    "softF1",
    "brier",
    "calibrationError",
    "verdictPrecision",
    "verdictRecall",
    "faultPrecision",
    "faultRecall",
    "delayErrorMedianMs",
)


def scored(name: str) -> Scores:
    """Replay one recipe's shoot and score it."""
    folder = shoot(name)
    with tempfile.TemporaryDirectory() as out:
        replay(folder, Path(out))
        return score(load(Path(out) / "witness.json"), load(folder / "truth.json"))


def main(arguments: Sequence[str]) -> int:
    """The command."""
    names = [word for word in arguments if word != "--json"] or list(LOOKS)
    scores = {name: scored(name) for name in names}
    figures = {name: one.figures() for name, one in scores.items()}
    figures["all"] = merge(scores.values()).figures()
    if "--json" in arguments:
        print(json.dumps(figures, indent=2))
        return 0
    print("| shoot | " + " | ".join(COLUMNS) + " |")
    print("|---|" + "---|" * len(COLUMNS))
    for name, row in figures.items():
        cells = ["—" if row[c] is None else f"{row[c]:.4g}" for c in COLUMNS]
        print(f"| {name} | " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
