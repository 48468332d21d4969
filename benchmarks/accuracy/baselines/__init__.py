"""What else there is, on the same shoots: none of them is shown the truth.

    python -m benchmarks.accuracy.baselines SHOOT [SHOOT ...] [--json]

`all_baselines` scores all that can run here; PySceneDetect and TransNetV2 need `make bench-deps`.
"""

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.accuracy.baselines import hashes, scenes, script, transnet
from benchmarks.accuracy.baselines.pictures import pictures
from benchmarks.accuracy.baselines.scoring import scores_of
from benchmarks.documents import load
from benchmarks.score import Scores


@dataclass(frozen=True, slots=True)
class Baseline:
    """A way to find out what was on program: a shoot's folder in, a `tap-witness/1` out."""

    run: Callable[[Path], dict[str, Any]]
    needs: str | None = None
    names_cameras: bool = True


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "script": Baseline(script.run),
        "dhash": Baseline(hashes.dhash),
        "phash": Baseline(hashes.phash),
        "content": Baseline(scenes.content, "scenedetect", names_cameras=False),
        "content-fast": Baseline(scenes.content_fast, "scenedetect", names_cameras=False),
        "adaptive": Baseline(scenes.adaptive, "scenedetect", names_cameras=False),
        "adaptive-fast": Baseline(scenes.adaptive_fast, "scenedetect", names_cameras=False),
        "transnet": Baseline(transnet.run, transnet.PACKAGE, names_cameras=False),
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How right a baseline was on a shoot, and its CPU time without the decoding they share."""

    scores: Scores
    cpu_s: float


def available() -> tuple[str, ...]:
    """The baselines that can run here; of the others it says why not."""
    lacking = sorted({one.needs for one in BASELINES.values() if one.needs and _lacks(one.needs)})
    if lacking:
        words = ", ".join(lacking)
        print(f"baselines left out, not installed: {words} (make bench-deps)", file=sys.stderr)
    return tuple(name for name, one in BASELINES.items() if one.needs not in lacking)


def all_baselines(folder: Path) -> dict[str, Scores]:
    """The scores of every baseline that can run here, by name, on a shoot with a truth."""
    return {name: outcome.scores for name, outcome in measured(folder).items()}


def measured(folder: Path) -> dict[str, Outcome]:
    """As `all_baselines`, with what each cost."""
    truth = load(folder / "truth.json")
    outcomes: dict[str, Outcome] = {}
    with one_thread():
        pictures(folder)
        for name in available():
            begun = time.process_time()
            document = BASELINES[name].run(folder)
            cost = time.process_time() - begun
            outcomes[name] = Outcome(scores_of(document, truth), cost)
    return outcomes


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep numpy's matrix products on one core: on two, products this small cost sevenfold."""
    if _lacks("threadpoolctl"):
        yield
        return
    import threadpoolctl  # noqa: PLC0415 - a benchmark-only dependency (make bench-deps)

    with threadpoolctl.threadpool_limits(1):
        yield


def _lacks(package: str) -> bool:
    return importlib.util.find_spec(package) is None
