"""Writes a live session as a `tap-shoot/1` folder that replays to the same frames."""

import json
import threading
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from tap.errors import FeedError, InputError
from tap.feeds.shoot import SHOOT_FILE, Shoot, ShootCamera, ShootProgram, ShootSession
from tap.vocabulary import PROGRAM, Frame

ENDED_AT = "endedAtMs"
"""Key of `shoot.json`, beside those of the format: until when the feeds were watched, Unix ms.

After the last frame, too, it tells silence from not looking.
"""

REENCODED = "reencoded"
"""Key of a camera or the program in `shoot.json`: its JPEGs are tap's own, of at most 640 px.

WebRTC has no pictures that could be kept as they were received.
"""

_MS = Fraction(1, 1000)
_DIRECTOR = "director.jsonl"
# A second of pictures is what a crash may cost.
_MATROSKA = {"cluster_time_limit": "500", "flush_packets": "1"}


class ShootRecorder:
    """Records feeds as they come. Safe to call from several threads; close it at the end.

    The JPEGs of a frame are written as they were received (`Frame.encoded`; of a WebRTC feed as
    tap made them, and `REENCODED` says so), at
    `at_ms - started_at_ms`, so that `MediaReader` gives back the same times and the same
    pictures. Frames that are no JPEG can't be kept that way: they are left out and counted in
    `skipped`, as are frames from before `started_at_ms` and of feeds that were not announced.

    `shoot.json` is whole from the first moment, and what was written stays readable when the
    process is killed. Raises `InputError` if `folder` already holds a shoot or can't be
    written, `FeedError` if writing fails later.
    """

    def __init__(
        self,
        folder: Path,
        session: ShootSession,
        cameras: Iterable[ShootCamera],
        started_at_ms: float,
        *,
        program: Mapping[str, Any] | None = None,
    ) -> None:
        """`cameras` give id, role, label and notes; their media and start are set here.

        `program` holds more keys of the program's entry.
        """
        self.folder = folder
        self.skipped: dict[str, int] = {}
        """Frames not written, by feed."""
        self._started_at_ms = float(round(started_at_ms))
        self._lock = threading.Lock()
        self._tracks: dict[str, _Track] = {}
        self._shoot = shoot = self._describe(session, tuple(cameras), dict(program or {}))
        try:
            (folder / "media").mkdir(parents=True, exist_ok=True)
            if (folder / SHOOT_FILE).exists():
                raise InputError(f"{folder}: already holds a shoot; record into a new folder.")
            self._director = (folder / _DIRECTOR).open("a", encoding="utf-8")
            for feed, media in self._media_of(shoot):
                self._tracks[feed] = _Track(folder / media)
            _write_whole(folder / SHOOT_FILE, shoot)
        except OSError as error:
            raise InputError(f"{folder}: can't be written ({error.strerror}).") from error

    def _describe(
        self, session: ShootSession, cameras: tuple[ShootCamera, ...], said: dict[str, Any]
    ) -> Shoot:
        at = self._started_at_ms
        placed = [
            camera.model_copy(update={"media": Path(f"media/{camera.id}.mkv"), "started_at_ms": at})
            for camera in cameras
        ]
        program = ShootProgram(media=Path(f"media/{PROGRAM}.mkv"), started_at_ms=at, **said)
        return Shoot(
            session=session, cameras=tuple(placed), program=program, director=Path(_DIRECTOR)
        )

    @staticmethod
    def _media_of(shoot: Shoot) -> list[tuple[str, Path]]:
        feeds = [(camera.id, camera.media) for camera in shoot.cameras]
        return [*feeds, (PROGRAM, shoot.program.media)]

    def frame(self, frame: Frame) -> None:
        """Write one frame."""
        with self._lock:
            track = self._tracks.get(frame.feed)
            pts = round(frame.at_ms - self._started_at_ms)
            if track is None or frame.encoded is None or pts < 0:
                self.skipped[frame.feed] = self.skipped.get(frame.feed, 0) + 1
                return
            track.write(frame.encoded, pts)

    def director_line(self, message: Mapping[str, Any]) -> None:
        """Append one of the director's messages, as received."""
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        with self._lock:
            try:
                self._director.write(line + "\n")
                self._director.flush()
            except OSError as error:
                raise FeedError(
                    f"{self.folder}: could not be written ({error.strerror})."
                ) from error

    def close(self, ended_at_ms: float | None = None) -> None:
        """Finish every file; say in `shoot.json` until when was watched. May be called twice."""
        with self._lock:
            if ended_at_ms is not None and self._tracks:
                extra = {ENDED_AT: float(round(ended_at_ms))}
                _write_whole(self.folder / SHOOT_FILE, self._shoot.model_copy(update=extra))
            for track in self._tracks.values():
                track.close()
            self._tracks.clear()
            self._director.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Track:
    """One feed's JPEGs in a Matroska file with millisecond time stamps."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file: OutputContainer = av.open(
                str(path), mode="w", format="matroska", options=_MATROSKA
            )
            # The size in the file's header is a formality: each JPEG carries its own.
            self._stream: Stream = self._file.add_mux_stream("mjpeg", width=1920, height=1080)
            self._stream.time_base = _MS
            self._file.start_encoding()
        except FFmpegError as error:
            raise InputError(f"{path}: can't be written ({error.strerror}).") from error

    def write(self, jpeg: bytes, pts: int) -> None:
        packet = Packet(jpeg)
        packet.stream = self._stream
        packet.time_base = _MS
        packet.pts = packet.dts = pts
        packet.is_keyframe = True
        try:
            self._file.mux(packet)
        except FFmpegError as error:
            raise FeedError(
                f"{self._path}: could not be written ({error.strerror}); is the disk full?"
            ) from error

    def close(self) -> None:
        try:
            self._file.close()
        except FFmpegError as error:
            raise FeedError(f"{self._path}: could not be finished ({error.strerror}).") from error


def _write_whole(path: Path, shoot: Shoot) -> None:
    """Write and swap in, so that the file is never half there."""
    content = shoot.model_dump(mode="json", by_alias=True, exclude_none=True)
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)
