"""The command: renders what is missing, replays, scores, prints the table."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy import __doc__ as about
from benchmarks.accuracy import quick, reliability
from benchmarks.accuracy.conditions import CONDITIONS, TABLE, VERSION
from benchmarks.accuracy.running import Job, Outcome, note, run_all
from benchmarks.accuracy.scenes import PARTS
from benchmarks.accuracy.table import Figures, rows, text
from benchmarks.score import merge


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    options = _options(arguments)
    names = [name for word in options.only for name in word.split(",")] or list(TABLE)
    seconds = None
    if options.quick:
        names, seconds = quick.plan()
    unknown = [name for name in names if name not in CONDITIONS]
    if unknown:
        print(f"no such condition: {', '.join(unknown)}; there are {', '.join(CONDITIONS)}")
        return 2
    jobs = [
        Job(
            options.part,
            name,
            options.keep,
            options.hindsight,
            options.baselines,
            seconds,
            options.full,
        )
        for name in names
    ]
    began = time.monotonic()
    outcomes: dict[str, Outcome] = {}
    for outcome in run_all(jobs, options.jobs):
        outcomes[outcome.name] = outcome
        note(outcome, len(outcomes), len(jobs))
    tables = _tables([outcomes[name] for name in names])
    pooled = merge(outcome.scores for outcome in outcomes.values())
    for title, table in tables.items():
        print(f"\n{title}\n\n{text(table)}")
    print(f"\nreliability\n\n{reliability.text(pooled)}")
    print(f"\n{options.part}: {len(names)} shoots in {time.monotonic() - began:.0f} s")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        document = {"part": options.part, "version": VERSION, **tables}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        reliability.write_svg(pooled, options.out / "reliability.svg")
    bad = quick.failures(tables["tap"]) if options.quick else []
    for sentence in bad:
        print(f"REGRESSION: {sentence}")
    return 1 if bad else 0


def _tables(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Figures]]:
    """The tables by title: tap's answer at the time, in hindsight, and each baseline's."""
    tables = {"tap": rows({one.name: one.scores for one in outcomes})}
    later = {one.name: one.hindsight for one in outcomes if one.hindsight is not None}
    if later:
        tables["hindsight"] = rows(later)
    for title in dict.fromkeys(title for one in outcomes for title in one.baselines):
        tables[title] = rows(
            {one.name: one.baselines[title] for one in outcomes if title in one.baselines}
        )
    return tables


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=about)
    parser.add_argument("--part", choices=tuple(PARTS), default="scored")
    parser.add_argument("--only", nargs="+", default=[], help="conditions, by name")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--out", type=Path, help="leave the reliability diagram in this folder")
    parser.add_argument("--quick", action="store_true", help="a few short shoots against floors")
    parser.add_argument("--keep", type=Path, help="leave each witness.json in this folder")
    parser.add_argument("--hindsight", action="store_true", help="score hindsight as well")
    parser.add_argument("--full", action="store_true", help="look at every picture")
    parser.add_argument("--baselines", action="store_true", help="run the baselines as well")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
