"""The shoots that benchmarks run on: made once, kept in the cache."""

import os
import sys
from pathlib import Path

import platformdirs

from tap.rig import recipes
from tap.rig.encode import Codec

LOOKS = ("pose2sim", "soft", "lookalike", "overlay", "letterbox", "faults")
"""Recipes on real footage, for accuracy."""


def shoot(name: str, label: str | None = None, options: recipes.Options | None = None) -> Path:
    """The folder of a recipe's shoot, made on first use; `label` tells variants apart."""
    cache = Path(os.environ.get("TAP_CACHE") or platformdirs.user_cache_dir("tap"))
    folder = cache / "shoots" / (label or name)
    if not (folder / "truth.json").exists():
        print(f"making {folder.name} (once) …", file=sys.stderr, flush=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        recipes.build(name, folder, options)
    return folder


def full_hd() -> Path:
    """Four real cameras and a program at 1080p, H.264, 30 s."""
    options = recipes.Options(seconds=30, longer=1920, size=(1920, 1080))
    return shoot("pose2sim", "pose2sim-1080p", options)


def full_hd_mjpeg() -> Path:
    """The same in MJPEG."""
    options = recipes.Options(seconds=30, longer=1920, size=(1920, 1080), codec=Codec.MJPEG)
    return shoot("pose2sim", "pose2sim-1080p-mjpeg", options)


def as_mjpeg() -> Path:
    """The pose2sim shoot as MJPEG, so that serving it costs next to nothing."""
    return shoot("pose2sim", "pose2sim-mjpeg", recipes.Options(codec=Codec.MJPEG))
