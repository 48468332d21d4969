"""The shoots that benchmarks run on: made once, kept in the cache."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import platformdirs

from tap.feeds.shoot import load_shoot, recordings
from tap.rig import recipes
from tap.rig.encode import Codec

LOOKS = ("pose2sim", "soft", "lookalike", "overlay", "letterbox", "faults")
"""Recipes on real footage, for accuracy."""


def shoot(name: str, label: str | None = None, options: recipes.Options | None = None) -> Path:
    """The folder of a recipe's shoot, made on first use; `label` tells variants apart."""
    folder = _cached(label or name)
    if not (folder / "truth.json").exists():
        print(f"making {folder.name} (once) …", file=sys.stderr, flush=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        recipes.build(name, folder, options)
    return folder


def full_hd(seconds: float) -> Path:
    """Four real cameras and a program at 1080p, H.264."""
    options = recipes.Options(seconds=seconds, longer=1920, size=(1920, 1080))
    return shoot("pose2sim", f"pose2sim-1080p-{seconds:g}s", options)


def full_hd_mjpeg(seconds: float) -> Path:
    """The same recorded as MJPEG, the program as well: pictures of some 200 kB."""
    source = full_hd(seconds)
    return recoded(source, f"{source.name}-mjpeg", ["-c:v", "mjpeg", "-q:v", "3"])


def recoded(source: Path, name: str, asked: Sequence[str]) -> Path:
    """The shoot in `source`, its media coded anew by FFmpeg as `asked`, its times kept."""
    folder = _cached(name)
    if (folder / "shoot.json").exists():
        return folder
    print(f"making {name} (once) …", file=sys.stderr, flush=True)
    (folder / "media").mkdir(parents=True, exist_ok=True)
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    times = ["-fps_mode", "passthrough", "-enc_time_base", "1/1000"]
    for _, part in recordings(load_shoot(source)):
        target = str(folder / "media" / part.media.name)
        taken = [ffmpeg, "-v", "error", "-y", "-i", str(part.media), "-an"]
        subprocess.run([*taken, *times, *asked, target], check=True)
    for file in ("director.jsonl", "shoot.json"):
        shutil.copy(source / file, folder / file)
    return folder


def as_mjpeg() -> Path:
    """The pose2sim shoot as MJPEG, so that serving it costs next to nothing."""
    return shoot("pose2sim", "pose2sim-mjpeg", recipes.Options(codec=Codec.MJPEG))


def _cached(name: str) -> Path:
    cache = Path(os.environ.get("TAP_CACHE") or platformdirs.user_cache_dir("tap"))
    return cache / "shoots" / name
