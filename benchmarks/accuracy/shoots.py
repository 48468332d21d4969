"""The shoots of the suite: rendered on first use, kept in the cache by the table's version."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from benchmarks.accuracy.conditions import CONDITIONS, VERSION, scene_for, seed_for
from tap.rig.footage import cache_folder
from tap.rig.write import write_shoot


def shoot_folder(part: str, name: str, seconds: float | None = None) -> Path:
    """The shoot of a condition in a part; made if it isn't there yet, `seconds` long.

    Raises KeyError for an unknown part or condition, FeedError where footage can't be fetched.
    """
    scene = scene_for(part, name)
    home = cache_folder() / "accuracy" / f"v{VERSION}" / part
    folder = home / f"{name}-{scene.name}{'' if seconds is None else f'-{seconds:g}s'}"
    if not (folder / "truth.json").exists():
        # Another process may be at it too: each makes its own, the first to be done wins.
        half = folder.with_name(f"{folder.name}.{os.getpid()}.part")
        shutil.rmtree(half, ignore_errors=True)
        condition = CONDITIONS[name]
        if seconds is not None:
            condition = replace(condition, seconds=seconds)
        write_shoot(condition.production(scene, seed_for(part, name)), half)
        if folder.exists():
            shutil.rmtree(half)
        else:
            half.rename(folder)
    return folder
