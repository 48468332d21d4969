"""What a replay costs, beside the bare decoding of the same files.

    python -m benchmarks.speed [--runs 5] [--seconds 120] [--mjpeg]

CPU time (user + system, of the whole process, start-up included) of `tap replay SHOOT`, and of
`ffmpeg -i F -f null -` for each of its files, in turn. Quote the ratio: both ran on the same
machine within the same minutes.

With `--mjpeg` the same shoot recorded as MJPEG, the program as well; and instead of all files
decoded, PySceneDetect's content detector over the program's file alone (`make bench-deps`). What a
replay costs once (its start, its page, the ten seconds in which delays are learnt) is spread over
`--seconds`.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg

from benchmarks.shoots import full_hd, full_hd_mjpeg


def cpu_s(commands: Sequence[Sequence[str]]) -> float:
    """CPU seconds that the commands took together."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for command in commands:
        subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def decoding(folder: Path) -> list[list[str]]:
    """Commands that decode each file of a shoot, and do nothing else."""
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    return [
        [ffmpeg, "-v", "error", "-i", str(media), "-f", "null", "-"]
        for media in sorted((folder / "media").iterdir())
    ]


def scenes_of(folder: Path) -> list[list[str]]:
    """The command that finds the cuts of the program alone, with PySceneDetect's defaults."""
    [program] = (folder / "media").glob("program.*")
    detect = "import sys, scenedetect as s; s.detect(sys.argv[1], s.ContentDetector())"
    return [[sys.executable, "-c", detect, str(program)]]


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=120.0, help="of the 1080p shoot")
    parser.add_argument("--shoot", type=Path, default=None, help="another shoot than the 1080p one")
    parser.add_argument("--mjpeg", action="store_true", help="MJPEG, beside PySceneDetect")
    options = parser.parse_args(arguments)
    folder = options.shoot or (full_hd_mjpeg if options.mjpeg else full_hd)(options.seconds)
    title = "PySceneDetect" if options.mjpeg else "ffmpeg"
    bare = scenes_of(folder) if options.mjpeg else decoding(folder)
    ratios: list[float] = []
    for number in range(options.runs):
        with tempfile.TemporaryDirectory() as out:
            base = cpu_s(bare)
            tap = cpu_s([[sys.executable, "-m", "tap", "replay", str(folder), "--out", out]])
        ratios.append(tap / base)
        print(f"run {number + 1}: {title} {base:.2f} s, tap {tap:.2f} s, ratio {tap / base:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
