"""Media files as feeds: every picture with the time at which it was shown."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from av.error import FFmpegError

from tap.errors import FeedError, InputError
from tap.feeds.jpeg import DamagedJpegError, decoded_late, encode_colour, peek
from tap.feeds.video import Picture, VideoFile, colour_of, luma_of
from tap.vocabulary import Frame, Luma, Undecoded

_SPACING_MS = 40.0
"""Between two pictures without time stamps, where the file never showed a spacing."""


class Files:
    """Where media files are: here, on this machine. Other places have a class of their own."""

    def is_file(self, path: Path) -> bool:
        """Whether there is a file."""
        return path.is_file()

    def video(self, path: Path) -> VideoFile:
        """Open it. Raises `InputError` where that can't be done, or it has no video."""
        return VideoFile(path)


LOCAL_FILES = Files()


def check_media(path: Path, files: Files = LOCAL_FILES) -> None:
    """Raise `InputError` unless `path` is a file with video that FFmpeg opens."""
    files.video(path).close()


class Timeline:
    """Turns a file's time stamps into whole, strictly increasing Unix ms.

    A picture without a stamp follows the last one at the last spacing; `guessed` counts them.
    """

    def __init__(self, started_at_ms: float) -> None:
        self._started_at_ms = started_at_ms
        self._last_pts_ms: float | None = None
        self._spacing_ms = _SPACING_MS
        self._last_at_ms: float | None = None
        self.guessed = 0

    def place(self, pts_ms: float | None) -> float:
        """The Unix ms of the next picture."""
        last = self._last_pts_ms
        if pts_ms is None:
            self.guessed += 1
            pts_ms = 0.0 if last is None else last + self._spacing_ms
        elif last is not None and pts_ms > last:
            self._spacing_ms = pts_ms - last
        self._last_pts_ms = pts_ms
        at_ms = float(round(self._started_at_ms + pts_ms))
        if self._last_at_ms is not None:
            at_ms = max(at_ms, self._last_at_ms + 1.0)
        self._last_at_ms = at_ms
        return at_ms


class Reduced(NamedTuple):
    """All that tap looks at of one picture of a file.

    `luma` is as in `Frame`, None where the picture is damaged; `size` the full upright (width,
    height); `encoded` the JPEG, where it is one.
    """

    pts_ms: float | None
    luma: Luma | Undecoded | None
    size: tuple[int, int] = (0, 0)
    encoded: bytes | None = None


def reduced(picture: Picture) -> Reduced:
    """Reduce a picture to what is looked at. This is where a replay's time goes."""
    try:
        luma, size = luma_of(picture)
    except FeedError:
        return Reduced(picture.pts_ms, None)
    encoded = picture.content if isinstance(picture.content, bytes) else None
    return Reduced(picture.pts_ms, luma, size, encoded)


class Reader:
    """The frames of a recorded feed, in the order of their times. Iterate it once.

    A frame's `at_ms` is `started_at_ms` + its own pts: variable rates are honoured, a nominal
    rate is never used. Damaged pictures are skipped and counted.
    """

    def __init__(self, feed: str, started_at_ms: float, pictures: Iterable[Reduced]) -> None:
        self.feed = feed
        self.frames = 0
        """Frames handed out."""
        self.damaged = 0
        """Pictures that could not be decoded whole, and were skipped."""
        self._timeline = Timeline(started_at_ms)
        self._pictures = pictures

    @property
    def guessed(self) -> int:
        """Pictures without a usable time stamp, placed by the spacing before them."""
        return self._timeline.guessed

    @property
    def duration_ms(self) -> float | None:
        """How long the recording says it is, in ms; a guess, or None where it doesn't say."""
        return None

    def __iter__(self) -> Iterator[Frame]:
        for picture in self._pictures:
            at_ms = self._timeline.place(picture.pts_ms)
            if picture.luma is None:
                self.damaged += 1
                continue
            self.frames += 1
            yield Frame(
                feed=self.feed,
                index=self.frames - 1,
                at_ms=at_ms,
                picture=picture.luma,
                size=picture.size,
                encoded=picture.encoded,
            )


class MediaReader(Reader):
    """The frames of a media file.

    JPEGs (codec mjpeg) go through the same decoder as a live MJPEG feed and keep their bytes in
    `Frame.encoded`; with `late` they are decoded when somebody looks at them. Raises `InputError`
    where the file can't be opened or has no video.
    """

    def __init__(
        self,
        path: Path,
        feed: str,
        started_at_ms: float,
        files: Files = LOCAL_FILES,
        *,
        late: bool = False,
    ) -> None:
        self._file = files.video(path)
        reduce = self._reduced_late if late else reduced
        super().__init__(feed, started_at_ms, map(reduce, self._file.pictures()))

    def _reduced_late(self, picture: Picture) -> Reduced:
        """`reduced`, but a JPEG is decoded when it is looked at, if ever."""
        data = picture.content
        if not isinstance(data, bytes):
            return reduced(picture)
        try:
            seen = peek(data)
        except DamagedJpegError:
            return Reduced(picture.pts_ms, None)
        if seen is None:
            return reduced(picture)
        luma = decoded_late(data, seen.size, self._count_damage)
        return Reduced(picture.pts_ms, luma, seen.size, data)

    def _count_damage(self, _why: str) -> None:
        self.damaged += 1

    @property
    def duration_ms(self) -> float | None:
        """How long the file says it is, in ms; a guess, or None where it doesn't say."""
        return self._file.duration_ms

    def __iter__(self) -> Iterator[Frame]:
        with self._file:
            yield from super().__iter__()

    def close(self) -> None:
        """Close the file; iterating to the end does so too."""
        self._file.close()


def picture_at(
    path: Path, started_at_ms: float, at_ms: float, long_side: int = 640
) -> bytes | None:
    """The picture of `timed_picture_at`, without its time."""
    found = timed_picture_at(path, started_at_ms, at_ms, long_side)
    return None if found is None else found[1]


def timed_picture_at(
    path: Path,
    started_at_ms: float,
    at_ms: float,
    long_side: int = 640,
    *,
    first_from: bool = False,
    as_received: bool = False,
    files: Files = LOCAL_FILES,
) -> tuple[float, bytes] | None:
    """The picture on screen at `at_ms`, as an upright colour JPEG, and since when it was on.

    With `first_from` the first one at `at_ms` or later, where there is one. With `as_received` a
    file of JPEGs gives its own bytes, not coded again nor scaled. None before the first one.

    Seeks, so that only the stretch since the last key picture is decoded; files whose index or
    time stamps don't allow it are read from the start. Raises `InputError` for an unreadable file.
    """
    wanted_ms = at_ms - started_at_ms
    for seek in (True, False):
        with files.video(path) as file:
            try:
                if seek:
                    file.seek(max(0.0, wanted_ms))
                found, sure = _last_until(file, Timeline(started_at_ms), at_ms, first_from)
            except (FFmpegError, InputError):
                continue
        if found is not None and (sure or not seek):
            return found[0], _jpeg(found[1], long_side, as_received)
    return None


def _jpeg(picture: Picture, long_side: int, as_received: bool) -> bytes:
    colour = colour_of(picture)  # tells whether it can be looked at, too
    if as_received and isinstance(picture.content, bytes):
        return picture.content
    return encode_colour(colour, long_side)


def _last_until(
    file: VideoFile, timeline: Timeline, at_ms: float, first_from: bool
) -> tuple[tuple[float, Picture] | None, bool]:
    """The last whole picture placed at or before `at_ms` (or `first_from` there), and whether all
    had time stamps."""
    held: tuple[float, Picture] | None = None
    for picture in file.pictures():
        placed_ms = timeline.place(picture.pts_ms)
        if placed_ms > at_ms and not first_from:
            break
        if picture.content is not None:
            held = placed_ms, picture
            if placed_ms >= at_ms and first_from:
                break
    return held, held is not None and timeline.guessed == 0
