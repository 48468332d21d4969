"""Encoders: pictures with whole-millisecond times in, media files out."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.error
import cv2

from tap.errors import InputError
from tap.rig.source import Picture

_MS = Fraction(1, 1000)


class Codec(StrEnum):
    """How pictures are written."""

    H264 = "h264"
    MJPEG = "mjpeg"


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoder's settings: `kbps` (0: constant quality `crf`), `gop` (frames between key
    frames) and `threads` for H.264, `quality` (0 … 100) for MJPEG."""

    codec: Codec = Codec.H264
    kbps: int = 0
    crf: int = 23
    gop: int = 60
    preset: str = "superfast"
    quality: int = 85
    threads: int = 2


class Recorder:
    """Writes one Matroska file, whose clock ticks in ms. Use it as a context manager.

    Raises InputError where the file can't be written.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: float, encoding: Encoding) -> None:
        self._encoding = encoding
        self._path = path
        try:
            path.touch()  # PyAV would find out at the first picture only
            self._container = av.open(str(path), "w", format="matroska")
        except (OSError, av.error.FFmpegError) as error:
            raise InputError(f"Expected to write {path}, but can't: {error}") from error
        self._stream = self._open(size, fps)
        self.last_ms = -1

    def _open(self, size: tuple[int, int], fps: float) -> Any:
        encoding = self._encoding
        rate = Fraction(fps).limit_denominator(1001)
        stream: Any = self._container.add_stream(
            "libx264" if encoding.codec is Codec.H264 else "mjpeg", rate=rate
        )
        stream.width, stream.height = size
        stream.codec_context.time_base = _MS
        stream.time_base = _MS
        if encoding.codec is Codec.MJPEG:
            stream.pix_fmt = "yuvj420p"
            return stream
        stream.pix_fmt = "yuv420p"
        stream.gop_size = encoding.gop
        stream.codec_context.thread_count = encoding.threads
        # No frames out of order, as live encoders are set; then times need no look-ahead either.
        stream.options = {"preset": encoding.preset, "tune": "zerolatency"}
        if encoding.kbps:
            stream.bit_rate = encoding.kbps * 1000
            stream.options |= {"maxrate": f"{encoding.kbps}k", "bufsize": f"{encoding.kbps}k"}
        else:
            stream.options |= {"crf": str(encoding.crf)}
        return stream

    def write(self, picture: Picture, at_ms: int) -> None:
        """Append a picture at `at_ms` (file time). Raises ValueError where time steps back."""
        if at_ms <= self.last_ms:
            raise ValueError(f"{self._path.name}: {at_ms} ms does not follow {self.last_ms} ms")
        self.last_ms = at_ms
        if self._encoding.codec is Codec.MJPEG:
            quality = [cv2.IMWRITE_JPEG_QUALITY, self._encoding.quality]
            _, encoded = cv2.imencode(".jpg", picture, quality)
            packet = av.Packet(encoded.tobytes())
            packet.pts = packet.dts = at_ms
            packet.time_base = _MS
            packet.stream = self._stream
            packet.is_keyframe = True
            self._mux(packet)
            return
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = at_ms
        frame.time_base = _MS
        self._mux(self._stream.encode(frame))

    def _mux(self, packets: Any) -> None:
        try:
            self._container.mux(packets)
        except (OSError, av.error.FFmpegError) as error:
            raise InputError(
                f"Expected to write {self._path}, but can't: {error}; is the disk full?"
            ) from error

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what the encoder still holds, and close the file."""
        try:
            if kind is None and self._encoding.codec is Codec.H264:
                self._mux(self._stream.encode(None))
        finally:
            self._container.close()
