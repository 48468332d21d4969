"""JPEGs from strangers: looked over before they are decoded, and decoded only as far as needed."""

import re
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from tap.errors import FeedError
from tap.feeds.luma import LONG_SIDE, MAX_PIXELS, shrink, small_size
from tap.vocabulary import Luma, Undecoded

MAX_BYTES = 8 * 1024 * 1024
"""Largest JPEG that is looked at."""

MAX_SCANS = 32
"""Scans of a progressive JPEG; each costs a pass over the picture, real ones have about ten."""

_MAX_SEGMENTS = 256
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_UNDERSTOOD = {0xC0, 0xC1, 0xC2}
_PROGRESSIVE = 0xC2
_SCAN = 0xDA
_REDUCED = (
    (8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
    (4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
    (2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
    (1, cv2.IMREAD_GRAYSCALE),
)


_END = b"\xff\xd9"
_START_OR_END = re.compile(rb"\xff[\xd8\xd9]")
_CUT_OFF = "The JPEG ends before its picture does: it was cut off on the way."
_MARK_BYTES = 2048


class DamagedJpegError(FeedError):
    """The bytes are not a whole JPEG that tap decodes; the sentence says why."""


class Peek(NamedTuple):
    """A JPEG's full (width, height), and what equal pictures have in common and others hardly."""

    size: tuple[int, int]
    mark: tuple[int, bytes]


def check_jpeg(data: bytes) -> tuple[int, int]:
    """(width, height) as the header states them, before any EXIF rotation.

    Raises `DamagedJpegError` for anything but a whole 8-bit baseline, extended or progressive
    JPEG in grey or colour of sane size. Costs microseconds: nothing is decoded.
    """
    kind, width, height, scan_at = _check_headers(data)
    # Inside coded data FF is always escaped: the first bare FFD9 there is the true end, and an
    # FFD8 before it means that two torn pictures were glued together.
    end = _START_OR_END.search(data, scan_at)
    if end is None:
        raise DamagedJpegError(_CUT_OFF)
    if end[0] != _END:
        raise DamagedJpegError("A second JPEG starts inside the first: bytes were lost on the way.")
    if kind == _PROGRESSIVE and data.count(b"\xff\xda") > MAX_SCANS:
        raise DamagedJpegError(f"Expected at most {MAX_SCANS} scans in a progressive JPEG.")
    return width, height


def peek(data: bytes) -> Peek | None:
    """What can be told of a JPEG without going through its coded data, in microseconds.

    None where only decoding tells which way up it is. Raises `DamagedJpegError` as `check_jpeg`
    does, but for what only a pass over all of it shows.
    """
    _, width, height, scan_at = _check_headers(data)
    if not data.endswith(_END):
        raise DamagedJpegError(_CUT_OFF)
    if data.find(b"Exif", 0, scan_at) >= 0:
        return None
    return Peek((width, height), (len(data) - scan_at, data[-_MARK_BYTES:]))


def _check_headers(data: bytes) -> tuple[int, int, int, int]:
    """`_read_headers` of something that may not be a JPEG, or not one of sane size."""
    if len(data) > MAX_BYTES:
        raise DamagedJpegError(f"Expected a JPEG of at most {MAX_BYTES} bytes, got {len(data)}.")
    if data[:3] != b"\xff\xd8\xff":
        raise DamagedJpegError("Expected a JPEG (FF D8 FF), got something else; check the URL.")
    kind, width, height, scan_at = _read_headers(data)
    if width * height > MAX_PIXELS:
        raise DamagedJpegError(
            f"Expected a picture of at most {MAX_PIXELS} px, got {width} x {height}; "
            "set the camera to a smaller picture."
        )
    return kind, width, height, scan_at


def _read_headers(data: bytes) -> tuple[int, int, int, int]:
    """(frame marker, width, height, offset of the first scan) from the segments before it."""
    at, kind, width, height = 2, 0, 0, 0
    for _ in range(_MAX_SEGMENTS):
        at = data.find(b"\xff", at)  # as libjpeg does: stray bytes between segments are passed
        while data[at : at + 2] in (b"\xff\xff", b"\xff\0"):
            at += 1
        if at < 0 or at + 4 > len(data):
            raise DamagedJpegError("The JPEG's header is damaged.")
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            raise DamagedJpegError("The JPEG's header is damaged.")
        if marker == _SCAN:
            if not kind:
                raise DamagedJpegError("The JPEG has no frame header.")
            return kind, width, height, at + 2 + length
        if marker in _FRAME_HEADERS:
            if kind or marker not in _UNDERSTOOD or length < 8 or data[at + 4] != 8:
                raise DamagedJpegError(
                    "Expected an 8-bit baseline or progressive JPEG, got another kind."
                )
            height = int.from_bytes(data[at + 5 : at + 7], "big")
            width = int.from_bytes(data[at + 7 : at + 9], "big")
            if data[at + 9] not in (1, 3) or not width or not height:
                raise DamagedJpegError("Expected a grey or colour JPEG with a size.")
            kind = marker
        at += 2 + length
    raise DamagedJpegError(f"Expected at most {_MAX_SEGMENTS} header segments in a JPEG.")


def decode_luma(data: bytes) -> tuple[Luma, tuple[int, int]]:
    """((h, w) uint8 luma, upright, longer side at most 240 px), and the full upright (w, h).

    Decoding is scaled (1/2, 1/4, 1/8) as far as the luma's size allows. Raises
    `DamagedJpegError`.
    """
    width, height = check_jpeg(data)
    factor, flag = next(
        pair for pair in _REDUCED if max(width, height) >= LONG_SIDE * pair[0] or pair[0] == 1
    )
    picture = _imdecode(data, flag)
    upright = _upright_size((width, height), picture.shape[:2], factor)
    return shrink(picture), upright


def decoded_late(data: bytes, size: tuple[int, int], damaged: Callable[[str], None]) -> Undecoded:
    """A JPEG of a (width, height) that was peeked at, decoded when it is looked at.

    One that can't be decoded then is told to `damaged`, and is an even grey: like nothing.
    """

    def decode() -> Luma:
        try:
            return decode_luma(data)[0]
        except DamagedJpegError as error:
            damaged(str(error))
            wide, high = small_size(*size)
            return np.full((high, wide), 128, np.uint8)

    return Undecoded(decode)


def decode_colour(data: bytes) -> Luma:
    """(h, w, 3) uint8 BGR, upright, at full size. Raises `DamagedJpegError`."""
    check_jpeg(data)
    return _imdecode(data, cv2.IMREAD_COLOR)


def encode_colour(picture: Luma, long_side: int) -> bytes:
    """A JPEG of a (h, w, 3) uint8 BGR picture, fitted into `long_side` px."""
    height, width = picture.shape[:2]
    target = small_size(width, height, long_side)
    if target != (width, height):
        picture = np.asarray(
            cv2.resize(picture, target, interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
    _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return coded.tobytes()


def _imdecode(data: bytes, flag: int) -> Luma:
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error as error:
        raise DamagedJpegError("The JPEG could not be decoded: its data is damaged.") from error
    if picture is None:
        raise DamagedJpegError("The JPEG could not be decoded: its data is damaged.")
    return np.asarray(picture, dtype=np.uint8)


def _upright_size(size: tuple[int, int], decoded: tuple[int, ...], factor: int) -> tuple[int, int]:
    """`size` turned where the decoder turned the picture by its EXIF orientation."""
    width, height = size
    scaled = (-(-height // factor), -(-width // factor))
    return size if tuple(decoded) == scaled else (height, width)
