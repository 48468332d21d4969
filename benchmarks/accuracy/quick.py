"""The quick form: a handful of short shoots, held against figures that must not be fallen below."""

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.accuracy.table import Figures

FLOORS = Path(__file__).with_name("floors.json")
"""`conditions`: which, by name; `seconds`: how long each; `figures`: by row of the table and
figure, [least, most], either of which may be null."""


def plan() -> tuple[list[str], float]:
    """Which conditions, and the seconds of each."""
    document = json.loads(FLOORS.read_text("utf-8"))
    return list(document["conditions"]), float(document["seconds"])


def failures(table: Mapping[str, Figures]) -> list[str]:
    """One sentence for each figure that is out of its bounds."""
    found: list[str] = []
    for row, figures in json.loads(FLOORS.read_text("utf-8"))["figures"].items():
        for key, (least, most) in figures.items():
            value = table[row].get(key)
            if value is None:
                found.append(f"{row}: {key} is missing")
            elif least is not None and value < least:
                found.append(f"{row}: {key} is {value:.4f}, expected at least {least}")
            elif most is not None and value > most:
                found.append(f"{row}: {key} is {value:.4f}, expected at most {most}")
    return found
