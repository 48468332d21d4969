"""Twelve seconds in tiny pictures: a camera that moves, one that stands still, a slow one."""

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

T0 = 1_789_000_000_000


def write_media(path: Path, seconds: float, fps: int = 25, moving: bool = True) -> None:
    """Grey pictures of 64x48, each different from the last if `moving`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(int(seconds * fps)):
            grey = 20 + (index * 7) % 200 if moving else 90
            picture = np.full((48, 64, 3), grey, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = index * 1000 // fps, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def make_small_shoot(folder: Path) -> Path:
    """Cameras `cam-a` (moves), `cam-b` (stands still), `cam-c` (4 fps), and a director."""
    write_media(folder / "a.mkv", 12)
    write_media(folder / "still.mkv", 12, moving=False)
    write_media(folder / "slow.mkv", 12, fps=4)
    messages = [{"type": "cut", "camera": "cam-a", "atMs": T0 + at} for at in range(0, 12000, 300)]
    (folder / "director.jsonl").write_text("\n".join(map(json.dumps, messages)), "utf-8")
    content = {
        "format": "tap-shoot/1",
        "session": {"externalId": "shoot-1"},
        "cameras": [
            {"id": "cam-a", "media": "a.mkv", "startedAtMs": T0},
            {"id": "cam-b", "media": "still.mkv", "startedAtMs": T0},
            {"id": "cam-c", "media": "slow.mkv", "startedAtMs": T0},
        ],
        "program": {"media": "a.mkv", "startedAtMs": T0},
        "director": "director.jsonl",
    }
    (folder / "shoot.json").write_text(json.dumps(content), "utf-8")
    return folder
