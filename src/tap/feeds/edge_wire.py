"""What a far camera and the witness say to each other over NATS: subjects and messages.

Every message is a fixed head, packed by `struct` in little-endian, and bytes of known length behind
it: nothing is parsed that a stranger could make long or deep. docs/edge.md has the tables.
"""

import math
import re
import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tap.errors import FeedError, InputError
from tap.feeds.access import public_url
from tap.feeds.fingerprint import FingerprintError, check

VERSION = 1
MOST_FRAMES = 8
"""In one message."""
LARGEST_PICTURE = 768 * 1024
"""Bytes of a picture that is asked for; a NATS server takes messages of 1 MiB unless told else."""
SCHEMES = ("nats", "tls")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FRAMES = struct.Struct("<2sBBIIdBBHH")
_STAMP = struct.Struct("<H")
_ASK_TIME = struct.Struct("<2sBxId")
_SAY_TIME = struct.Struct("<2sBxIddddd")
_ASK_PICTURE = struct.Struct("<2sBxIIH")
_SAY_PICTURE = struct.Struct("<2sBB")
_F, _T, _P, _J = b"tF", b"tT", b"tP", b"tJ"
_STAMPS_PER_MS = 10.0
_LATEST_MS = 1e14


class WireError(FeedError):
    """The bytes are no message of this protocol; the sentence says why."""


# ---------------------------------------------------------------- where


class Place(NamedTuple):
    """A camera on a NATS server."""

    server: str
    name: str


def place_of(url: str, feed: str) -> Place:
    """Server and camera of nats://HOST:PORT/NAME. Raises `InputError`."""
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    if parts.scheme not in SCHEMES or not parts.hostname or _NAME.fullmatch(name) is None:
        raise InputError(
            f"{feed}: expected nats://HOST:4222/NAME with the name that `tap edge` sends it under "
            f"(letters, digits, - and _), got '{public_url(url)}'; correct it"
        )
    return Place(server_of(url, feed), name)


def server_of(url: str, feed: str) -> str:
    """nats://HOST:PORT of an address, whatever follows. Raises `InputError`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 4222
    except ValueError:
        parts, host, port = urlsplit(""), None, 0
    if parts.scheme not in SCHEMES or not host:
        raise InputError(f"{feed}: expected nats://HOST:4222, got '{public_url(url)}'; correct it")
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def is_name(name: str) -> bool:
    """Whether a camera can be sent under this name: it is part of a subject."""
    return _NAME.fullmatch(name) is not None


def frames_subject(name: str) -> str:
    """Where a camera's fingerprints are published."""
    return f"tap.1.frames.{name}"


def picture_subject(name: str) -> str:
    """Where a camera's pictures are asked for."""
    return f"tap.1.picture.{name}"


def time_subject(whose: int) -> str:
    """Where a process is asked what time it has: by an edge's epoch, or a witness's number."""
    return f"tap.1.time.{whose:08x}"


# ---------------------------------------------------------------- fingerprints


@dataclass(frozen=True, slots=True)
class Batch:
    """Fingerprints of one camera that follow each other.

    `epoch` is another number each time that the process beside the camera starts, `first` the
    sequence number of the first frame in it, `size` the full (width, height) in px of the camera's
    pictures, `width` and `height` those of the fingerprints. `at_ms` are Unix ms on the clock of
    that process, strictly increasing.
    """

    epoch: int
    first: int
    size: tuple[int, int]
    width: int
    height: int
    at_ms: tuple[float, ...]
    prints: tuple[bytes, ...]


def pack_frames(batch: Batch) -> bytes:
    """The message, 26 bytes and for each frame two more than its fingerprint has."""
    base = batch.at_ms[0]
    head = _FRAMES.pack(
        _F, VERSION, len(batch.prints), batch.epoch, batch.first, base,
        batch.width, batch.height, *(min(65535, side) for side in batch.size),
    )  # fmt: skip
    parts = [head]
    for at_ms, data in zip(batch.at_ms, batch.prints, strict=True):
        parts += (_STAMP.pack(min(65535, round((at_ms - base) * _STAMPS_PER_MS))), data)
    return b"".join(parts)


def unpack_frames(message: bytes) -> Batch:
    """Raises `WireError` for anything but a whole message of this version."""
    if len(message) < _FRAMES.size:
        raise WireError("Expected fingerprints, got too few bytes.")
    magic, version, count, epoch, first, base, width, height, *size = _FRAMES.unpack_from(message)
    if magic != _F:
        raise WireError("Expected fingerprints of `tap edge`, got something else.")
    if version != VERSION:
        raise WireError(f"Expected fingerprints of version {VERSION}, got {version}; update tap.")
    length = width * height
    try:
        check(width, height, length)
    except FingerprintError as error:
        raise WireError(str(error)) from error
    step = _STAMP.size + length
    if not 1 <= count <= MOST_FRAMES or len(message) != _FRAMES.size + count * step:
        raise WireError("Expected fingerprints, got a message of another length than it says.")
    if not (math.isfinite(base) and 0 <= base <= _LATEST_MS) or 0 in size or not epoch:
        raise WireError("Expected fingerprints, got a time or a size that can't be.")
    times: list[float] = []
    prints: list[bytes] = []
    for at in range(_FRAMES.size, len(message), step):
        times.append(base + int.from_bytes(message[at : at + 2], "little") / _STAMPS_PER_MS)
        prints.append(message[at + 2 : at + step])
    if any(later <= before for before, later in pairwise(times)):
        raise WireError("Expected fingerprints in the order of their times.")
    return Batch(epoch, first, (size[0], size[1]), width, height, tuple(times), tuple(prints))


# ---------------------------------------------------------------- time


class TimeAsked(NamedTuple):
    """A question for the time: who asks, and when on its own clock."""

    who: int
    sent_ms: float


class TimeSaid(NamedTuple):
    """The answer: the question's `sent_ms` again, when it came and when the answer left on the
    other clock, and what the answerer makes of the two: how far the asker's clock is ahead of its
    own, and the round trip in which it found that; NaN where it has not."""

    who: int
    sent_ms: float
    came_ms: float
    left_ms: float
    ahead_ms: float
    trip_ms: float


def pack_time_asked(asked: TimeAsked) -> bytes:
    """16 bytes."""
    return _ASK_TIME.pack(_T, VERSION, *asked)


def unpack_time_asked(message: bytes) -> TimeAsked:
    """Raises `WireError`."""
    return TimeAsked(*_unpacked(_ASK_TIME, _T, message, "a question for the time"))


def pack_time_said(said: TimeSaid) -> bytes:
    """48 bytes."""
    return _SAY_TIME.pack(_T, VERSION, *said)


def unpack_time_said(message: bytes) -> TimeSaid:
    """Raises `WireError`."""
    said = TimeSaid(*_unpacked(_SAY_TIME, _T, message, "the time"))
    if not all(math.isfinite(value) for value in said[1:4]):
        raise WireError("Expected the time, got none.")
    return said


# ---------------------------------------------------------------- pictures


class PictureAsked(NamedTuple):
    """A question for the real picture of a frame, with so many px on its longer side at most."""

    epoch: int
    sequence: int
    longest: int


WHY_NOT = {
    1: "the camera's host no longer keeps that picture",
    2: "the camera's host was started again since",
    3: "the camera's host could not send that picture",
}


def pack_picture_asked(asked: PictureAsked) -> bytes:
    """14 bytes."""
    return _ASK_PICTURE.pack(_P, VERSION, *asked)


def unpack_picture_asked(message: bytes) -> PictureAsked:
    """Raises `WireError`."""
    return PictureAsked(*_unpacked(_ASK_PICTURE, _P, message, "a question for a picture"))


def pack_picture(jpeg: bytes | None, why_not: int = 0) -> bytes:
    """The answer: a JPEG, or a key of `WHY_NOT`."""
    return _SAY_PICTURE.pack(_J, VERSION, why_not) + (jpeg or b"")


def unpack_picture(message: bytes) -> bytes:
    """The JPEG, not looked at. Raises `WireError` that says why there is none."""
    if not _SAY_PICTURE.size <= len(message) <= _SAY_PICTURE.size + LARGEST_PICTURE:
        raise WireError(f"Expected a picture of at most {LARGEST_PICTURE} bytes, got another.")
    magic, version, why_not = _SAY_PICTURE.unpack_from(message)
    if magic != _J or version != VERSION:
        raise WireError("Expected a picture, got something else.")
    if why_not:
        raise WireError(f"No picture: {WHY_NOT.get(why_not, 'the reason is not known')}.")
    return message[_SAY_PICTURE.size :]


def _unpacked(form: struct.Struct, magic: bytes, message: bytes, what: str) -> tuple[Any, ...]:
    if len(message) != form.size:
        raise WireError(f"Expected {what}, got {len(message)} bytes.")
    found, version, *values = form.unpack(message)
    if found != magic or version != VERSION:
        raise WireError(f"Expected {what}, got something else.")
    return tuple(values)
