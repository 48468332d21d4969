"""What answers at an address: a stream with its pictures, a snapshot, a status, events, a lock."""

from dataclasses import dataclass, field
from enum import StrEnum

from tap.claims.strict_json import BadMessageError, decode_json, decode_text
from tap.clock import Clock
from tap.discover.request import Reply, SilentError, get, read_whole
from tap.errors import FeedError
from tap.feeds.access import Access
from tap.feeds.jpeg import MAX_BYTES, decode_colour, decode_luma, encode_colour
from tap.feeds.multipart import MultipartParser, Part, boundary_of

THUMBNAIL = 320
"""Longer side of a thumbnail, px."""
_MAX_STATUS = 64 * 1024
_MAX_STREAM = 64 * 1024 * 1024
_STREAMS = ("", "application/octet-stream")
LOCKED = {401, 403}


class Answer(StrEnum):
    """What an address turned out to be."""

    STREAM = "stream"
    """MJPEG: a feed for shoot.toml."""
    SNAPSHOT = "snapshot"
    STATUS = "status"
    EVENTS = "events"
    """Server-Sent Events."""
    SOCKET = "socket"
    """A WebSocket: a director's, or a feed's signalling."""
    OFFERS = "offers"
    """Takes what is posted, as WebRTC's signalling does; nothing was posted."""
    LOCKED = "locked"
    """Something that wants a token or a login."""
    NO_PICTURES = "no pictures"
    """A stream that gave none, or none that can be read: alive, and of no use."""
    OTHER = "other"
    """Something answers, but not what was looked for."""
    SILENT = "silent"
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one address."""

    answer: Answer
    detail: str = ""
    """One sentence for people, without secrets."""
    size: tuple[int, int] | None = None
    fps: float | None = None
    distinct_fps: float | None = None
    thumbnail: bytes | None = field(default=None, repr=False)
    """A JPEG of at most `THUMBNAIL` px."""


def look_at(url: str, access: Access, clock: Clock, *, seconds: float) -> Look:
    """GET `url` once and say what it is; a stream is watched for `seconds`. Raises nothing."""
    try:
        with get(url, access, read_s=seconds) as reply:
            return _classify(reply, clock, seconds)
    except SilentError as error:
        return Look(Answer.SILENT, str(error))
    except FeedError as error:
        return Look(Answer.OTHER, str(error))


def _classify(reply: Reply, clock: Clock, seconds: float) -> Look:
    kind = reply.content_type
    if reply.status in LOCKED:
        return Look(Answer.LOCKED, f"It wants a token or a login ({reply.status}).")
    if reply.status != 200:
        return Look(Answer.OTHER, f"It answers with status {reply.status}.")
    if kind == "text/event-stream":
        return Look(Answer.EVENTS, "Server-Sent Events.")
    if kind.startswith("multipart/") or kind in _STREAMS:
        return _stream(reply, clock, seconds)
    if kind.startswith("image/"):
        return _snapshot(read_whole(reply, MAX_BYTES, clock, seconds))
    if kind == "application/json":
        return _status(read_whole(reply, _MAX_STATUS, clock, seconds))
    return Look(Answer.OTHER, f"It answers with {kind[:60]!a}.")


def _stream(reply: Reply, clock: Clock, seconds: float) -> Look:
    parser = MultipartParser(boundary_of(reply.full_type))
    seen = _Seen()
    began_ms, taken = clock.now_ms(), 0
    for chunk in reply.chunks:
        now_ms = clock.now_ms()
        taken += len(chunk)
        for part in parser.feed(chunk, now_ms):
            seen.take(part)
        if now_ms - began_ms > seconds * 1000.0 or taken > _MAX_STREAM:
            break
    if seen.size is None:
        why = seen.problem or f"no whole picture in {seconds:g} s."
        return Look(Answer.NO_PICTURES, f"A stream without pictures: {why}")
    width, height = seen.size
    return Look(
        Answer.STREAM,
        f"MJPEG, {width}x{height}.",
        seen.size,
        seen.rate(seen.pictures),
        seen.rate(seen.distinct),
        thumbnail_of(seen.last),
    )


class _Seen:
    """The pictures of one look: how many, how many different ones, and the last."""

    def __init__(self) -> None:
        self.pictures = self.distinct = 0
        self.size: tuple[int, int] | None = None
        self.last = b""
        self.problem = ""
        self._content = b""
        self._times: list[float] = []

    def take(self, part: Part) -> None:
        try:
            luma, size = decode_luma(part.body)
        except FeedError as error:
            self.problem = str(error)
            return
        content = luma.tobytes()
        self.pictures += 1
        self.distinct += content != self._content
        self.size, self.last, self._content = size, part.body, content
        self._times.append(part.at_ms)

    def rate(self, count: int) -> float | None:
        span_ms = self._times[-1] - self._times[0] if self._times else 0.0
        return round((count - 1) * 1000.0 / span_ms, 1) if span_ms > 0 else None


def _snapshot(data: bytes) -> Look:
    _, size = decode_luma(data)
    return Look(
        Answer.SNAPSHOT, f"A picture, {size[0]}x{size[1]}.", size, thumbnail=thumbnail_of(data)
    )


def _status(data: bytes) -> Look:
    try:
        value = decode_json(decode_text(data))
    except BadMessageError as error:
        return Look(Answer.OTHER, f"It says JSON, but: {error}.")
    names = ", ".join(ascii(name)[1:-1] for name in value) if isinstance(value, dict) else "no keys"
    return Look(Answer.STATUS, f"JSON: {names[:200]}.")


def thumbnail_of(data: bytes) -> bytes:
    return encode_colour(decode_colour(data), THUMBNAIL)
