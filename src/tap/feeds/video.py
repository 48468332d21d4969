"""A media file's pictures, as FFmpeg's libraries hand them out: opened carefully, kept upright."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

import av
import numpy as np
from av.buffer import Buffer
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tap.errors import FeedError, InputError
from tap.feeds import jpeg
from tap.feeds.luma import MAX_PIXELS, shrink
from tap.vocabulary import Luma

# Playlists and session descriptions make FFmpeg open whatever else they name.
_REFUSED_FORMATS = frozenset({"hls", "dash", "concat", "sdp", "rtsp", "rtp", "imf", "applehttp"})
_MATROSKA = b"\x1a\x45\xdf\xa3"
# Time stamps further than this from the start of a file are damage.
_FURTHEST_MS = 31 * 24 * 3600 * 1000.0


class Turns(NamedTuple):
    """How to put a picture upright: swap its axes, then mirror it."""

    swap: bool = False
    left_right: bool = False
    top_bottom: bool = False


AS_IT_IS = Turns()


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a file, not yet converted.

    `pts_ms` is None where the file gives no usable time. `content` is None where the picture is
    damaged, bytes where it is a JPEG, else a decoded frame.
    """

    pts_ms: float | None
    content: VideoFrame | bytes | None
    turns: Turns = AS_IT_IS


class VideoFile:
    """The video stream of a media file. Close it, or use it in a `with`.

    `content`: read that instead of `path`, which then only names it; it is closed as well. Raises
    `InputError` where the file can't be opened or has no video.
    """

    def __init__(self, path: Path, content: BinaryIO | None = None) -> None:
        self.path = path
        self._content = content
        self._rotation: int | None = None
        self._turns = AS_IT_IS
        self._is_jpeg = False
        self._stream: VideoStream | None = None
        self._container: InputContainer | None = None
        try:
            self._container = self._open()
            if self._container is None:
                return
            self._stream = self._pick_stream(self._container)
        except BaseException:
            self.close()
            raise
        self._is_jpeg = self._stream.codec_context.name == "mjpeg"

    def _open(self) -> InputContainer | None:
        """None for a recording that ended before its first picture."""
        if self._content is None and not self.path.is_file():
            raise InputError(f"{self.path}: there is no such media file.")
        try:
            return av.open(
                self._content or str(self.path.absolute()),
                mode="r",
                options={"protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)},
            )
        except (FFmpegError, OSError, ValueError) as error:
            if isinstance(error, EOFError) and self._starts_as_matroska():
                return None
            why = getattr(error, "strerror", None) or str(error)
            raise InputError(
                f"{self.path}: expected a media file that FFmpeg reads; it says '{why}'."
            ) from error

    def _pick_stream(self, container: InputContainer) -> VideoStream:
        if _REFUSED_FORMATS & set(container.format.name.split(",")):
            raise InputError(f"{self.path}: expected a media file, got a playlist.")
        streams = [
            stream
            for stream in container.streams.video
            if not stream.disposition & Disposition.attached_pic
        ]
        if not streams:
            raise InputError(f"{self.path}: there is no video in this file.")
        chosen = streams[0]
        for stream in container.streams:
            if stream is not chosen:
                stream.discard = Discard.all
        # One thread: across many feeds, frame threads cost a quarter more CPU time in all.
        chosen.thread_count = 1
        chosen.thread_type = "NONE"
        return chosen

    def _starts_as_matroska(self) -> bool:
        if self._content is None:
            with self.path.open("rb") as file:
                return file.read(4) == _MATROSKA
        self._content.seek(0)
        return self._content.read(4) == _MATROSKA

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec; empty for a recording without a picture."""
        return self._stream.codec_context.name if self._stream else ""

    @property
    def intra_only(self) -> bool:
        """Whether no picture of this codec ever refers to another one."""
        return self._stream is not None and self._stream.codec_context.codec.intra_only

    @property
    def parameters(self) -> bytes:
        """What the container says that the decoder must know beforehand ("extradata")."""
        return bytes((self._stream and self._stream.codec_context.extradata) or b"")

    @property
    def duration_ms(self) -> float | None:
        """How long the file says it is, in ms; a guess, or None where it doesn't say."""
        stream, container = self._stream, self._container
        if stream and stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base * 1000)
        return container.duration / 1000.0 if container and container.duration else None

    def seek(self, pts_ms: float) -> None:
        """Go to the last key picture at or before `pts_ms`; FFmpegError where it can't."""
        if self._stream and (base := self._stream.time_base):
            self.go_to(int(pts_ms / 1000 / base))

    def go_to(self, pts: int, back_ms: float = 0.0) -> None:
        """Go to the last key picture at or before `pts` (ticks of the file), or `back_ms` earlier.

        FFmpegError where that can't be done.
        """
        if self._container and self._stream and (base := self._stream.time_base):
            target = pts - int(back_ms / 1000 / base)
            self._container.seek(target, backward=True, stream=self._stream)

    def pictures(self) -> Iterator[Picture]:
        """The pictures from here on, in the order shown; ends where the file breaks off."""
        for packet in self.packets():
            yield from self.decoded(packet)

    def packets(self) -> "Iterator[Packet[VideoStream]]":
        """The coded pictures from here on, in the order stored; ends where the file breaks off.

        The last one is empty where the file is whole: it makes the decoder give what it holds.
        """
        if self._container is None or self._stream is None:
            return
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, FFmpegError):
                return
            yield packet

    def decoded(self, packet: "Packet[VideoStream]") -> Iterator[Picture]:
        """The pictures that the decoder gives when it is fed the next of `packets`."""
        if self._is_jpeg:
            if packet.size:
                yield Picture(pts_ms_of(packet), bytes(packet))
            return
        try:
            frames = packet.decode()
        except (FFmpegError, ValueError, MemoryError):
            yield Picture(pts_ms_of(packet), None)
            return
        for frame in frames:
            damaged = frame.is_corrupt or not 0 < frame.width * frame.height <= MAX_PIXELS
            yield Picture(pts_ms_of(frame), None if damaged else frame, self._turns_of(frame))

    def _turns_of(self, frame: VideoFrame) -> Turns:
        # Asking a frame for its side data ties it into a reference cycle, which keeps megabytes
        # from the decoder's pool until the collector runs: so only where the rotation changes.
        if frame.rotation != self._rotation:
            self._rotation = frame.rotation
            self._turns = _turns(frame)
        return self._turns

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()
        if self._content is not None:
            self._content.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def pts_ms_of(timed: "VideoFrame | Packet[VideoStream]") -> float | None:
    """When a picture is shown, in ms of the file; None where that isn't said or can't be."""
    if timed.pts is None or not timed.time_base:
        return None
    pts_ms = float(timed.pts * timed.time_base * 1000)
    return pts_ms if abs(pts_ms) <= _FURTHEST_MS else None


# ---------------------------------------------------------------- from a picture to an array


def luma_of(picture: Picture) -> tuple[Luma, tuple[int, int]]:
    """Small upright luma and the full upright (w, h). Raises `FeedError` for a damaged picture."""
    content = picture.content
    if content is None:
        raise FeedError("The picture is damaged.")
    if isinstance(content, bytes):
        return jpeg.decode_luma(content)
    luma = _upright(shrink(luma_plane(content)), picture.turns)
    width, height = content.width, content.height
    return luma, (height, width) if picture.turns.swap else (width, height)


def colour_of(picture: Picture) -> Luma:
    """(h, w, 3) uint8 BGR, upright, full size. Raises `FeedError` for a damaged picture."""
    content = picture.content
    if content is None:
        raise FeedError("The picture is damaged.")
    if isinstance(content, bytes):
        return jpeg.decode_colour(content)
    return _upright(np.asarray(content.to_ndarray(format="bgr24"), dtype=np.uint8), picture.turns)


def luma_plane(frame: VideoFrame) -> Luma:
    """The full-size luma: a view of the decoder's own buffer where it holds 8-bit luma.

    Range (limited or full) is left as it is.
    """
    layout = frame.format
    first = layout.components[0]
    if (
        first.bits != 8
        or layout.is_rgb
        or layout.has_palette
        or not (layout.is_planar or len(layout.components) == 1)
    ):
        frame = frame.reformat(format="gray8", dst_color_range=frame.color_range)
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8)
    return rows.reshape(-1, plane.line_size)[: frame.height, : frame.width]


def _upright(picture: Luma, turns: Turns) -> Luma:
    """A (h, w[, 3]) picture turned and mirrored."""
    if turns.swap:
        picture = picture.swapaxes(0, 1)
    if turns.left_right:
        picture = picture[:, ::-1]
    if turns.top_bottom:
        picture = picture[::-1]
    return np.ascontiguousarray(picture)


def _turns(frame: VideoFrame) -> Turns:
    """What the frame's display matrix asks for.

    The matrix holds 16.16 numbers a b u / c d v / …; a source point (x, y) is shown at
    (ax + cy, bx + dy).
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(data, Buffer):
        return AS_IT_IS
    a, b, _, c, d = (int(n) for n in np.frombuffer(bytes(data), np.int32)[:5])
    return Turns(True, c < 0, b < 0) if abs(b) > abs(a) else Turns(False, a < 0, d < 0)
