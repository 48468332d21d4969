"""The recording that the far cameras send from: rendered once, kept in the cache.

Eight rendered stages with five cameras each, at 256 x 144 px and 30 pictures a second. Of every
picture of every camera the fingerprint is kept; of the one camera that is on the program the
picture itself, as a JPEG of 320 x 180 px. Both repeat after `SECONDS`.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import platformdirs

from tap.feeds.fingerprint import fingerprint_of
from tap.rig.lens import Lens
from tap.rig.stage import StageView, dance_studio

VERSION = 1
STAGES, VIEWS = 8, 5
FPS = 30
SECONDS = 40
FRAMES = FPS * SECONDS
SIZE, PROGRAM_SIZE = (256, 144), (320, 180)
SHOT_FRAMES = (75, 150)
DELAY_MS = 180.0
"""From a camera's picture to the program's: a switcher and an encoder."""
NOISE = 2.0

PLACES = (
    ((0.0, -6.5, 1.9), (0.2, 1.5, 1.1), 0.95),
    ((-4.8, -3.5, 1.5), (0.3, 1.2, 1.0), 1.15),
    ((4.6, -2.8, 2.6), (-0.3, 1.4, 0.7), 1.10),
    ((1.2, -4.6, 0.9), (0.4, 1.6, 1.25), 1.60),
    ((-2.0, -5.6, 2.4), (0.0, 1.3, 0.9), 1.35),
)


@dataclass(frozen=True, slots=True)
class Recording:
    """`prints` is (cameras, frames, 10, 18) uint8; `program` has a JPEG for each frame, `live`
    (frames,) the number of the camera that it shows."""

    prints: npt.NDArray[np.uint8]
    program: list[bytes]
    live: npt.NDArray[np.int64]


def plan(cameras: int) -> npt.NDArray[np.int64]:
    """(frames,) which camera is on the program."""
    random = np.random.default_rng(11)
    live = np.zeros(FRAMES, np.int64)
    at, now = 0, 0
    while at < FRAMES:
        until = at + int(random.integers(*SHOT_FRAMES))
        if FRAMES - until < SHOT_FRAMES[0]:
            until = FRAMES
        live[at:until] = now
        at, now = until, int((now + random.integers(1, cameras)) % cameras)
    return live


def load(file: Path) -> Recording:
    """What `recording` left."""
    with np.load(file) as held:
        ends = np.cumsum(held["lengths"])
        whole = held["program"].tobytes()
        starts = [0, *ends.tolist()[:-1]]
        program = [whole[a:b] for a, b in zip(starts, ends.tolist(), strict=True)]
        return Recording(held["prints"], program, held["live"])


def recording(cameras: int = STAGES * VIEWS) -> Path:
    """The file of the recording; rendered on first use, which takes some minutes on two cores."""
    cache = Path(os.environ.get("TAP_CACHE") or platformdirs.user_cache_dir("tap"))
    folder = cache / "edge" / f"v{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / f"whole-{cameras}.npz"
    if not whole.exists():
        made = _make(folder, cameras)
        half = folder / f"whole.{os.getpid()}.npz"
        np.savez(
            half,
            prints=made.prints,
            live=made.live,
            program=np.frombuffer(b"".join(made.program), np.uint8),
            lengths=np.array([len(jpeg) for jpeg in made.program]),
        )
        half.rename(whole)
    return whole


def _make(folder: Path, cameras: int) -> Recording:
    missing = [n for n in range(STAGES * VIEWS) if not (folder / f"{n}.npz").exists()]
    if missing:
        print(f"rendering {len(missing)} cameras (once) …", file=sys.stderr, flush=True)
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            list(pool.map(_render, missing, [folder] * len(missing)))
    live = plan(cameras)
    files = [np.load(folder / f"{n}.npz") for n in range(cameras)]
    prints = np.stack([file["prints"] for file in files])
    shots = {n: files[n]["small"] for n in sorted(set(live.tolist()))}
    late = round(DELAY_MS * FPS / 1000)
    program = [_program_jpeg(shots[int(live[k])][(k - late) % FRAMES], k) for k in range(FRAMES)]
    return Recording(prints, program, live)


def _program_jpeg(picture: npt.NDArray[np.uint8], number: int) -> bytes:
    """What the switcher makes of it: another size, a little more contrast, its own noise."""
    random = np.random.default_rng(number)
    large = cv2.resize(picture, PROGRAM_SIZE, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    large = (large - 128.0) * 1.06 + 126.0 + random.normal(0.0, 1.5, large.shape)
    coded = cv2.imencode(".jpg", np.clip(large, 0, 255).astype(np.uint8), [1, 75])[1]
    return coded.tobytes()


def _render(number: int, folder: Path) -> None:
    """One camera: its fingerprints and small grey pictures."""
    cv2.setNumThreads(1)
    (x, y, z), target, focal = PLACES[number % VIEWS]
    stage = number // VIEWS
    turn = np.deg2rad(17.0 * stage)
    x, y = (x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn))
    view = StageView(_stage(stage), Lens((float(x), float(y), z), target, focal, SIZE))
    random = np.random.default_rng(number)
    prints = np.zeros((FRAMES, 10, 18), np.uint8)
    small = np.zeros((FRAMES, SIZE[1], SIZE[0]), np.uint8)
    for k in range(FRAMES):
        grey: Any = cv2.cvtColor(
            view.picture(1000.0 * k / FPS + 1777.0 * stage), cv2.COLOR_BGR2GRAY
        )
        small[k] = grey
        seen = np.clip(grey + random.normal(0.0, NOISE, grey.shape), 0, 255).astype(np.uint8)
        prints[k] = np.frombuffer(fingerprint_of(seen, SIZE).data, np.uint8).reshape(10, 18)
    half = folder / f"{number}.{os.getpid()}.npz"
    np.savez(half, prints=prints, small=small)
    half.rename(folder / f"{number}.npz")


@lru_cache(maxsize=2)
def _stage(number: int) -> Any:
    return dance_studio(31 + number)


if __name__ == "__main__":
    recording()
