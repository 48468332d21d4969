"""Writes a made-up shoot as a `tap-shoot/1` folder with its `truth.json`."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tap.errors import InputError
from tap.rig.camera import Camera
from tap.rig.encode import Encoding, Recorder
from tap.rig.plan import Delay, Plan, Program
from tap.rig.switcher import Shown, Switcher
from tap.rig.truth import truth_of
from tap.vocabulary import SESSION_KIND

Progress = Callable[[float], None]
"""Called with the fraction done, 0 … 1."""

START_MS = 1_789_000_000_000
"""Unix time at which made-up shoots begin."""


@dataclass(frozen=True, slots=True)
class Production:
    """Everything that makes up a shoot."""

    name: str
    cameras: Sequence[Camera]
    plan: Plan
    program: Program = field(default_factory=Program)
    delays: dict[str, Delay] = field(default_factory=dict[str, Delay])
    camera_encoding: Encoding = field(default_factory=Encoding)
    program_encoding: Encoding = field(default_factory=lambda: Encoding(kbps=4000))
    start_ms: int = START_MS


def write_shoot(production: Production, folder: Path, progress: Progress | None = None) -> Path:
    """Write the shoot to `folder`, which must be new or empty; returns `folder`.

    Raises InputError where the folder is in use or can't be written.
    """
    media = folder / "media"
    try:
        if folder.exists() and any(folder.iterdir()):
            raise InputError(f"Expected {folder} to be new or empty; choose another folder.")
        media.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Expected to write to {folder}, but can't: {error}") from error
    switcher = Switcher(production.cameras, production.plan, production.program, production.delays)
    frames = switcher.frames()
    with ExitStack() as stack:
        feeds = [
            _Feed(camera, switcher, stack.enter_context(_recorder(camera, production, media)))
            for camera in production.cameras
            if camera.tapped
        ]
        program = production.program
        recorder = stack.enter_context(
            Recorder(media / "program.mkv", program.size, program.fps, production.program_encoding)
        )
        for index, (frame, picture) in enumerate(
            zip(frames, switcher.pictures(frames), strict=True)
        ):
            recorder.write(picture, round(frame.at_ms))
            for feed in feeds:
                feed.write_until(frame.at_ms)
            if progress is not None and index % 25 == 0:
                progress(index / len(frames))
        for feed in feeds:
            feed.write_until(float("inf"))
    _write_documents(production, switcher, frames, feeds, folder)
    if progress is not None:
        progress(1.0)
    return folder


def _recorder(camera: Camera, production: Production, media: Path) -> Recorder:
    path = media / f"{camera.id}.mkv"
    return Recorder(path, camera.source.size, camera.timing.fps, production.camera_encoding)


class _Feed:
    """The recording of one camera, written in step with the program so that both use a picture
    while the camera still has it."""

    def __init__(self, camera: Camera, switcher: Switcher, recorder: Recorder) -> None:
        self.camera = camera
        captured = switcher.captured[camera.id]
        told = switcher.told[camera.id]
        kept = camera.recorded(captured)
        self._switcher = switcher
        self._recorder = recorder
        self._frames: Iterator[tuple[int, float, int]] = (
            (index, float(captured[index]), int(told[index]))
            for index in range(len(captured))
            if kept[index]
        )
        self._next = next(self._frames, None)
        if self._next is None:
            raise ValueError(f"camera {camera.id} records nothing")
        self.first_ms = self._next[2]

    def write_until(self, program_ms: float) -> None:
        """Write all pictures up to the one that the switcher has at `program_ms`."""
        endless = program_ms == float("inf")
        shown = 0 if endless else self._switcher.index_shown(self.camera.id, program_ms)
        while self._next is not None and (endless or self._next[0] <= shown):
            index, captured_ms, told_ms = self._next
            at_ms = told_ms - self.first_ms
            if at_ms > self._recorder.last_ms:
                self._recorder.write(self.camera.picture(index, captured_ms), at_ms)
            self._next = next(self._frames, None)


def _write_documents(
    production: Production,
    switcher: Switcher,
    frames: Sequence[Shown],
    feeds: Sequence[_Feed],
    folder: Path,
) -> None:
    start_ms = production.start_ms
    program_ms = round(start_ms + production.program.starts_ms)
    shoot = {
        "format": "tap-shoot/1",
        "session": {
            "externalId": production.name,
            "kind": SESSION_KIND,
            "title": "Made by the rig",
            "mode": "manual",
        },
        "cameras": [_camera_json(feed, start_ms) for feed in feeds],
        "program": {"media": "media/program.mkv", "startedAtMs": program_ms},
        "director": "director.jsonl",
    }
    (folder / "shoot.json").write_text(json.dumps(shoot, indent=2) + "\n", encoding="utf-8")
    lines: list[str] = []
    for seq, message in enumerate(production.plan.messages, start=1):
        at_ms = round(program_ms + float(message["atMs"]))
        lines.append(json.dumps({**message, "atMs": at_ms, "seq": seq}))
    (folder / "director.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    times = [program_ms + round(frame.at_ms) for frame in frames]
    tapped = [feed.camera.id for feed in feeds]
    truth = truth_of(
        switcher, frames, times, seen_by=tapped, start_ms=start_ms, session=production.name
    )
    (folder / "truth.json").write_text(_compact(truth), encoding="utf-8")


def _camera_json(feed: _Feed, start_ms: int) -> dict[str, Any]:
    camera = feed.camera
    told = {"role": camera.role, "label": camera.label}
    return {
        "id": camera.id,
        **{key: value for key, value in told.items() if value is not None},
        "media": f"media/{camera.id}.mkv",
        "startedAtMs": start_ms + feed.first_ms,
    }


def _compact(document: dict[str, Any]) -> str:
    """JSON with one line for each member of a list: short, and still good to read and to diff."""
    parts: list[str] = []
    for key, value in document.items():
        if isinstance(value, list):
            rows = ",\n  ".join(json.dumps(row) for row in value)
            parts.append(f'"{key}": [\n  {rows}\n ]')
        else:
            parts.append(f'"{key}": {json.dumps(value)}')
    return "{\n " + ",\n ".join(parts) + "\n}\n"
