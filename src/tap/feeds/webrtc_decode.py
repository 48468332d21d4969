"""Coded pictures to frames, on one bounded thread a feed: the latest picture wins."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from av.codec.context import CodecContext, Flags
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from tap.errors import FeedError
from tap.feeds.jpeg import decode_luma, encode_colour
from tap.feeds.luma import MAX_PIXELS, small_size
from tap.feeds.webrtc_rtp import Codec, Coded
from tap.vocabulary import Luma

_log = logging.getLogger(__name__)

PICTURE_SIDE = 640
"""Longer side, px, of the JPEG that tap makes of a picture: WebRTC has none as received."""
MAX_WAITING = 12
"""Coded pictures that may wait; beyond that all are left out up to the next key picture."""
BEHIND = 3
"""With more than so many waiting, a picture is decoded but not looked at."""

_NAMES: dict[Codec, str] = {"H264": "h264", "VP8": "vp8"}


@dataclass(frozen=True, slots=True)
class Job:
    """A coded picture, of which connection it is, and what its decoder must know beforehand."""

    connection: int
    codec: Codec
    coded: Coded
    parameters: bytes = b""
    source_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A decoded picture as sight and evidence want it.

    The luma is that of `jpeg` itself, so that a recording of the JPEGs gives the same again.
    `whole` is the size of the picture as sent, `size` that of the JPEG; both upright.
    """

    luma: Luma
    jpeg: bytes
    size: tuple[int, int]
    whole: tuple[int, int]


def seen(picture: VideoFrame) -> Seen:
    """Scale, code and look at a decoded picture. Raises `FeedError`."""
    whole = (picture.width, picture.height)
    size = small_size(*whole, PICTURE_SIDE)
    small = picture.reformat(*size, format="bgr24", interpolation="AREA")
    jpeg = encode_colour(np.asarray(small.to_ndarray(), dtype=np.uint8), PICTURE_SIDE)
    luma, shown = decode_luma(jpeg)
    return Seen(luma, jpeg, shown, whole)


class Decoder:
    """A thread that decodes jobs in their order and gives each picture to `on_picture`.

    `on_lost(connection, why)` says that pictures of a connection were lost here and a key picture
    is needed; an empty `why` means that tap itself was too slow. Both are called on the thread.
    """

    def __init__(
        self,
        name: str,
        on_picture: Callable[[Job, Seen], None],
        on_skipped: Callable[[int], None],
        on_lost: Callable[[int, str], None],
    ) -> None:
        self._on_picture, self._on_skipped, self._on_lost = on_picture, on_skipped, on_lost
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._current: tuple[int, Codec] | None = None
        self._context: VideoCodecContext | None = None
        self._thread = threading.Thread(target=self._run, name=f"feed {name} decode", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """End after the picture at hand; what waits is left out."""
        with self._changed:
            self._ended = True
            self._jobs.clear()
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def put(self, job: Job) -> bool:
        """Take a job from any thread; False: too much waits, all of it was left out."""
        with self._changed:
            if self._ended:
                return True
            if len(self._jobs) >= MAX_WAITING:
                left_out = len(self._jobs) + 1
                self._jobs.clear()
            else:
                self._jobs.append(job)
                self._changed.notify()
                return True
        self._on_skipped(left_out)
        return False

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._jobs and not self._ended:
                    self._changed.wait()
                if self._ended:
                    return
                job = self._jobs.popleft()
                behind = len(self._jobs) > BEHIND
            try:
                self._decode(job, behind=behind)
            except (FFmpegError, FeedError, ValueError, MemoryError) as error:
                self._on_lost(job.connection, _said(error))
            except Exception as error:  # noqa: BLE001 - one picture must not end the feed's thread
                _log.exception("a picture could not be decoded")
                self._on_lost(job.connection, type(error).__name__)

    def _decode(self, job: Job, *, behind: bool) -> None:
        context = self._context_of(job)
        data = job.parameters + job.coded.data if job.coded.key else job.coded.data
        pictures = context.decode(Packet(data))
        if not pictures:
            return
        if behind:
            self._on_skipped(len(pictures))
            return
        # WebRTC has no reordering: one picture in, one out.
        picture = pictures[-1]
        if picture.is_corrupt:
            raise FeedError("part of the picture is missing")
        self._on_picture(job, seen(picture))

    def _context_of(self, job: Job) -> VideoCodecContext:
        if self._context is None or self._current != (job.connection, job.codec):
            context = CodecContext.create(_NAMES[job.codec], "r")
            if not isinstance(context, VideoCodecContext):
                raise FeedError(f"no decoder for {job.codec}")
            context.thread_count = 1
            context.thread_type = "NONE"
            context.flags |= Flags.low_delay
            context.options = {"max_pixels": str(MAX_PIXELS)}
            self._context, self._current = context, (job.connection, job.codec)
        return self._context


def _said(error: Exception) -> str:
    return f"A picture could not be decoded ({getattr(error, 'strerror', None) or error})."
