"""A short shoot for tests of whole sessions: three drawn cameras, five cuts, one mistake."""

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tap.rig.camera import Camera, Timing
from tap.rig.encode import Codec, Encoding
from tap.rig.plan import Delay, Expected, Plan, Program, Take, camera
from tap.rig.write import Production, write_shoot
from tap.vocabulary import VerdictCode

SIZE = (256, 144)
FPS = 20.0
DURATION_MS = 8000
DELAY_MS = 180
WINDOW_MS = 1500
"""`tolerances.window_ms` that the shoot is made for: so short that a session ends soon."""

MISTAKE = "m-wrong"
"""The message that names another camera than the one that comes."""

_MS = Fraction(1, 1000)

CAMERAS = ("cam-a", "cam-b", "cam-c")


class Room:
    """A wall of blotches with people-sized shapes that move before it; costs next to nothing."""

    size = SIZE

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        coarse = random.integers(20, 235, (9, 16, 3), np.uint8)
        self._wall = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)
        self._people = random.uniform(0.2, 0.8, (6, 4))
        self._colours = random.integers(0, 255, (6, 3)).tolist()

    def picture(self, scene_ms: float) -> np.ndarray:
        picture = self._wall.copy()
        turn = 2 * np.pi * scene_ms / DURATION_MS  # comes back to where it began: it can be looped
        for (x, y, wide, phase), colour in zip(self._people, self._colours, strict=True):
            rounds = 1 + round(4 * phase)
            at = (
                int(SIZE[0] * (x + 0.2 * wide * np.sin(rounds * turn + 6 * phase))),
                int(SIZE[1] * (y + 0.1 * np.cos((rounds + 1) * turn + 9 * wide))),
            )
            cv2.ellipse(picture, at, (10 + int(14 * wide), 40), 0, 0, 360, colour, -1)
        return picture


# (program ms, camera that comes, camera that is told, id of the message, ms it is told before)
_CUTS = (
    (1600, "cam-b", "cam-b", "m-1", 150),
    (2800, "cam-c", "cam-c", "m-2", 140),
    (4000, "cam-a", "cam-a", "m-3", 210),
    (5200, "cam-c", "cam-b", MISTAKE, 160),
    (6800, "cam-a", "cam-a", "m-5", 190),
)


def make(folder: Path) -> Path:
    """Write the shoot to `folder`, which must be new or empty."""
    cameras = [
        Camera(
            id=name,
            source=Room(n),
            timing=Timing(fps=FPS, phase_ms=3.0 + 9.0 * n, jitter_ms=1.5, seed=n),
            role="hero" if n == 0 else None,
        )
        for n, name in enumerate(CAMERAS)
    ]
    jpeg = Encoding(codec=Codec.MJPEG, quality=70)
    return write_shoot(
        Production(
            name="short-shoot",
            cameras=cameras,
            plan=_plan(),
            # No later than its cameras, so that all can be looped as one.
            program=Program(size=SIZE, fps=FPS, starts_ms=DELAY_MS),
            delays={name: Delay(DELAY_MS) for name in CAMERAS},
            camera_encoding=jpeg,
            program_encoding=replace(jpeg, quality=75),
        ),
        folder,
    )


def _plan() -> Plan:
    messages = [
        {"type": "session.start", "id": "m-start", "atMs": 40, "title": "Short", "notes": "none"},
        *(
            {"type": "camera", "id": f"m-{name}", "atMs": 60, "camera": name, "role": "told"}
            for name in CAMERAS
        ),
        {"type": "still", "id": "m-still", "atMs": 3400, "camera": "cam-b", "stillId": "s1"},
        {"type": "mode", "id": "m-mode", "atMs": 3600, "mode": "ghost"},
        {"type": "session.end", "id": "m-end", "atMs": DURATION_MS - 60},
    ]
    takes = [Take(0.0, camera("cam-a"))]
    expected: list[Expected] = []
    for number, (at_ms, comes, told, name, before_ms) in enumerate(_CUTS, start=1):
        messages.append({"type": "cut", "id": name, "atMs": at_ms - before_ms, "camera": told})
        takes.append(Take(at_ms, camera(comes)))
        code = VerdictCode.AGREE if comes == told else VerdictCode.WRONG_CAMERA
        expected.append(Expected(code, name, number, planted=comes != told))
    return Plan(
        duration_ms=DURATION_MS,
        takes=tuple(takes),
        messages=tuple(sorted(messages, key=lambda message: float(message["atMs"]))),
        expected=tuple(expected),
        seed=3,
    )


def loop(shoot: Path, folder: Path, times: int) -> Path:
    """The shoot, `times` times over, as one session: one start, one end, every message once."""
    (folder / "media").mkdir(parents=True)
    content = json.loads((shoot / "shoot.json").read_text("utf-8"))
    origin_ms = content["program"]["startedAtMs"]
    for part in (*content["cameras"], content["program"]):
        _loop_media(shoot / part["media"], folder / part["media"], times)
    (folder / "shoot.json").write_text(json.dumps(content), "utf-8")
    said = [json.loads(line) for line in (shoot / "director.jsonl").read_text("utf-8").splitlines()]
    lines = [json.dumps(message) for message in _loop_messages(said, times)]
    (folder / "director.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    assert all(json.loads(line)["atMs"] >= origin_ms for line in lines)
    return folder


def _loop_messages(said: list[dict], times: int) -> Iterator[dict]:
    seq = 0
    for number in range(times):
        for message in said:
            first, last = number == 0, number == times - 1
            if message["type"] == "session.end" and not last:
                continue
            if message["type"] in ("session.start", "camera") and not first:
                continue
            seq += 1
            news = {"id": f"{message['id']}/{number}", "seq": seq}
            if "stillId" in message:
                news["stillId"] = f"{message['stillId']}/{number}"
            yield {**message, **news, "atMs": message["atMs"] + number * DURATION_MS}


def _loop_media(source: Path, target: Path, times: int) -> None:
    with av.open(str(source)) as file:
        stream = file.streams.video[0]
        coded = [
            (round(packet.pts * stream.time_base / _MS), bytes(packet))
            for packet in file.demux(stream)
            if packet.pts is not None
        ]
    with av.open(str(target), "w", format="matroska") as out:
        track = out.add_mux_stream("mjpeg", width=SIZE[0], height=SIZE[1])
        track.time_base = _MS
        for number in range(times):
            for at_ms, content in coded:
                if at_ms >= DURATION_MS - 5:  # the next round's first picture comes here
                    continue
                packet = av.Packet(content)
                packet.stream, packet.time_base = track, _MS
                packet.pts = packet.dts = at_ms + number * DURATION_MS
                packet.is_keyframe = True
                out.mux(packet)
